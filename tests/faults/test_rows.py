"""The table of faults is whole, names tests that exist, and is what docs/faults.md says."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from tests.faults.report import Faults, added
from tests.faults.rows import PARTS, ROWS, Row
from tests.pg.migration import ROOT
from tests.test_docs import assert_page

PAGE = ROOT / "docs" / "faults.md"
HEAD = """\
# Faults

What can go wrong around a run, what is expected then, and the tests that show it. Made of `tests/faults/rows.py`;
`make faults` runs all of them, with 100 random kills (`KILLS=20` for fewer), and ends with this table and what became
of each row. It exits with 1 if any is red, or was not run.

`make test` runs most of them too, with 10 random kills; what takes long, or needs a server or a disk of its own, is
marked `faults` and left out there. Full disks are small file systems, which takes root: they are skipped without.

A fault keeps its number. Faults of rows (a date that is none, a duplicate) and of specs are told in
[runner.md](runner.md) and [errors.md](errors.md), and are no part of this table.
"""


@functools.cache
def those_of(file: str) -> dict[str, set[str]]:
    """The tests of a file, each with the marks it has."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {
        node.name: {ast.unparse(mark).partition("(")[0].removeprefix("pytest.mark.") for mark in node.decorator_list}
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def page() -> str:
    """docs/faults.md."""
    lines = [HEAD]
    for part, title in PARTS.items():
        lines += [f"## {title}\n", "| | fault | expected | shown by |", "| --- | --- | --- | --- |"]
        lines += [line(row) for row in ROWS if row.part == part]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def line(row: Row) -> str:
    """One row of the page; with a reason in the place of tests, it is not tried."""
    shown = "<br>".join(f"`{test}`" for test in row.tests)
    return f"| {row.number} | {row.fault} | {row.expected or '—'} | {shown or 'not tried: ' + row.reason} |"


def test_every_test_exists() -> None:
    """What a row names is a test of that name in that file."""
    for row in ROWS:
        for test in row.tests:
            file, _, name = test.partition("::")
            assert name in those_of(file), f"{row.number}: {test}"


def test_every_test_here_is_named() -> None:
    """A test of this folder that no row names would never be run where it is marked `faults`."""
    named = {test for row in ROWS for test in row.tests}
    for path in Path(__file__).parent.glob("test_*.py"):
        for name, marks in those_of(f"faults/{path.name}").items():
            assert "faults" not in marks or f"faults/{path.name}::{name}" in named, name


def test_every_fault_is_a_row() -> None:
    """Each number once, in order; each with tests and what is expected, or with a reason, and never with both."""
    assert [row.number for row in ROWS] == [*range(1, 39), *range(63, 79)]
    for row in ROWS:
        assert row.part in PARTS
        assert bool(row.tests) != bool(row.reason), row.number
        assert bool(row.tests) == bool(row.expected), row.number


def test_the_page_is_the_table(update_golden: bool) -> None:
    """docs/faults.md is made of the table."""
    assert_page(PAGE, page(), update_golden)


def test_figures_are_added() -> None:
    """The kills of several campaigns are one figure."""
    figures = ["25 of 25 kills ended equal", "amid load 3", "24 of 25 kills ended equal"]
    assert added(figures) == ["49 of 50 kills ended equal", "amid load 3"]


def test_what_became_of_a_row() -> None:
    """Red where one test is, or was not run; skipped only where all of them were."""
    found, row = Faults(), Row("A", 1, "a fault", "nothing", ("one", "two"))
    verdicts = []
    for one, two in (("", ""), ("passed", ""), ("passed", "skipped"), ("skipped", "skipped"), ("passed", "failed")):
        found.outcomes.clear()
        found.outcomes["one"], found.outcomes["two"] = [one] * bool(one), [two] * bool(two)
        verdicts.append(found.verdict(row))
    assert verdicts == ["NOT RUN", "NOT RUN", "green", "skipped", "RED"]
