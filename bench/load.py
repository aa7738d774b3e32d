"""`make bench-load`: rows from one database into another, mapped, beside `psql COPY (mapped SELECT) | psql COPY`.

The table has ten columns; its key and three references become derived UUIDs, and one text is cast to a number. psql
runs the very SELECT of the plan's load, into a table of the same columns without keys and indexes, on the same server,
in the same minute. What counts is the ratio: two cores and a shared machine make absolute times unstable.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from runner import embedded
from runner.embedded import Server

ROOT = Path(__file__).parents[1]
TRANSHUME = (sys.executable, "-m", "transhume")

SOURCE = """
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE office (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE sale (
    id integer PRIMARY KEY, customer_id integer NOT NULL, product_id integer NOT NULL, office_id integer NOT NULL,
    no text NOT NULL, total numeric(12,2) NOT NULL, rate text NOT NULL, paid boolean NOT NULL, memo text,
    created_at timestamptz NOT NULL
);
INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 20000) AS n;
INSERT INTO product SELECT n, 'product ' || n FROM generate_series(1, 2000) AS n;
INSERT INTO office SELECT n, 'office ' || n FROM generate_series(1, 100) AS n;
INSERT INTO sale
SELECT n, 1 + n * 7 % 20000, 1 + n * 11 % 2000, 1 + n % 100, 'S-' || lpad(n::text, 9, '0'), n % 100000 * 0.37,
       (n % 25)::text || '.5', n % 3 = 0, 'sold on the counter, ' || md5(n::text),
       timestamptz '2020-01-01 00:00+00' + n * interval '90 s'
FROM generate_series(1, {rows}) AS n;
"""

PROJECT = """project: bench
source: {env: LEGACY_DATABASE_URL, schema: public}
target: {env: TARGET_DATABASE_URL, schema: app}
ids: {namespace: 1b671a64-40d5-491e-99b0-da01ff1f3341, version: 3}
"""
SIMPLE = "table: {name}s\nfrom: {name}\nkey: {{id: {{uuid: id}}}}\ncolumns: {{legacy_id: id}}\nsame: [name]\n"
SALES = """table: sales
from: sale
key: {id: {uuid: id}}
columns:
  legacy_id: id
  customer_id: {ref: customers, by: customer_id}
  product_id: {ref: products, by: product_id}
  office_id: {ref: offices, by: office_id}
  rate: {from: rate, type: "numeric(6,2)"}
same: [no, total, paid, memo, created_at]
indexes: [{columns: [customer_id]}, {columns: [no], unique: true}]
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One round: seconds of the load step, of the whole apply, of the psql pipe; kilobytes of the runner at most."""

    load: float
    apply: float
    psql: float
    memory: int

    @property
    def ratio(self) -> float:
        return self.psql / self.load


def main() -> None:
    """Make the source, plan, and measure as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="transhume-bench-", dir="/var/tmp") as name:
        home = Path(name)
        home.chmod(0o711)
        with embedded.running(home) as server:
            embedded.create_database(server, "source")
            execute(server, "source", SOURCE.format(rows=options.rows), "VACUUM ANALYZE")
            plan = compiled(server, home)
            runs = [measured(server, plan, options.jobs) for _ in range(options.runs)]
    report(runs, options.rows)


def compiled(server: Server, home: Path) -> Path:
    """Specs, catalogs and the plan, as a user makes them."""
    specs = home / "specs" / "bench"
    (specs / "tables").mkdir(parents=True)
    (specs / "project.yaml").write_text(PROJECT)
    for name in ("customer", "product"):
        (specs / "tables" / f"{name}s.yaml").write_text(SIMPLE.format(name=name))
    (specs / "tables" / "offices.yaml").write_text(SIMPLE.format(name="office"))
    (specs / "tables" / "sales.yaml").write_text(SALES)
    embedded.create_database(server, "target")
    for command in ("snapshot", "plan"):
        subprocess.run([*TRANSHUME, command, "specs/bench"], cwd=home, env=environment(server), check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    embedded.drop_database(server, "target")
    return home / "plans" / "bench"


def environment(server: Server) -> dict[str, str]:
    """Where the two databases are."""
    urls = {"LEGACY_DATABASE_URL": server.conninfo("source"), "TARGET_DATABASE_URL": server.conninfo("target")}
    return {**os.environ, **urls, "PYTHONPATH": str(ROOT)}


def measured(server: Server, plan: Path, jobs: int) -> Run:
    """Apply to an empty target, then psql into an empty table beside it."""
    embedded.create_database(server, "target")
    started = time.monotonic()
    with subprocess.Popen(
        [*TRANSHUME, "apply", str(plan), "--jobs", str(jobs), "--json"],
        env=environment(server),
        stdout=subprocess.DEVNULL,
    ) as runner:
        _, status, usage = os.wait4(runner.pid, 0)
        runner.returncode = os.waitstatus_to_exitcode(status)
    whole = time.monotonic() - started
    if runner.returncode != 0:
        raise SystemExit("apply failed")
    query = "SELECT extract(epoch FROM finished_at - started_at)::float8 FROM transhume.step WHERE step = 'load.sales'"
    load = execute(server, "target", query)
    execute(server, "target", "CREATE SCHEMA plain", "CREATE TABLE plain.sales (LIKE app.sales)")
    execute(server, "postgres", "CHECKPOINT")
    psql = piped(server, plan)
    same = "SELECT (SELECT count(*) FROM app.sales) = (SELECT count(*) FROM plain.sales)"
    if not execute(server, "target", same):
        raise SystemExit("psql and apply did not move the same rows")
    embedded.drop_database(server, "target")
    return Run(float(str(load)), whole, psql, usage.ru_maxrss)


def piped(server: Server, plan: Path) -> float:
    """Seconds of `psql COPY (mapped SELECT) TO STDOUT | psql COPY FROM STDIN`, both in the binary format."""
    text = (plan / "load" / "sales.sql").read_text()
    section = re.search(r"^-- transhume: load .*?\n(.*?);?\s*(?=^-- transhume)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, "the plan's load has changed its form"
    columns, select = re.findall(r"INSERT INTO app.sales \((.*?)\)\s*(SELECT\s.*)", section[1], re.DOTALL)[0]
    select = select.replace("pg_temp.stage_sales", "public.sale")
    select = select.replace("s.ctid BETWEEN $1::tid AND $2::tid", "true").rstrip("; \n")
    ends = (("source", f"COPY ({select}) TO STDOUT (FORMAT binary)"),
            ("target", f"COPY plain.sales ({columns}) FROM STDIN (FORMAT binary)"))  # fmt: skip
    command = " | ".join(
        shlex.join([str(server.bin / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", server.conninfo(name), "-c", sql])
        for name, sql in ends
    )
    started = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True)
    return time.monotonic() - started


def execute(server: Server, database: str, *statements: str) -> object:
    """Run statements in a database; the first value of the last one."""
    with closing(psycopg.connect(server.conninfo(database), autocommit=True)) as session:
        for statement in statements:
            cursor = session.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def report(runs: list[Run], rows: int) -> None:
    """Each run, then the medians."""
    for number, run in enumerate(runs, start=1):
        print(
            f"run {number}: load {rows / run.load:,.0f} rows/s, apply {run.apply:.1f} s, "
            f"psql {rows / run.psql:,.0f} rows/s, ratio {run.ratio:.2f}, memory {run.memory / 1024:.0f} MB"
        )
    median = {
        "rows": rows,
        "load_rows_per_second": round(rows / statistics.median(run.load for run in runs)),
        "apply_rows_per_second": round(rows / statistics.median(run.apply for run in runs)),
        "psql_rows_per_second": round(rows / statistics.median(run.psql for run in runs)),
        "ratio": round(statistics.median(run.ratio for run in runs), 2),
        "memory_mb": round(max(run.memory for run in runs) / 1024),
    }
    print(json.dumps({"medians": median}))


if __name__ == "__main__":
    main()
