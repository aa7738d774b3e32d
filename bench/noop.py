"""`make bench-noop`: how long `transhume apply` takes to find that 50 tables are there already, as a whole process."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence

from bench.compile import generate
from bench.site import opened

TABLE = """CREATE TABLE app_thing_{number} (
  id integer PRIMARY KEY, parent_id integer NOT NULL, owner_id integer, status smallint NOT NULL, rate varchar(10),
  due varchar(10), placed_at timestamptz, name varchar(120) NOT NULL, total numeric(12,2) NOT NULL,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, junk text)"""
ROWS = """INSERT INTO app_thing_{number}
  SELECT n, n, n, n % 3, '0.25', '31.01.2024', NULL, 'thing ' || n, n, '2024-01-01', '2024-01-02', NULL
  FROM generate_series(1, 100) AS n"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Apply once; then again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=50)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args(arguments)
    with opened() as site:
        for database in ("source", "target"):
            site.fresh(database)
        for number in range(options.tables):
            site.execute("source", TABLE.format(number=number), ROWS.format(number=number))
        generate(site.home / "specs" / "many", options.tables)
        for command in ("snapshot", "plan"):
            site.transhume("source", "target", command, "many")
        costs = [
            site.measured(lambda: site.transhume("source", "target", "apply", "many", "--yes"))
            for _ in range(options.runs + 1)
        ]
    again = [cost.seconds for cost in costs[1:]]
    print(f"{options.tables} tables: the first apply {costs[0].seconds:.2f} s")
    print(f"with nothing to do: {statistics.median(again):.2f} s, median of {options.runs} (goal: under 1 s), "
          f"{statistics.median(cost.clients for cost in costs[1:]):.2f} s of CPU")  # fmt: skip
    print(json.dumps({"tables": options.tables, "first": costs[0].seconds, "again": again}))


if __name__ == "__main__":
    main()
