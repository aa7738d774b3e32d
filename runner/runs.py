"""Which run a command is about, and one runner for it at a time: found, begun, taken over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg

from runner import control, events, fence, journal
from runner.connect import Address, Session, open_source, open_target, unreachable
from runner.errors import Refused, SqlError
from runner.journal import Run
from runner.manifest import Plan
from runner.removals import state


@contextlib.contextmanager
def session_on(where: Address, application: str, lock_timeout: float | None = None) -> Iterator[Session]:
    """A session for as long as the block lasts; read only where there is no lock timeout. Raises RunnerError."""
    try:
        opened = (
            open_source(where, application) if lock_timeout is None else open_target(where, application, lock_timeout)
        )
    except psycopg.Error as error:
        raise unreachable(where, error) from None
    try:
        with contextlib.closing(opened):
            yield opened
    except psycopg.Error as error:
        raise SqlError(error) from error


def latest(session: Session, plan: Plan) -> Run | None:
    """The project's last run in this database; None where there is none, or no journal."""
    if journal.journal_format(session) is None:
        return None
    journal.create(session)  # refuses one of another format
    return journal.latest_run(session, plan.run_name)


def need_run(session: Session, plan: Plan) -> Run:
    """The project's last run. Raises Refused."""
    if (run := latest(session, plan)) is None:
        raise Refused(f"project {plan.project} was never applied to this target", f"`transhume apply {plan.folder}`")
    return run


def same_plan(run: Run, plan: Plan) -> None:
    """Refuse a run that another version of the plan has made."""
    if run.plan != plan.digest:
        raise Refused(
            f"the {run.state} run of project {plan.project} was made by another version of the plan ({run.plan[:12]})",
            "check that version out to roll it back or to finish it",
        )


def to_go_on(run: Run | None, plan: Plan, source: str, target: str) -> Run | None:
    """The run that `apply` goes on with, or has finished before; None for a new one. Raises Refused."""
    if run is None or run.state == "rolled back":
        return None
    if run.state == "rolling back":
        raise Refused(f"the run of project {plan.project} is being rolled back", f"`transhume rollback {plan.folder}`")
    same_plan(run, plan)
    for side, was, now in (("source", run.source, source), ("target", run.target, target)):
        if was != now:
            raise Refused(
                f"the run of project {plan.project} was begun with another {side}: {was}, this is {now}",
                "go on with the database that it was begun with, or roll it back",
            )
    return run


def begin(session: Session, plan: Plan, source: str, target: str, version: str) -> Run:
    """Write a new run down."""
    with session.transaction():
        run = journal.insert_run(session, plan, source, target, version)
        if plan.removal is not None:
            state.begin(session, plan, plan.removal, run)
        events.append(session, run, "begun", detail=f"plan {plan.digest}, source {source}, target {target}")
    return run


def take_over(session: Session, run: Run, what: str) -> Run:
    """Become the run's one runner: end what a killed one left behind, raise the epoch, forget what was asked of it."""
    session.execute("SELECT pg_catalog.set_config('application_name', %s, false)", (fence.application(run),))
    fence.end_orphans(session, run)
    with session.transaction():
        run = fence.take_over(session, run, events.who())
        control.reset(session, run)
        events.append(session, run, what, detail=f"epoch {run.epoch}")
    return run
