"""Verify: the account of a table is right to the row, and what is in the target is what was in the source."""

from __future__ import annotations

from runner.checks import Checking
from runner.errors import RunnerError
from runner.steps.reconcile import AS_MUCH_MEMORY
from runner.work import Work

READ_ONLY = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def carry_out(work: Work) -> None:
    """Every check of the step must be green."""
    red = work.persist(lambda: _red(work))
    if red:
        place = work.file.sections[0].place() if work.file.sections else None
        raise RunnerError(f"{work.step.id} is red", place=place, notes=red)


def _red(work: Work) -> tuple[str, ...]:
    target = work.target()
    with target.transaction():
        target.execute(READ_ONLY)
        target.execute(AS_MUCH_MEMORY)
        checking = Checking(work, work.context.sessions.source, target)
        return tuple(f"{check.name}: {problem}" for check, _ in checking.all() for problem in check.problems)
