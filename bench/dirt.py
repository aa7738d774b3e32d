"""`make bench-dirt`: what bad rows cost, compared with none; and how a run ends that has too many of them."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence

from bench.sales import sales
from bench.site import opened

# A bad row is one whose number's hash says so: they lie anywhere, as in life.
SOME, HALF = "hashint4(n) % 100 = 0", "hashint4(n) % 2 = 0"
DIRT: Mapping[str, Mapping[str, str]] = {
    "clean": {},
    "1 % bad, as a guard sees": {"bad_rate": SOME, "budget": "2%"},
    "1 % bad, as only the server sees": {"bad_extra": SOME, "budget": "2%"},
    "50 % bad, within the budget": {"bad_rate": HALF, "budget": "60%"},
    "50 % bad, beyond the budget of 5 %": {"bad_rate": HALF, "budget": "5%"},
    "50 % bad, as only the server sees, beyond it": {"bad_extra": HALF, "budget": "5%"},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a source for each kind of dirt, apply them in turn, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args(arguments)
    seconds: dict[str, list[float]] = {name: [] for name in DIRT}
    codes: dict[str, int] = {}
    with opened() as site:
        made = {
            name: sales(site, options.rows, source=f"source_{place}", **dirt)
            for place, (name, dirt) in enumerate(DIRT.items())
        }
        for _ in range(options.runs):
            for name, one in made.items():
                cost, codes[name] = one.attempt()
                seconds[name].append(cost.seconds)
    medians = {name: statistics.median(every) for name, every in seconds.items()}
    print(f"{options.rows:,} rows, medians of {options.runs}")
    for name, median in medians.items():
        print(f"{name:46}{median:7.1f} s{median / medians['clean']:7.2f} x   exit code {codes[name]}")
    print(json.dumps({"rows": options.rows, "seconds": seconds, "exit_codes": codes}))


if __name__ == "__main__":
    main()
