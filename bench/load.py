"""`make bench-load`: the load alone, of one table, beside `psql COPY (mapped SELECT) | psql COPY` in one lane.

The key and three references become derived UUIDs, one text a number and one jsonb. psql writes the same columns into a
table without keys and indexes, on the same server, in the same minute. What counts is the ratio.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
from collections.abc import Sequence

from bench.sales import COLUMNS, TARGET, Sales, mapped, sales
from bench.site import Cost, opened, run

SAME = """SELECT (SELECT (count(*), sum(hashtextextended(s::text, 0))) FROM (SELECT {columns} FROM app.sales) AS s)
               = (SELECT (count(*), sum(hashtextextended(s::text, 0))) FROM (SELECT {columns} FROM plain.sales) AS s)"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the source, plan, and measure as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    ratios, loads, memory = [], [], []
    with opened() as site:
        made = sales(site, options.rows)
        for number in range(1, options.runs + 1):
            cost, load = made.apply(options.jobs)
            psql = piped(made)
            loads.append(load)
            memory.append(cost.memory / 1e6)
            ratios.append(psql.seconds / load)
            print(f"run {number}: load {options.rows / load:,.0f} rows/s, apply {cost.seconds:.1f} s, "
                  f"psql {options.rows / psql.seconds:,.0f} rows/s, ratio {ratios[-1]:.2f}")  # fmt: skip
    result = {"rows_per_second": round(options.rows / statistics.median(loads)), "memory_mb": round(max(memory)),
              "ratio": round(statistics.median(ratios), 2)}  # fmt: skip
    print(json.dumps({"rows": options.rows, "jobs": options.jobs, "medians": result}))


def piped(made: Sales) -> Cost:
    """What `psql | psql` costs, both in the binary format; the rows must be those of `app.sales`."""
    site = made.site
    site.execute(TARGET, "CREATE SCHEMA plain", "CREATE TABLE plain.sales (LIKE app.sales)")
    ends = (
        site.psql(made.source, "-c", f"COPY ({mapped()}) TO STDOUT (FORMAT binary)"),
        site.psql(TARGET, "-c", f"COPY plain.sales ({COLUMNS}) FROM STDIN (FORMAT binary)"),
    )
    cost = site.measured(lambda: run(["bash", "-o", "pipefail", "-c", " | ".join(map(shlex.join, ends))]))
    if site.execute(TARGET, SAME.format(columns=COLUMNS)) != [(True,)]:
        raise SystemExit("psql and apply did not move the same rows")
    return cost


if __name__ == "__main__":
    main()
