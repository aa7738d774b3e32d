"""Verify: every check of every step again, against the databases as they are now."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from runner import events, fence, journal, runs
from runner.accounting import Account
from runner.checks import Check, Checking
from runner.connect import Address, Session
from runner.errors import Refused
from runner.executors import Threads
from runner.figures import Figures, sampling
from runner.journal import Run
from runner.manifest import Plan, Step
from runner.progress import Fan, Progress, Silent
from runner.retry import PATIENCE
from runner.room import Room
from runner.sections import Side
from runner.sessions import Sessions
from runner.source_snapshot import SourceSnapshot
from runner.steps.reconcile import AS_MUCH_MEMORY
from runner.steps.verify import READ_ONLY
from runner.work import Context, Work

Found = tuple[Check, Account | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was verified, in the plan's order."""

    run: Run
    checks: tuple[Check, ...]
    accounts: tuple[Account, ...]

    @property
    def green(self) -> bool:
        """Whether all of it is as it should be."""
        return all(check.green for check in self.checks)


def verify(plan: Plan, places: Mapping[Side, Address], jobs: int = 2, progress: Progress | None = None) -> Verdict:
    """Check the project's last run and record the verdict in the journal. Raises RunnerError."""
    with runs.session_on(places["target"], "transhume verify", plan.limits.lock_timeout) as keeper:
        run = runs.need_run(keeper, plan)
        if run.state in ("rolling back", "rolled back"):
            raise Refused(f"the run of project {plan.project} is {run.state}: there is nothing to verify")
        runs.same_plan(run, plan)
        name = f"{fence.application(run)}:verify"
        snapshot = SourceSnapshot(places["source"], name)
        sessions = Sessions(places["source"], places["target"], name, plan.limits.lock_timeout, snapshot)
        with closing(sessions):
            figures = Figures()
            told = Fan(figures, progress or Silent())
            stop, room = threading.Event(), Room(None, jobs)
            context = Context(plan, run, sessions, told, stop, PATIENCE, room, Threads(), jobs, figures=figures)
            found = _found(context, journal.steps(keeper, run), jobs)
        checks = (*_journal(keeper, plan, run), *(check for check, _ in found))
        verdict = Verdict(run, checks, tuple(account for _, account in found if account is not None))
        _record(keeper, verdict)
        return verdict


def _found(context: Context, rows: Mapping[str, journal.StepRow], jobs: int) -> list[Found]:
    """The checks of the steps that are done, in the plan's order."""
    steps = [step for step in context.plan.steps if step.id in rows and rows[step.id].state == "done"]
    context.progress.begin(context.plan, context.run, len(context.plan.steps) - len(steps))
    with sampling(context.figures, context.progress), ThreadPoolExecutor(jobs, "verify") as executor:
        return [one for found in executor.map(lambda step: _step(context, step), steps) for one in found]


def _step(context: Context, step: Step) -> list[Found]:
    """The checks of one step, told as a step of the verification."""
    work = Work(context, step, context.plan.open(step))
    context.progress.began(step)
    started = time.monotonic()
    checked = step.kind == "verify" or work.file.find("verify") is not None
    found = work.persist(lambda: _checked(work)) if checked else []
    red = [check.name for check, _ in found if not check.green]
    context.progress.ended(step, time.monotonic() - started, f"red: {', '.join(red)}" if red else "")
    return found


def _checked(work: Work) -> list[Found]:
    target = work.target()
    with target.transaction():
        target.execute(READ_ONLY)
        target.execute(AS_MUCH_MEMORY)
        return list(Checking(work, work.context.sessions.source, target).all())


def _journal(session: Session, plan: Plan, run: Run) -> list[Check]:
    """The run is complete, and nobody has edited its audit trail."""
    done = [row for row in journal.steps(session, run).values() if row.state == "done"]
    left = len(plan.steps) - len(done)
    broken = events.broken_link(session, run)
    trail = () if broken is None else (f"event {broken} was changed, or one before it is gone",)
    return [
        Check("run", "", "all steps are done", (f"{left} of {len(plan.steps)} steps are not done",) if left else ()),
        Check("run", "", "the audit trail is whole", trail),
    ]


def _record(session: Session, verdict: Verdict) -> None:
    red = [f"{check.step} {check.name}" for check in verdict.checks if not check.green]
    with session.transaction():
        events.append(session, verdict.run, "verified", detail=f"red: {', '.join(red)}" if red else "green")
