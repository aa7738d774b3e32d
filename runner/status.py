"""Status: how far the project's last run is, read from its journal while it is at work."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from runner import control, fence, journal, runs
from runner.connect import Address
from runner.control import Control, Wanted
from runner.journal import Counts, Run, StepRow
from runner.manifest import Plan, Step
from runner.rejects import set_aside
from runner.sections import Side

RATE_WINDOW = 60  # seconds
AT_WORK: Mapping[Wanted, str] = {"go": "running", "pause": "paused", "stop": "aborting"}


@dataclass(frozen=True, slots=True)
class StepStatus:
    """A step: `state` is waiting, running, failed, done or reverted; rows where it moves some; memory in bytes."""

    step: str
    state: str
    seconds: float | None
    size: int | None
    counts: Counts | None
    error: str | None
    rows_per_second: float | None
    peak_memory: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """A run. `runner` is who is at work, None for nobody; `rate` rows a second lately; `left` seconds for the rest."""

    run: Run
    runner: str | None
    control: Control
    steps: tuple[StepStatus, ...]
    size: int
    read: int
    rate: float
    left: float | None
    set_aside: Mapping[str, Mapping[str, int]]

    @property
    def state(self) -> str:
        """The run's state in one word: an open run without a runner is stopped, one that waits is paused or held."""
        if self.run.state != "open" or not self.runner:
            return "stopped" if self.run.state == "open" else self.run.state
        return "held" if self.control.wanted == "go" and self.control.hold else AT_WORK[self.control.wanted]


def status(plan: Plan, places: Mapping[Side, Address]) -> Status:
    """Read the journal. Raises RunnerError."""
    with runs.session_on(places["target"], "transhume status") as session:
        run = runs.need_run(session, plan)
        rows = journal.steps(session, run)
        now: datetime.datetime = journal.scalar(session, "SELECT clock_timestamp()")
        steps = tuple(
            _step(step, rows.get(step.id), journal.loaded(session, run, step.id) if _moves(step) else None, now)
            for step in plan.steps
        )
        sizes = {table.id: table.rows for table in plan.tables}
        loads = [(s, found) for s, found in zip(plan.steps, steps, strict=True) if s.kind == "load"]
        size = sum(found.size if found.size is not None else sizes.get(step.table, 0) for step, found in loads)
        read = sum(found.counts.read for _, found in loads if found.counts)
        rate = journal.rate(session, run, RATE_WINDOW)
        left = max(0, size - read) / rate if rate else None
        asked, runner = control.read(session, run), fence.holder(session, plan.lock_name)
        return Status(run, runner, asked, steps, size, read, rate, left, set_aside(session, run))


def _moves(step: Step) -> bool:
    return step.kind in ("load", "map")


def _step(step: Step, row: StepRow | None, counts: Counts | None, now: datetime.datetime) -> StepStatus:
    if row is None:
        return StepStatus(step.id, "waiting", None, None, counts, None, None, None)
    ended = now if row.state == "running" or row.finished_at is None else row.finished_at
    # When a reverted step ended is when it was reverted, which says nothing of how long it took.
    seconds = None if row.state == "reverted" else (ended - row.started_at).total_seconds()
    return StepStatus(step.id, row.state, seconds, row.size, counts, row.error, row.rows_per_second, row.peak_memory)
