"""The migration that the faults are tried on: six small tables in many small chunks, with every kind of dirt.

It is written as specs and compiled, and carried out by the command line: whatever the plan's format and the runner's
insides are, these tests stay as they are. Keys of every kind (derived, kept, numbered; of one column, of two, none),
references that are computed and looked up, duplicates, orphans, values that do not fit, rows that stay behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from compiler.pipeline import compile_project
from compiler.write import write_folder
from runner.connect import address, open_source
from runner.snapshot import read_catalog, write_catalog
from tests.pg.migration import TRANSHUME, Migration

SOURCE = """
CREATE TABLE shop (id integer PRIMARY KEY, code text NOT NULL, name text);
INSERT INTO shop SELECT n, 'S' || n, 'shop ' || n FROM generate_series(1, 20) AS n;

CREATE TABLE article (code text COLLATE "C" PRIMARY KEY, title text, weight text);
INSERT INTO article
SELECT 'A-' || to_char(n, 'FM00000'), 'article ' || n, CASE WHEN n % 60 = 1 THEN 'heavy' ELSE (n % 90)::text END
FROM generate_series(1, 400) AS n;

CREATE TABLE customer (id bigint PRIMARY KEY, email text, born text, shop_id integer);
INSERT INTO customer
SELECT n * 1000, CASE WHEN n % 50 = 49 THEN 'c' || n - 1 ELSE 'c' || n END || '@example.org',
       CASE WHEN n % 70 = 7 THEN 'soon' WHEN n % 10 > 0 THEN to_char(date '1950-01-01' + n, 'DD.MM.YYYY') END,
       CASE WHEN n % 25 = 0 THEN 99 ELSE 1 + n % 20 END
FROM generate_series(1, 900) AS n;

CREATE TABLE purchase (id uuid PRIMARY KEY, customer_id bigint, status integer, total numeric(12,2), void boolean);
INSERT INTO purchase
SELECT md5('purchase ' || n)::uuid, CASE WHEN n % 40 = 0 THEN 77 ELSE 1000 + n % 900 * 1000 END,
       CASE WHEN n % 90 = 1 THEN 9 ELSE n % 3 END, n * 0.25, n % 30 = 0
FROM generate_series(1, 1800) AS n;

CREATE TABLE line (purchase_id uuid, place smallint, article text, pieces text, PRIMARY KEY (purchase_id, place));
INSERT INTO line
SELECT md5('purchase ' || n)::uuid, p,
       CASE WHEN n % 80 = 3 THEN 'A-none' ELSE 'A-' || to_char(1 + (n * p) % 400, 'FM00000') END,
       CASE WHEN n % 100 = 5 THEN '99999' ELSE p::text END
FROM generate_series(1, 1800) AS n, generate_series(1, 2) AS p;

CREATE TABLE visit (customer_id bigint, at timestamp, page text);
INSERT INTO visit SELECT 1000 * (n % 950), timestamp '2020-02-02' + (n / 2) * interval '1 min', '/page/' || n / 4
FROM generate_series(0, 599) AS n;
ANALYZE;
"""
SPECS = {
    "project.yaml": """
project: depot
source: {env: LEGACY_DATABASE_URL, schema: public}
target: {env: TARGET_ENV, schema: app}
ids: {namespace: 7a0f7d0c-9a6b-4a37-9d53-0d8c2c1b7b10, version: 3}
limits: {rejected: 20%, lock_timeout: 300ms}
""",
    "tables/shops.yaml": """
table: shops
from: shop
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [code, name]
indexes: [{columns: [code], unique: true}]
""",
    "tables/articles.yaml": """
table: articles
from: article
key: {id: {identity: true, type: integer}}
columns: {code: code, weight: {from: weight, type: smallint}}
same: [title]
indexes: [{columns: [code], unique: true}]
""",
    "tables/customers.yaml": """
table: customers
from: customer
key: {id: {uuid: id}}
columns:
  legacy_id: id
  born_on: {from: born, type: date, format: DD.MM.YYYY}
  shop_id: {ref: shops, by: shop_id, missing: null}
same: [email]
indexes: [{columns: [email], unique: true, duplicates: first}, {columns: [shop_id]}]
""",
    "tables/purchases.yaml": """
table: purchases
from: purchase
key: {id: {same: id}}
columns:
  customer_id: {ref: customers, by: customer_id}
  status: {from: status, type: text, map: {0: open, 1: paid, 2: sent}, otherwise: reject}
  total: total
drop: {void: void ones stay behind}
where: not s.void
indexes: [{columns: [customer_id]}, {columns: [status, total]}]
""",
    "tables/lines.yaml": """
table: lines
from: line
key: [purchase_id, place]
columns:
  purchase_id: {ref: purchases, by: purchase_id, null: false}
  article_id: {ref: articles, by: article}
  pieces: {from: pieces, type: smallint}
same: [place]
indexes: [{columns: [article_id]}]
""",
    "tables/visits.yaml": """
table: visits
from: visit
columns: {customer_id: {ref: customers, by: customer_id, missing: null}}
same: [at, page]
indexes: [{columns: [page]}]
""",
}
CHUNK = "chunk: {rows: 25, max: 40}\n"
TABLES = ("shops", "articles", "customers", "purchases", "lines", "visits")

# Read in one snapshot, so that it can be asked at any instant of a run. A table holds what the journal says, to the
# row: what its load's chunks have loaded, less what reconciliations took away.
LOADED = """
SELECT coalesce((SELECT sum(loaded) FROM transhume.chunk WHERE step = 'load.' || {0}), 0)
     - (SELECT count(*) FROM transhume.reject WHERE table_id = {0} AND action = 'reconciled')"""
CONTENT = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM app.{} AS t"
COUNTS = """SELECT step, sum(loaded)::bigint, sum(filtered)::bigint, sum(rejected)::bigint, sum(nulled)::bigint
            FROM transhume.chunk GROUP BY step ORDER BY step"""


@dataclass(frozen=True, slots=True)
class End:
    """What a run leaves: each table's content, what was set aside, what became of the rows of each source.

    Rows of the table without a key are known by their places in the target, which are others after a crash: of these
    only how many there were, and why, is compared.
    """

    content: tuple[tuple[str, int, int], ...]
    rejects: tuple[tuple[Any, ...], ...]
    counts: tuple[tuple[Any, ...], ...]

    def differs(self, other: End) -> list[str]:
        """What only one of the two has."""
        mine, others = (Counter(map(str, (*end.content, *end.rejects, *end.counts))) for end in (self, other))
        return sorted(((mine - others) + (others - mine)).elements())


class Runner(subprocess.Popen[str]):
    """A command at work. What it says goes into files: a pipe that nobody reads would hold it up."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.said, self.complained = (tempfile.TemporaryFile("w+") for _ in range(2))  # noqa: SIM115 (open as long as it)
        super().__init__(
            command, env=env, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.complained, text=True,
            start_new_session=True,
        )  # fmt: skip

    def so_far(self) -> str:
        """What it has said until now."""
        assert self.poll() is None, "it has ended"
        return os.pread(self.said.fileno(), 2**20, 0).decode()

    def end(self) -> tuple[list[dict[str, Any]], str]:
        """Wait until it ends; its events, and its errors."""
        self.wait(120)
        self.said.seek(0)
        self.complained.seek(0)
        return events(self.said.read()), self.complained.read()

    def ended(self) -> list[str]:
        """Wait until it ends, which must be well; what it has noticed."""
        told, errors = self.end()
        assert self.returncode == 0, errors
        return [event["text"] for event in told if event["event"] == "notice"]


class Depot(Migration):
    """The plan between two databases of its own."""

    def start(self, *options: str, command: tuple[str, ...] = TRANSHUME, **env: str) -> Runner:
        """Begin to apply, in a process of its own."""
        return Runner([*command, "apply", str(self.folder), "--json", *options], self.environment(**env))

    def killed_once(self, happened: Callable[[], object]) -> None:
        """Apply until then, and kill the runner."""
        with self.start() as runner:
            until(happened)
            runner.kill()

    def applied(self, *options: str, **env: str) -> list[dict[str, Any]]:
        """Apply, which must succeed; the events."""
        done = self.command("apply", "--json", *options, **env)
        assert done.returncode == 0, done.stderr
        return events(done.stdout)

    def end(self) -> End:
        """What the run has left."""
        content = [(table, *self.ask(CONTENT.format(table))[0]) for table in TABLES]
        rejects = [(table, None if table == "visits" else key, *rest) for table, key, *rest in self.rejects()]
        return End(tuple(content), tuple(sorted(rejects, key=str)), tuple(self.ask(COUNTS)))

    def at_work(self) -> set[str]:
        """The steps that the last runner has begun and not ended."""
        if not self.begun():
            return set()
        query = "SELECT step FROM transhume.step JOIN transhume.run USING (run, epoch) WHERE step.state = 'running'"
        return {step for (step,) in self.ask(query)}

    def chunks(self) -> int:
        """How many chunks are committed."""
        return int(self.ask("SELECT count(*) FROM transhume.chunk")[0][0]) if self.begun() else 0

    def begun(self) -> bool:
        """Whether there is a journal."""
        return bool(self.ask("SELECT to_regclass('transhume.event') IS NOT NULL")[0][0])

    def torn(self) -> list[str]:
        """The tables that do not hold, at this instant, what the journal says: none, whenever it is asked."""
        with closing(psycopg.connect(self.target)) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            if session.execute("SELECT to_regclass('transhume.event')").fetchone() == (None,):
                return []
            there = [
                table
                for table in TABLES
                if session.execute("SELECT to_regclass(%s)", (f"app.{table}",)).fetchone() != (None,)
            ]
            query = " UNION ALL ".join(
                f"SELECT '{table}' WHERE (SELECT count(*) FROM app.{table}) <> ({LOADED.format(repr(table))})"
                for table in there
            )
            return [table for (table,) in session.execute(query.encode())] if there else []


def events(stdout: str) -> list[dict[str, Any]]:
    """The events that a command with --json has printed; the last line of one that was killed may be half."""
    whole = stdout if stdout.endswith("\n") else stdout[: stdout.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def write_plan(
    here: Path, source: str, target: str, *, databases: int = 2, project: str = "depot", **changes: str
) -> Path:
    """Compile the project with the live databases' catalogs; the plan's folder.

    `changes` replaces or adds spec files of tables, by their name; an empty text leaves one out.
    """
    folder, env = here / "specs" / project, "TARGET_DATABASE_URL" if databases == 2 else "LEGACY_DATABASE_URL"
    specs = SPECS | {f"tables/{name}.yaml": text for name, text in changes.items()}
    for name, text in specs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        chunk = CHUNK if name.startswith("tables/") and "chunk:" not in text else ""
        if text:
            text = text.replace("TARGET_ENV", env).replace("project: depot", f"project: {project}")
            path.write_text(text.lstrip() + chunk, encoding="utf-8")
    (folder / "catalog").mkdir()
    for side, conninfo, schema in (("source", source, "public"), ("target", target, "app")):
        with closing(open_source(address("LEGACY_DATABASE_URL", conninfo), "test")) as session:
            catalog = read_catalog(session, side, [schema])  # type: ignore[arg-type]
            write_catalog(catalog, folder / "catalog" / f"{side}.yaml")
    made = here / "plans" / project
    made.mkdir(parents=True)
    write_folder(made, compile_project(folder))
    return made


def until(happened: Callable[[], object], every: float = 0.01, patience: float = 60) -> None:
    """Wait for a condition. Raises AssertionError after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
