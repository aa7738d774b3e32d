"""`make bench-rows`: what a row costs where there are ten times as many, all steps and verification included."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence

from bench.sales import Sales, sales
from bench.site import opened


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill both sources, move them in turn, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    with opened() as site:
        both = [sales(site, options.rows * times, source=f"source_{times}") for times in (1, 10)]
        found = [[micros(made) for made in both] for _ in range(options.runs)]
    medians = [[statistics.median(run[place][part] for run in found) for part in (0, 1)] for place in (0, 1)]
    for made, (whole, load) in zip(both, medians, strict=True):
        print(f"{made.rows:12,} rows: {whole:6.2f} us a row for the whole apply, {load:6.2f} us for the load")
    ratios = [medians[1][part] / medians[0][part] for part in (0, 1)]
    print(f"ratio: {ratios[0]:.2f} (goal: at most 1.1), of the load alone {ratios[1]:.2f}; medians of {options.runs}")
    print(json.dumps({"rows": [made.rows for made in both], "runs": found, "ratio": ratios[0], "load": ratios[1]}))


def micros(made: Sales) -> tuple[float, float]:
    """Microseconds a row: of the whole command, and of the load of the one big table."""
    cost, load = made.apply()
    return cost.seconds * 1e6 / made.rows, load * 1e6 / made.rows


if __name__ == "__main__":
    main()
