"""What `transhume removals` shows: every removal, the phase it is in, what it waits for, and until when."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner import fence, journal
from runner.connect import Session
from runner.manifest import PHASES, RESTORE, Plan, read_plan
from runner.removals import state
from runner.removals.state import Phase


@dataclass(frozen=True, slots=True)
class Listed:
    """One removal. `waits` says what the next phase waits for, `until` when that is, None where that is now."""

    name: str
    on: str
    what: str
    phase: int
    state: str
    since: datetime.datetime | None
    who: str
    waits: str
    until: datetime.datetime | None
    at_work: str | None


def removals_of(folder: Path) -> Iterator[Path]:
    """The folders of the removals in a project's plan."""
    yield from (path for path in sorted((folder / "removals").glob("*")) if (path / PHASES[RESTORE]).is_dir())


def listed(session: Session, plan: Plan) -> Listed:
    """Where a removal is; `plan` is that of its drop, which knows how long it soaks."""
    removal = plan.removal
    assert removal is not None
    found = state.phases(session, plan.project, removal.name)
    now: datetime.datetime = journal.scalar(session, "SELECT clock_timestamp()")
    last, back = state.reached(found), found.get(RESTORE)
    columns = f" ({', '.join(removal.columns)})" if removal.columns else ""
    row = back if last == 0 and back is not None else found.get(last)
    if back is not None and back.state == "running":
        last, row = RESTORE, back
    waits, until = _waits(plan, found, last, now, session)
    return Listed(
        removal.name, removal.on, f"{removal.table}{columns}", last, _state(last, row),
        (row.done_at or row.began_at) if row else None, row.who if row else "", waits, until,
        fence.holder(session, plan.lock_name) if found else None,
    )  # fmt: skip


def _state(last: int, row: Phase | None) -> str:
    if row is None:
        return "not begun"
    if last == 0:
        return "restored"
    name = PHASES[last].partition("-")[2] or PHASES[last]
    return f"{name} {'done' if row.state == 'done' else 'begun'}"


def _waits(
    plan: Plan, found: Mapping[int, Phase], last: int, now: datetime.datetime, session: Session
) -> tuple[str, datetime.datetime | None]:  # fmt: skip
    """What is next, and from when on it may be done."""
    removal = plan.removal
    assert removal is not None
    if last == RESTORE:
        return "`transhume restore` to go on", None
    if last and found[last].state != "done":
        return f"phase {last} to go on: {_failed(session, found[last])}", None
    if last == state.PURGE:
        return "nothing: it is over", None
    until = _until(removal.soak if last == 2 else removal.retain, found.get(last)) if last in (2, 3) else None
    if last == 2 and removal.not_before:
        day = datetime.datetime.fromisoformat(removal.not_before).replace(tzinfo=datetime.timezone.utc)  # noqa: UP017
        until = max(until, day) if until else day
    what = {0: "phase 1", 1: "phase 2", 2: "its soak, then phase 3", 3: "its retention, then phase 4"}[last]
    if until is not None and until <= now:
        return f"phase {last + 1}", None
    return what, until


def _until(seconds: float, row: Phase | None) -> datetime.datetime | None:
    return row.done_at + datetime.timedelta(seconds=seconds) if row and row.done_at else None


def _failed(session: Session, row: Phase) -> str:
    query = "SELECT step || ': ' || error FROM transhume.step WHERE run = %s AND error IS NOT NULL LIMIT 1"
    return str(journal.scalar(session, query, (row.run,)) or "it was interrupted, or is at work")


def drop_plan(folder: Path) -> Plan:
    """The plan of a removal's drop."""
    return read_plan(folder / PHASES[state.DROP])
