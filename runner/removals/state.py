"""Where a removal is: its phases in the journal, in their order, each with its run, who began it, and the evidence."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from runner import events
from runner.connect import Session
from runner.errors import Refused
from runner.journal import Run, scalar
from runner.manifest import PHASES, RESTORE, Plan, Removal

DROP = 3  # the phase from which only the restore's plan leads back
PURGE = 4


@dataclass(frozen=True, slots=True)
class Phase:
    """How far one phase is: running, done or undone."""

    phase: int
    state: str
    run: UUID
    who: str
    began_at: datetime.datetime
    done_at: datetime.datetime | None
    evidence: Mapping[str, Any]


def create(session: Session) -> None:
    """Create the removals' tables where they are not there; the journal is."""
    with session.transaction():
        session.execute("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('transhume removals', 0))")
        session.execute((files("runner.removals") / "removals.sql").read_bytes())


def phases(session: Session, project: str, removal: str) -> dict[int, Phase]:
    """The phases that were begun, by number; none where there is no journal."""
    if scalar(session, "SELECT pg_catalog.to_regclass('transhume.removal_phase')") is None:
        return {}
    query = """SELECT phase, state, run, who, began_at, done_at, evidence
               FROM transhume.removal_phase WHERE project = %s AND removal = %s"""
    with session.cursor(row_factory=class_row(Phase)) as cursor:
        return {row.phase: row for row in cursor.execute(query, (project, removal))}


def reached(found: Mapping[int, Phase]) -> int:
    """The last phase that was begun and not undone; 0 for none."""
    return max((phase for phase, row in found.items() if phase <= PURGE and row.state != "undone"), default=0)


def check_order(session: Session, plan: Plan, removal: Removal) -> None:
    """Refuse a phase whose turn it is not."""
    found = phases(session, plan.project, removal.name)
    last = reached(found)
    back = found.get(RESTORE)
    if removal.number == RESTORE:
        if last < DROP and (back is None or back.state != "done"):
            raise Refused(f"removal {removal.name} has dropped nothing yet", "`transhume restore` undoes its phases")
        return
    if back is not None and back.state == "running":
        raise Refused(f"removal {removal.name} is being restored", "`transhume restore` goes on with it")
    if last > removal.number:
        raise Refused(f"removal {removal.name} is in phase {last} already", "`transhume removals` shows where it is")
    before = found.get(removal.number - 1)
    if removal.number > 1 and (before is None or before.state != "done"):
        hint = f"`transhume apply {plan.project} --removal {removal.name} --phase {removal.number - 1}`"
        raise Refused(f"phase {removal.number - 1} of removal {removal.name} is not done", hint)


def check_undo(session: Session, plan: Plan, removal: Removal) -> None:
    """Refuse to undo a phase that another one stands on."""
    last = reached(phases(session, plan.project, removal.name))
    if last > removal.number:
        hint = f"`transhume restore {removal.name}` undoes them in their order"
        raise Refused(f"phase {last} of removal {removal.name} stands on phase {removal.number}", hint)


def begin(session: Session, plan: Plan, removal: Removal, run: Run) -> None:
    """A phase begins: in the caller's transaction, with its run. Phase 1 forgets what was undone before."""
    if removal.number == 1:
        prefix = f"{plan.project}/removals/{removal.name}/"
        query = """UPDATE transhume.run SET state = 'rolled back'
                   WHERE pg_catalog.starts_with(project, %s) AND state = 'done'"""
        session.execute(query, (prefix,))
    query = """INSERT INTO transhume.removal_phase (project, removal, phase, state, run, who)
               VALUES (%s, %s, %s, 'running', %s, %s)
               ON CONFLICT (project, removal, phase) DO UPDATE SET state = 'running', run = excluded.run,
                   who = excluded.who, began_at = clock_timestamp(), done_at = NULL, evidence = '{}'"""
    session.execute(query, (plan.project, removal.name, removal.number, run.run, events.who()))


def finish(session: Session, plan: Plan, removal: Removal) -> None:
    """A phase is done: in the caller's transaction. After the restore none of the others is any more."""
    query = """UPDATE transhume.removal_phase SET state = 'done', done_at = clock_timestamp(), evidence = %s::jsonb
               WHERE project = %s AND removal = %s AND phase = %s"""
    evidence = json.dumps(_evidence(session, plan, removal))
    session.execute(query, (evidence, plan.project, removal.name, removal.number))
    if removal.number == RESTORE:
        for number, name in PHASES.items():
            if number < RESTORE:
                undo(session, plan.project, removal.name, number, name)


def undo(session: Session, project: str, removal: str, number: int, phase: str) -> None:
    """A phase is undone: in the caller's transaction; its run is rolled back."""
    query = "UPDATE transhume.removal_phase SET state = 'undone' WHERE project = %s AND removal = %s AND phase = %s"
    session.execute(query, (project, removal, number))
    query = "UPDATE transhume.run SET state = 'rolled back' WHERE project = %s AND state IN ('done', 'open')"
    session.execute(query, (f"{project}/removals/{removal}/{phase}",))


def _evidence(session: Session, plan: Plan, removal: Removal) -> dict[str, Any]:
    """What a phase has shown, for whoever asks later."""
    values = (plan.project, removal.name)
    if removal.number == 1:
        query = """SELECT sum(c.loaded)::bigint FROM transhume.chunk AS c
                   JOIN transhume.removal_phase AS p ON p.run = c.run
                   WHERE p.project = %s AND p.removal = %s AND p.phase = 1"""
        dependents = "SELECT count(*) FROM transhume.removal_dependent WHERE project = %s AND removal = %s"
        found: dict[str, Any] = {"rows": scalar(session, query, values)}
        return {**found, "dependents": scalar(session, dependents, values)}
    if removal.number == DROP:
        query = """SELECT to_jsonb(f) - 'project' - 'removal' FROM transhume.removal_figure AS f
                   WHERE f.project = %s AND f.removal = %s ORDER BY f.measured_at DESC LIMIT 1"""
        return scalar(session, query, values) or {}
    if removal.number == PURGE:
        query = """SELECT to_jsonb(e) - 'project' - 'removal' - 'run' FROM transhume.removal_export AS e
                   WHERE e.project = %s AND e.removal = %s ORDER BY e.exported_at DESC LIMIT 1"""
        return scalar(session, query, values) or {}
    hits = "SELECT count(*) FROM transhume.guard_hit WHERE project = %s AND removal = %s"
    return {"guard_hits": scalar(session, hits, values)} if removal.number == 2 else {}
