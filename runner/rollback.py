"""Roll back: the revert of every step that was begun, in reverse order; it goes on where it stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from runner import events, fence, journal, runs
from runner.connect import Address, Session
from runner.errors import INTERRUPTED, RunnerError
from runner.execute import execute
from runner.executors import Threads
from runner.failpoints import failpoint
from runner.journal import Run
from runner.manifest import Plan, Step
from runner.progress import Progress
from runner.removals import state
from runner.retry import PATIENCE
from runner.room import Room
from runner.sections import Side
from runner.sessions import Sessions
from runner.work import Context, Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is rolled back; `steps` were reverted by this command."""

    run: Run
    steps: int
    seconds: float


def roll_back(plan: Plan, places: Mapping[Side, Address], progress: Progress, patience: float = PATIENCE) -> Outcome:
    """Undo the project's last run; the journal stays. Raises RunnerError."""
    started = time.monotonic()
    with runs.session_on(places["target"], "transhume", plan.limits.lock_timeout) as keeper:
        fence.lock(keeper, plan.lock_name)
        run = runs.need_run(keeper, plan)
        if run.state == "rolled back":
            return Outcome(run, 0, 0)
        runs.same_plan(run, plan)
        if plan.removal is not None:
            state.check_undo(keeper, plan, plan.removal)
        run = _take_over(keeper, run)
        sessions = Sessions(places["source"], places["target"], fence.application(run), plan.limits.lock_timeout, None)
        context = Context(plan, run, sessions, progress, threading.Event(), patience, Room(None, 1), Threads(), 1)
        with closing(sessions):
            steps = _revert_all(context)
            _finish(context)
        return Outcome(run, steps, time.monotonic() - started)


def _take_over(keeper: Session, run: Run) -> Run:
    run = runs.take_over(keeper, run, "rolling back")
    with keeper.transaction():
        fence.hold(keeper, run)
        journal.set_state(keeper, run, "rolling back")
    return run


def _revert_all(context: Context) -> int:
    rows = journal.steps(context.sessions.target(), context.run)
    steps = [step for step in reversed(context.plan.steps) if step.id in rows and rows[step.id].state != "reverted"]
    context.progress.begin(context.plan, context.run, len(context.plan.steps) - len(steps))
    try:
        for step in steps:
            _revert(context, step)
    except KeyboardInterrupt:
        hint = f"`transhume rollback {context.plan.folder}` goes on from there"
        raise RunnerError("interrupted", hint, INTERRUPTED) from None
    finally:
        context.progress.close()
    return len(steps)


def _revert(context: Context, step: Step) -> None:
    """Undo one step: its statements and the journal's record are one transaction. Nothing to undo is a record alone."""
    work = Work(context, step, context.plan.open(step))
    context.progress.began(step)
    started = time.monotonic()

    def once(session: Session) -> None:
        revert = work.file.find("revert")
        if journal.changed_anything(session, context.run, step.id):
            if revert is not None:
                execute(session, revert, work.values)
            elif not step.reversible:
                raise RunnerError(
                    f"{step.id} cannot be undone", "restore the target from a backup made before the run", notes=(
                        tuple(line.removeprefix("-- ") for line in work.file.header.splitlines() if line)
                    ),
                )  # fmt: skip
        journal.end_step(session, context.run, step.id, "reverted")
        failpoint("revert-before-commit")

    try:
        work.record("reverted", once)
    except RunnerError as error:
        error.spec = error.spec or step.spec
        context.progress.ended(step, time.monotonic() - started, error.message)
        raise
    context.progress.ended(step, time.monotonic() - started)


def _finish(context: Context) -> None:
    def once() -> None:
        session = context.sessions.target()
        with session.transaction():
            fence.hold(session, context.run)
            journal.set_state(session, context.run, "rolled back")
            if (removal := context.plan.removal) is not None:
                state.undo(session, context.plan.project, removal.name, removal.number, removal.phase)
            events.append(session, context.run, "rolled back")

    context.persist(once, "the end of the run")
