"""The clock of the runner's host jumps: nothing is decided by it."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.faults.conftest import Make, Quietly
from tests.pg.migration import ROOT, TRANSHUME

# Python's wall clock, up to ten years wrong, another wrong time whenever it is read. Workers start with it too.
JUMPING = """
import random, time
right = time.time
time.time = lambda: right() + random.uniform(-3e8, 3e8)
"""
WALL = {"time", "time_ns", "now", "utcnow", "today", "localtime", "gmtime", "ctime", "strftime"}
SHOWN = {"runner/json_events.py", "runner/webhook.py"}  # where the wall clock is read: as the time of what is told


def test_a_clock_that_jumps(depots: Make, quietly: Quietly, tmp_path: Path) -> None:
    """A run on a host whose clock is another one each time it is read ends as any other."""
    (tmp_path / "sitecustomize.py").write_text(JUMPING)
    depot = depots()
    runner = depot.start(PYTHONPATH=f"{tmp_path}:{ROOT}")
    runner.ended()

    assert depot.end().differs(quietly().end) == []


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed (Debian's package faketime)")
def test_a_clock_that_runs_wild(depots: Make, quietly: Quietly) -> None:
    """The same with libfaketime, for libraries in C: a clock a thousand times too fast, on a day in 2001."""
    depot = depots()
    runner = depot.start(
        command=("faketime", "-f", "@2001-01-01 00:00:00 x1000", *TRANSHUME), FAKETIME_DONT_FAKE_MONOTONIC="1"
    )
    runner.ended()

    assert depot.end().differs(quietly().end) == []


def wall_clocks(path: Path) -> list[str]:
    """Where a module reads the wall clock."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in WALL and isinstance(node.value, (ast.Name, ast.Attribute)):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if owner in ("time", "datetime", "date"):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"{path.relative_to(ROOT)}:{node.lineno}" for name in node.names if name.name in WALL]
    return found


def test_nothing_is_decided_by_the_wall_clock() -> None:
    """The runner reads the wall clock only where it tells the time; it measures by the monotonic one."""
    modules = [*ROOT.glob("runner/**/*.py"), ROOT / "transhume.py"]
    found = [place for path in modules for place in wall_clocks(path)]

    assert {place.partition(":")[0] for place in found} <= SHOWN
    assert found, "the search finds what it is to find"
