"""Apply: carry a plan out, or go on where it stopped."""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass

from runner import events, fence, journal, runs
from runner.accounting import Account, accounts
from runner.connect import Address, Session
from runner.errors import INTERRUPTED, Fenced, RunnerError, SqlError, Stopped
from runner.figures import Figures, record_run, record_step, sampling
from runner.interrupts import interruptible
from runner.journal import Run
from runner.lanes import Slots
from runner.manifest import Plan, Step
from runner.preflight import Preflight
from runner.progress import Fan, Progress
from runner.rejects import set_aside_by
from runner.retry import CANCELLED, PATIENCE
from runner.schedule import Schedule
from runner.sections import Side
from runner.sessions import Sessions
from runner.steps import KINDS
from runner.work import Context, Work

SETTLING = ("index", "reconcile")  # kinds of step that set rows aside after the load


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is done: `before` this command, or by it in `seconds`."""

    run: Run
    accounts: tuple[Account, ...]
    before: bool
    seconds: float


def apply(
    plan: Plan, places: Mapping[Side, Address], progress: Progress, jobs: int = 2, patience: float = PATIENCE
) -> Outcome:
    """Carry the plan out. Raises RunnerError, for one with INTERRUPTED; apply again goes on from there."""
    started = time.monotonic()
    with runs.session_on(places["target"], "transhume", plan.limits.lock_timeout) as keeper:
        fence.lock(keeper, plan.project)
        run = _run(plan, places, keeper, progress)
        if run.state == "done":
            return Outcome(run, accounts(keeper, plan, run), True, 0)
        sessions = Sessions(
            places["source"], places["target"], fence.application(run), plan.limits.lock_timeout,
            one=plan.databases == 1,
        )  # fmt: skip
        slots, figures = Slots(jobs), Figures()
        context = Context(plan, run, sessions, Fan(figures, progress), threading.Event(), patience, slots, figures)
        with closing(sessions), slots.pool:
            _steps(context, jobs)
            return Outcome(run, _finish(context), False, time.monotonic() - started)


def _run(plan: Plan, places: Mapping[Side, Address], keeper: Session, progress: Progress) -> Run:
    """The run to work at, taken over; or one that is done. Raises Refused."""
    with runs.session_on(places["source"], "transhume") as source:
        origin, destination = journal.identity(source), journal.identity(keeper)
        run = runs.to_go_on(runs.latest(keeper, plan), plan, origin, destination)
        if run is not None and run.state == "done":
            return run
        Preflight(plan, source, keeper, fresh=run is None).check(notice=progress.notice)
    what = "started" if run is None else "resumed"
    if run is None:
        journal.create(keeper)
        run = runs.begin(keeper, plan, origin, destination, importlib.metadata.version("transhume"))
    return runs.take_over(keeper, run, what)


def _steps(context: Context, jobs: int) -> None:
    """Every step that is not done yet."""
    rows = context.persist(lambda: journal.steps(context.sessions.target(), context.run), "the run's steps")
    done = {step for step, row in rows.items() if row.state == "done"}
    steps = [step for step in context.plan.steps if step.id not in done]
    weight = {table.id: table.rows for table in context.plan.tables}
    schedule = Schedule(steps, weight, lambda step: run_step(context, step), context.stop)
    context.progress.begin(context.plan, context.run, len(done))
    with interruptible(context.stop, context.sessions.cancel) as interrupts:
        try:
            with sampling(context.figures, context.progress), ThreadPoolExecutor(jobs, "step") as executor:
                schedule.run(executor, jobs)
        except RunnerError:
            if not interrupts.happened:
                raise
        finally:
            context.progress.close()
    if interrupts.happened:
        hint = f"what is committed stays; `transhume apply {context.plan.folder}` goes on from there"
        raise RunnerError("interrupted", hint, INTERRUPTED)


def run_step(context: Context, step: Step) -> None:
    """Carry one step out, with its beginning and its end in the journal."""
    work = Work(context, step, context.plan.open(step))
    context.progress.began(step)
    started = time.monotonic()
    try:
        work.check_stop()
        work.record("began", lambda session: journal.begin_step(session, context.run, step.id))
        with context.slots.taken():
            KINDS[step.kind](work)
        work.record("done", lambda session: _end(session, work, "done"))
    except RunnerError as error:
        error.spec = error.spec or step.spec
        context.progress.ended(step, time.monotonic() - started, error.message)
        if isinstance(error, SqlError) and error.sqlstate == CANCELLED and context.stop.is_set():
            raise Stopped(f"{step.id} was cancelled") from error
        if not isinstance(error, (Stopped, Fenced)):
            _note_failure(work, error)
        raise
    _tell_aside(work)
    context.progress.ended(step, time.monotonic() - started)


def _end(session: Session, work: Work, state: str, error: str | None = None) -> None:
    """How a step ended, and what it took."""
    journal.end_step(session, work.run, work.step.id, state, error)
    record_step(session, work.run, work.step.id, work.context.figures.peak(work.step))


def _tell_aside(work: Work) -> None:
    """Tell of the rows that a step set aside without moving any."""
    if work.step.kind in SETTLING:
        found = work.persist(lambda: set_aside_by(work.target(), work.run, work.step.id))
        for table, rows in found.items():
            work.context.progress.set_aside(work.step, table, rows)


def _note_failure(work: Work, error: RunnerError) -> None:
    """Leave the error in the journal for `status`; where even that fails, the message is still on the screen."""

    def note(session: Session) -> None:
        _end(session, work, "failed", error.message)

    with suppress(RunnerError):
        work.record("failed", note, error.message)


def _finish(context: Context) -> tuple[Account, ...]:
    """The end of the run, and the account of every table."""

    def once() -> tuple[Account, ...]:
        session = context.sessions.target()
        with session.transaction():
            fence.hold(session, context.run)
            journal.set_state(session, context.run, "done")
            record_run(session, context.run)
            events.append(session, context.run, "done")
        return accounts(session, context.plan, context.run)

    return context.persist(once, "the end of the run")
