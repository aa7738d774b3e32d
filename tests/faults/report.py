"""Which tests `pytest --faults` runs, and the table that it ends with: what became of each fault."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest

from tests.faults.rows import PARTS, ROWS, Row

EQUAL = re.compile(r"(\d+) of (\d+) (.*)")


class Usual:
    """The suite without what takes too long for it."""

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is marked `faults`."""
        _keep(config, items, lambda item: item.get_closest_marker("faults") is None)


@dataclass(eq=False, slots=True)  # pytest keeps its plugins in a set
class Faults:
    """The tests that the table of faults names, and what became of them, by their names in the table."""

    outcomes: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    skips: dict[str, str] = field(default_factory=dict)
    figures: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what a row names."""
        wanted = {test for row in ROWS for test in row.tests}
        _keep(config, items, lambda item: _name(item.nodeid) in wanted)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how a test ended, and its figures."""
        name = _name(report.nodeid)
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[name].append(report.outcome)
        if report.when == "call":
            self.figures[name] += [str(value) for key, value in report.user_properties if key == "figure"]
        if report.skipped and isinstance(report.longrepr, tuple):
            self.skips[name] = report.longrepr[2].removeprefix("Skipped: ")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A row whose tests were not run is red as well."""
        if not session.exitstatus and not hasattr(session.config, "workerinput") and any(map(self._red, ROWS)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        for part, title in PARTS.items():
            terminalreporter.section(title)
            for row in (row for row in ROWS if row.part == part):
                terminalreporter.write_line(
                    f"{row.number:>3}  {self.verdict(row):<8} {row.fault}{self._told(row)}", red=self._red(row)
                )
        counts = Counter(map(self.verdict, ROWS))
        terminalreporter.section(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))

    def verdict(self, row: Row) -> str:
        """What became of a fault: green, red, skipped, not run; or reason, where a reason stands in for tests."""
        if not row.tests:
            return "reason"
        found = [self.outcomes.get(test, []) for test in row.tests]
        if any("failed" in each for each in found):
            return "RED"
        if not all(found):
            return "NOT RUN"
        return "green" if any("passed" in each for each in found) else "skipped"

    def _red(self, row: Row) -> bool:
        return self.verdict(row) in ("RED", "NOT RUN")

    def _told(self, row: Row) -> str:
        texts = [figure for test in row.tests for figure in added(self.figures[test])]
        texts += [f"skipped: {self.skips[test]}" for test in row.tests if test in self.skips]
        return "".join(f"\n{' ' * 14}{text}" for text in texts or [row.reason] if text)


def added(figures: list[str]) -> list[str]:
    """Figures of one test's cases: `25 of 25 equal` four times is `100 of 100 equal`; others as they are."""
    sums: dict[str, tuple[int, int]] = {}
    others = []
    for figure in figures:
        if found := EQUAL.fullmatch(figure):
            good, all = sums.get(found[3], (0, 0))
            sums[found[3]] = good + int(found[1]), all + int(found[2])
        else:
            others.append(figure)
    return [f"{good} of {all} {what}" for what, (good, all) in sums.items()] + others


def _name(nodeid: str) -> str:
    """A test as the table names it: below tests/, without its parameters."""
    return nodeid.partition("[")[0].removeprefix("tests/").removesuffix("@server")


def _keep(config: pytest.Config, items: list[pytest.Item], wanted: object) -> None:
    assert callable(wanted)
    kept = [item for item in items if wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
