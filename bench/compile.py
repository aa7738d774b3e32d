"""How long 1,000 generated tables take to compile, and how much memory: `make bench-compile`.

Each table has 12 columns: a derived key, two references, a cast, a recoded status, a date by format, and plain copies.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PROJECT = """\
project: many
about: {count} generated tables
source: {{env: LEGACY_DATABASE_URL, schema: public}}
target: {{env: TARGET_DATABASE_URL, schema: app}}
ids: {{namespace: 1b671a64-40d5-491e-99b0-da01ff1f3341, version: 3}}
"""
TABLE = """\
table: things_{number}
from: app_thing_{number}
key: {{id: {{uuid: id}}}}
columns:
  legacy_id: id
  parent_id: {{ref: things_{parent}, by: parent_id}}
  owner_id: {{ref: things_{owner}, by: owner_id, missing: null}}
  status: {{from: status, type: text, map: {{0: draft, 1: submitted, 2: approved}}, otherwise: reject}}
  rate: {{from: rate, type: "numeric(6,4)"}}
  due_on: {{from: due, type: date, format: DD.MM.YYYY}}
  placed_at: {{sql: "coalesce(s.placed_at, s.created_at)", type: timestamptz, null: false}}
same: [name, total, created_at, updated_at]
drop: {{junk: always null}}
indexes: [{{columns: [parent_id]}}]
"""
CATALOG = """\
format: 1
database: {side}
server: 15
encoding: UTF8
collation: C.UTF-8
schemas: [public]
extensions: {{plpgsql: pg_catalog}}
types: {{}}
relations:{relations}
"""
RELATION = """
  public.app_thing_{number}:
    kind: table
    rows: 60000
    columns:
      id: {{type: integer, 'null': false}}
      parent_id: {{type: integer, 'null': false}}
      owner_id: {{type: integer}}
      status: {{type: smallint, 'null': false}}
      rate: {{type: character varying(10)}}
      due: {{type: character varying(10)}}
      placed_at: {{type: timestamp with time zone}}
      name: {{type: character varying(120), 'null': false}}
      total: {{type: "numeric(12,2)", 'null': false}}
      created_at: {{type: timestamp with time zone, 'null': false}}
      updated_at: {{type: timestamp with time zone, 'null': false}}
      junk: {{type: text}}
    primary_key: {{name: app_thing_{number}_pkey, columns: [id], definition: PRIMARY KEY (id)}}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate, compile, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder) / "specs" / "many", options.tables)
        fresh = [compiled(Path(folder), f"plans-{run}") for run in range(options.runs)]
        again = [compiled(Path(folder), "plans-0") for _ in range(options.runs)]
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{options.tables:,} tables, medians of {options.runs} runs")
    print(f"transhume plan, into an empty folder   {statistics.median(fresh):6.2f} s  (goal: under 4 s)")
    print(f"transhume plan, nothing changed        {statistics.median(again):6.2f} s")
    print(f"peak memory                            {memory:6.0f} MB (goal: under 300 MB)")


def generate(project: Path, count: int) -> None:
    """A project of `count` tables, each referring to two others."""
    (project / "tables").mkdir(parents=True)
    (project / "catalog").mkdir()
    (project / "project.yaml").write_text(PROJECT.format(count=count))
    for number in range(count):
        text = TABLE.format(number=number, parent=number // 2, owner=number * 7 % count)
        (project / "tables" / f"things_{number}.yaml").write_text(text)
    relations = "".join(RELATION.format(number=number) for number in range(count))
    (project / "catalog" / "source.yaml").write_text(CATALOG.format(side="source", relations=relations))
    (project / "catalog" / "target.yaml").write_text(CATALOG.format(side="target", relations=" {}"))


def compiled(folder: Path, out: str) -> float:
    """Seconds that `transhume plan` takes, from the start of the process to its end."""
    command = [str(Path(sys.executable).parent / "transhume"), "plan", "many", "--out", out]
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
