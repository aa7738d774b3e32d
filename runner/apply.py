"""Apply: carry a plan out, or go on where it stopped."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field

from runner import events, fence, journal, memory, runs
from runner.accounting import Account, accounts
from runner.connect import Address, Session
from runner.errors import INTERRUPTED, USAGE, RunnerError
from runner.executors import executor as chosen
from runner.figures import Figures, record_run
from runner.interrupts import interruptible
from runner.journal import Run, StepRow
from runner.manifest import Plan
from runner.preflight import Preflight
from runner.progress import Fan, Progress
from runner.removals import state
from runner.retry import PATIENCE
from runner.room import Room
from runner.schedule import Schedule
from runner.sections import Side
from runner.sessions import Sessions
from runner.source_snapshot import SourceSnapshot
from runner.step_at_work import StepAtWork
from runner.throttle import Bounds, check
from runner.watch import Watch
from runner.work import Context

FIXED = 3  # connections of a run beside those of its jobs: its lock, its watch, and the source's snapshot


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is done: `before` this command, or by it in `seconds`."""

    run: Run
    accounts: tuple[Account, ...]
    before: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Options:
    """How a plan is carried out: so many things at once, over so many connections (None: as many as that takes).

    `executor` is `threads`, `processes` or the address of a Dask scheduler; `patience` the seconds of an outage that
    are waited for.
    """

    jobs: int = 2
    connections: int | None = None
    executor: str = "threads"
    patience: float = PATIENCE
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def lanes(self) -> int:
        """How many jobs the connections allow: each has one on either side. Raises RunnerError."""
        if self.connections is None:
            return self.jobs
        lanes = (self.connections - FIXED) // 2
        if lanes < 1:
            raise RunnerError(f"{self.connections} connections are too few", f"{FIXED + 2} is the least", USAGE)
        return min(self.jobs, lanes)


def apply(plan: Plan, places: Mapping[Side, Address], progress: Progress, options: Options = Options()) -> Outcome:
    """Carry the plan out. Raises RunnerError, for one with INTERRUPTED; apply again goes on from there."""
    started = time.monotonic()
    lanes = options.lanes
    with runs.session_on(places["target"], "transhume", plan.limits.lock_timeout) as keeper:
        fence.lock(keeper, plan.lock_name)
        run = _run(plan, places, keeper, options, progress)
        if run.state == "done":
            return Outcome(run, accounts(keeper, plan, run), True, 0)
        snapshot = None if plan.databases == 1 else SourceSnapshot(places["source"], fence.application(run))
        sessions = Sessions(
            places["source"], places["target"], fence.application(run), plan.limits.lock_timeout, snapshot
        )
        executor = chosen(options.executor, places["source"], places["target"], lanes, plan.limits.memory)
        room = Room(plan.limits.memory, lanes, memory.resident())
        figures = Figures()
        context = Context(
            plan, run, sessions, Fan(figures, progress), threading.Event(), options.patience, room, executor, lanes,
            figures=figures,
        )  # fmt: skip
        with closing(sessions), closing(executor):
            _steps(context, journal.steps(keeper, run), options.bounds)
            sessions.close()  # of the lanes: what comes now is one session's work
            return Outcome(run, _finish(context), False, time.monotonic() - started)


def _run(
    plan: Plan, places: Mapping[Side, Address], keeper: Session, options: Options, progress: Progress
) -> Run:  # fmt: skip
    """The run to work at, taken over; or one that is done. Raises Refused."""
    if plan.removal is not None:
        state.check_order(keeper, plan, plan.removal)
    with runs.session_on(places["source"], "transhume") as source:
        origin, destination = journal.identity(source), journal.identity(keeper)
        run = runs.to_go_on(runs.latest(keeper, plan), plan, origin, destination)
        if run is not None and run.state == "done":
            return run
        check(keeper, options.bounds)
        connections = options.lanes + 2
        Preflight(plan, source, keeper, fresh=run is None, connections=connections).check(notice=progress.notice)
    what = "started" if run is None else "resumed"
    if run is None:
        journal.create(keeper)
        if plan.removal is not None:
            state.create(keeper)
        run = runs.begin(keeper, plan, origin, destination, importlib.metadata.version("transhume"))
    return runs.take_over(keeper, run, what)


def _steps(context: Context, rows: Mapping[str, StepRow], bounds: Bounds) -> None:
    """Every step that is not done yet."""
    done = {step for step, row in rows.items() if row.state == "done"}
    steps = [step for step in context.plan.steps if step.id not in done]
    weight = {table.id: table.rows for table in context.plan.tables}
    schedule = Schedule(steps, weight, lambda step: StepAtWork(context, step).begin(), context.stop)
    context.progress.begin(context.plan, context.run, len(done))
    with interruptible(context.stop, lambda: _cancel(context)) as interrupts:
        watch = Watch(context, bounds, interrupts.request)
        try:
            with closing(watch), ThreadPoolExecutor(context.jobs, "lane") as lanes:
                schedule.run(lanes, context.jobs)
        except RunnerError:
            if not interrupts.happened:
                raise
        finally:
            context.progress.close()
    if interrupts.happened:
        hint = f"what is committed stays; `transhume apply {context.plan.folder}` goes on from there"
        who = f"aborted by {watch.aborted_by}" if watch.aborted_by else "interrupted"
        raise RunnerError(who, hint, INTERRUPTED)


def _cancel(context: Context) -> None:
    """Cancel what the run's sessions are at, those of its workers too."""
    context.sessions.cancel()
    if context.executor.remote:
        with suppress(RunnerError):
            context.sessions.cancel_all()


def _finish(context: Context) -> tuple[Account, ...]:
    """The end of the run, and the account of every table."""

    def once() -> tuple[Account, ...]:
        session = context.sessions.target()
        with session.transaction():
            fence.hold(session, context.run)
            journal.set_state(session, context.run, "done")
            record_run(session, context.run)
            if context.plan.removal is not None:
                state.finish(session, context.plan, context.plan.removal)
            events.append(session, context.run, "done")
        return accounts(session, context.plan, context.run)

    return context.persist(once, "the end of the run")
