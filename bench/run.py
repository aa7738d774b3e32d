"""`make bench`: transhume and its peers move the same clinic, in turn, on the same server; ratios of medians.

Each round runs everyone once, each into an empty target after a CHECKPOINT. What the first round leaves in the target
must be the same for all who map: rows, a sum of hashes a column, indexes, keys. A script and a row-by-row loader would
take hours for all of it, and get a tenth.

transhume takes part twice: its plan as it is, and the plan without the verify steps, which is what the others do. The
difference is what verification costs; it cannot be told from one run, in which other steps go on beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench import peers
from bench.clinic import clinic
from bench.content import Content, differences
from bench.peers import Entrant
from bench.site import Cost, Failed, Site, opened, settings_line

MB = 1_000_000
ROW = "{:44}{:>8} {:>15}{:>9}{:>7}{:>8}{:>14}{:>14}"


@dataclass(slots=True)
class Result:
    """What an entrant has shown so far; `fault` why it takes part no more."""

    entrant: Entrant
    costs: list[Cost] = field(default_factory=list)
    fault: str = ""

    @property
    def seconds(self) -> float:
        return statistics.median(cost.seconds for cost in self.costs)

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.entrant.rows / self.seconds

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.entrant.name, "rows": self.entrant.rows, "fault": self.fault,
            "seconds": [round(cost.seconds, 2) for cost in self.costs],
            "client_cpu": [round(cost.clients, 2) for cost in self.costs],
            "server_cpu": [round(cost.server, 2) for cost in self.costs],
            "memory_mb": [round(cost.memory / MB, 1) for cost in self.costs],
        }  # fmt: skip


@dataclass(slots=True)
class Field:
    """Those that move the same rows; the first is what the others are compared with. `after` follows on the second."""

    title: str
    results: list[Result]
    after: Callable[[], None] | None = None
    rollbacks: list[Cost] = field(default_factory=list)
    expected: Content | None = None

    @property
    def ran(self) -> list[Result]:
        return [result for result in self.results if result.costs]

    def round(self, site: Site) -> None:
        """Everyone once."""
        for place, result in enumerate(self.results):
            if result.fault:
                continue
            self._turn(site, result)
            if place == 1 and self.after is not None:
                self.rollbacks.append(site.measured(self.after))

    def _turn(self, site: Site, result: Result) -> None:
        entrant = result.entrant
        entrant.prepare()
        try:
            cost = site.measured(entrant.run)
        except Failed as error:
            if not entrant.needs:
                raise
            result.fault = f"{entrant.name} failed: {str(error).splitlines()[-1]}"
            return
        if not result.costs:
            self.check(entrant)
        result.costs.append(cost)
        print(f"  {entrant.name}: {cost.seconds:.1f} s", flush=True)

    def check(self, entrant: Entrant) -> None:
        """Ends the measurement where an entrant did not do the work."""
        found = entrant.found()
        if entrant.expected is not None:
            expected = entrant.expected()
        else:
            expected = self.expected = self.expected or found
        if wrong := list(differences(expected, found)):
            raise SystemExit(f"{entrant.name} did not leave what it should:\n" + "\n".join(wrong))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 4.6 million rows")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="take part only if the name holds one of these, separated by commas")
    options = parser.parse_args(arguments)
    with opened() as site:
        fields = entered(site, options.scale, [word for word in options.only.split(",") if word])
        for number in range(options.runs):
            print(f"round {number + 1} of {options.runs}", flush=True)
            for each in fields:
                each.round(site)
    print(f"\nmedians of {options.runs}, scale {options.scale:g}; server: {settings_line()}")
    for each in fields:
        show(each)
    print(json.dumps({"scale": options.scale, "fields": [as_json(each) for each in fields]}))


def entered(site: Site, scale: float, only: Sequence[str]) -> list[Field]:
    """Who takes part, with all rows and with a tenth of them."""
    whole, tenth = clinic(site, scale), clinic(site, scale / 10, "tenth")
    all_rows = [
        peers.transhume(whole, verified=False), peers.transhume(whole, verified=True), peers.psql(whole, 2),
        peers.psql(whole, 1), peers.pgloader(whole), peers.dump_and_restore(whole, compressed=True),
        peers.dump_and_restore(whole, compressed=False), peers.inside(whole),
    ]  # fmt: skip
    some_rows = [peers.transhume(tenth, verified=False), peers.by_hand(tenth), peers.sling(tenth)]
    fields = [
        Field(f"{whole.total:,} rows", _results(all_rows, only), lambda: peers.roll_back(whole)),
        Field(f"a tenth: {tenth.total:,} rows", _results(some_rows, only)),
    ]
    return [each for each in fields if len(each.results) > 1]


def _results(entrants: Sequence[Entrant], only: Sequence[str]) -> list[Result]:
    """transhume always takes part."""
    chosen = [one for one in entrants if not only or any(word in one.name for word in ("transhume", *only))]
    return [Result(one, fault="" if one.installed else f"{one.needs}: not installed, skipped") for one in chosen]


def show(found: Field) -> None:
    """A table of medians. `ratio`: how many rows the first one moves while this one moves a row."""
    print(f"\n{found.title}")
    print(ROW.format("", "seconds", "(least-most)", "rows/s", "ratio", "memory", "clients' CPU", "server's CPU"))
    for result in found.ran:
        every = [cost.seconds for cost in result.costs]
        print(ROW.format(
            result.entrant.name, f"{result.seconds:.1f}", f"({min(every):.1f}-{max(every):.1f})", f"{result.rate:,.0f}",
            f"{found.ran[0].rate / result.rate:.2f}", f"{max(cost.memory for cost in result.costs) / MB:.0f} MB",
            f"{statistics.median(cost.clients for cost in result.costs):.1f} s",
            f"{statistics.median(cost.server for cost in result.costs):.1f} s",
        ))  # fmt: skip
    for result in found.results:
        if result.fault:
            print(result.fault)
    for name, value, goal in ratios(found):
        print(f"{name:66}{value:7.2f}  ({goal})")


def ratios(found: Field) -> list[tuple[str, float, str]]:
    """What the goals are about: their names, values and goals."""
    if found.after is None:
        return []
    plain, verified = found.results[:2]
    lines = [("verification on top, share of the load", verified.seconds / plain.seconds - 1, "goal: at most 0.25")]
    rollback = statistics.median(cost.seconds for cost in found.rollbacks)
    lines.append(("rollback, share of the load", rollback / plain.seconds, "goal: under 0.05"))
    memory = max(cost.memory for result in (plain, verified) for cost in result.costs) / MB
    lines.append(("peak memory of transhume and its workers, MB", memory, "goal: under 150"))
    for other in found.ran[2:]:
        goal = "goal: at least 1" if "2 lanes" in other.entrant.name else "above 1: transhume is ahead"
        lines.append((f"rows/s of transhume / {other.entrant.name}", plain.rate / other.rate, goal))
    return lines


def as_json(found: Field) -> dict[str, object]:
    """Everything that was measured."""
    return {
        "title": found.title, "entrants": [result.as_json() for result in found.results],
        "rollback_seconds": [round(cost.seconds, 2) for cost in found.rollbacks],
        "ratios": {name: round(value, 3) for name, value, _ in ratios(found)},
    }  # fmt: skip


if __name__ == "__main__":
    main()
