"""The way back: phases that are undone by their reverts, or, once the columns are dropped, the restore's own plan."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runner import journal, runs
from runner.apply import Options, apply
from runner.connect import Address, Session
from runner.errors import Refused, RunnerError
from runner.execute import execute
from runner.manifest import PHASES, RESTORE, Plan, read_plan
from runner.progress import Progress
from runner.removals import state
from runner.rollback import roll_back
from runner.sections import Side

UNDONE = 1.0  # seconds that the reverts of phases 1 and 2 are told to take: they lock, and rename
INSIDE = "drop"  # the kind of step after which only the restore's plan leads back


@dataclass(frozen=True, slots=True)
class Way:
    """How a removal is taken back: the phases that are undone, last one first, or the restore's plan.

    `seconds` is how long that is predicted to take, None where nothing was measured; `rows` come back.
    """

    phases: tuple[int, ...]
    rebuilds: bool
    rows: int | None
    seconds: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    way: Way
    seconds: float


def way_back(folder: Path, places: Mapping[Side, Address]) -> Way:
    """How the removal, whose plans are in `folder`, is taken back from where it is. Raises RunnerError."""
    plan = read_plan(folder / PHASES[RESTORE])
    with runs.session_on(places["target"], "transhume restore") as session:
        return _way(session, folder, plan)


def restore(folder: Path, places: Mapping[Side, Address], progress: Progress, options: Options) -> Restored:
    """Take the removal back, or go on with that. Raises RunnerError."""
    started = time.monotonic()
    way = way_back(folder, places)
    if way.rebuilds:
        apply(read_plan(folder / PHASES[RESTORE]), places, progress, options)
    for number in way.phases:
        roll_back(read_plan(folder / PHASES[number]), places, progress, options.patience)
    return Restored(way, time.monotonic() - started)


def _way(session: Session, folder: Path, plan: Plan) -> Way:
    removal = plan.removal
    assert removal is not None  # the restore's plan says whose it is
    found = state.phases(session, plan.project, removal.name)
    last, back = state.reached(found), found.get(RESTORE)
    if back is not None and back.state == "running":
        return _rebuild(session, plan, "the restore that was begun goes on")
    if last == 0:
        raise Refused(f"removal {removal.name} was never begun, or is restored already", "`transhume removals`")
    if last == state.PURGE and found[last].state == "done":
        file = found[last].evidence.get("file", "the exported file")
        raise Refused(f"removal {removal.name} is purged: its values are in {file} alone", "COPY them from there")
    if last >= state.DROP and _dropped(session, plan, folder, found[state.DROP]):
        return _rebuild(session, plan, f"phase {last}: values come from the backup")
    phases = tuple(range(min(last, state.DROP), 0, -1))
    return Way(phases, False, None, UNDONE, f"phase {last}: its steps are undone, and those before")


def _dropped(session: Session, plan: Plan, folder: Path, phase: state.Phase) -> bool:
    """Whether phase 3 has come to the drop itself; until then its steps are undone like those before."""
    if plan.removal is None or not plan.removal.columns:
        return False  # a table waits until phase 4: each step of its is undone
    if phase.state == "done":
        return True
    step = next(step.id for step in read_plan(folder / PHASES[state.DROP]).steps if step.kind == INSIDE)
    query = "SELECT EXISTS (SELECT FROM transhume.part WHERE run = %s AND step = %s)"
    return bool(journal.scalar(session, query, (phase.run, step)))


def _rebuild(session: Session, plan: Plan, why: str) -> Way:
    """What the restore's plan is predicted to take: as many rows as there are now, at the rate that was measured."""
    removal = plan.removal
    assert removal is not None
    query = """SELECT predicted_seconds, rows FROM transhume.removal_figure
               WHERE project = %s AND removal = %s ORDER BY measured_at DESC LIMIT 1"""
    row = session.execute(query, (plan.project, removal.name)).fetchone()
    if row is None:
        return Way((), True, None, None, why)
    rows = row[1]
    size = next((step for step in plan.steps if step.kind == "refill"), None)
    if size is not None:
        with suppress(RunnerError):  # the backup may be gone already: the end of a restore is being done again
            rows = int(execute(session, plan.open(size).need("size")).rows[0][0] or 0)
    return Way((), True, rows, row[0] * max(1.0, rows / max(row[1], 1)), why)
