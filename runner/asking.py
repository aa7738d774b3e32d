"""Asking something of the run that another process is at work on, and waiting until it has happened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from runner import control, fence, runs
from runner.connect import Address, Session
from runner.control import Control, Wanted
from runner.errors import Refused, RunnerError
from runner.journal import Run
from runner.manifest import Plan
from runner.sections import Side

POLL = 0.2  # seconds
QUIET = 3  # polls in a row without a chunk in flight: a lane that has just read "go" claims its chunk between two


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a run, `before` of it; `runner` is who is at work. `waited` until it had happened."""

    run: Run
    runner: str
    before: Control
    waited: bool


def ask(plan: Plan, places: Mapping[Side, Address], wanted: Wanted, wait: float | None = None) -> Asked:
    """Ask the project's run for `wanted`, and wait for it so many seconds at most. Raises RunnerError."""
    with runs.session_on(places["target"], "transhume control", plan.limits.lock_timeout) as session:
        run = runs.need_run(session, plan)
        runner = _at_work(session, run, plan)
        before = control.ask(session, run, wanted)
        if wait is not None:
            _wait(session, plan, run, runner, wanted, wait)
        return Asked(run, runner, before, wait is not None)


def _at_work(session: Session, run: Run, plan: Plan) -> str:
    """Who is at work on the run. Raises Refused."""
    if run.state == "rolling back":
        raise Refused(f"the run of project {plan.project} is being rolled back", "Ctrl-C in its own terminal stops it")
    if run.state != "open":
        raise Refused(f"the run of project {plan.project} is {run.state}: nobody is at work")
    runner = fence.holder(session, plan.lock_name)
    if runner is None:
        raise Refused(f"nobody is at work on project {plan.project}", f"`transhume apply {plan.folder}` goes on")
    if not run.owner or not runner.startswith(run.owner):  # it has the lock, and is yet to take the run over
        raise Refused(f"a runner of project {plan.project} is just starting", "ask again in a moment")
    return runner


def _wait(session: Session, plan: Plan, run: Run, runner: str, wanted: Wanted, seconds: float) -> None:
    """Wait until the run has stopped, or until no chunk is in flight. Raises RunnerError."""
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < QUIET:
        if fence.holder(session, plan.lock_name) != runner:
            if wanted == "stop":
                return
            raise RunnerError("the runner has ended meanwhile", "`transhume status` shows how")
        quiet = 0 if wanted == "stop" or control.in_flight(session, run) else quiet + 1
        if time.monotonic() > deadline:
            left = "the runner is still at work" if wanted == "stop" else "chunks are still in flight"
            raise RunnerError(f"{left} after {seconds:g} s", "it stays asked; `transhume status` shows how far it is")
        time.sleep(POLL)
