"""The throttle: what makes a run wait for the systems that live beside it, and how long a lane sleeps for its rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner import control, fence
from runner.connect import Session
from runner.errors import Refused
from runner.journal import Run, scalar

RELEASE = 0.8  # of a bound: a held run goes on below it, so that it does not stop and go at the bound
SHOWN = 2  # waiting sessions that are named

# What sends a base backup or only keeps the log has no replay_lsn, and does not count.
LAG = """
    SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), r.replay_lsn) AS lag,
           CASE WHEN s.slot_type = 'logical' THEN 'subscriber' ELSE 'standby' END AS kind,
           coalesce(nullif(r.application_name, ''), 'process ' || r.pid) AS name
    FROM pg_catalog.pg_stat_replication AS r LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.active_pid = r.pid
    WHERE r.replay_lsn IS NOT NULL ORDER BY lag DESC LIMIT 1"""
# Of pg_locks every role sees all rows, of pg_stat_activity's wait_event only its own. Who waits for an advisory lock
# waits for another program, often for days.
WAITERS = """
    SELECT 'process ' || a.pid || ' (' || coalesce(nullif(a.application_name, ''), a.usename, 'unnamed') || ')' AS name,
           EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS b
                   WHERE b.application_name = %(ours)s AND b.pid = ANY (pg_catalog.pg_blocking_pids(a.pid))) AS blocked
    FROM pg_catalog.pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.application_name <> %(ours)s
      AND coalesce(a.backend_type, 'client backend') = 'client backend'
      AND EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                  WHERE l.pid = a.pid AND NOT l.granted AND l.locktype <> 'advisory')
    ORDER BY blocked DESC, a.pid"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Beyond what a run waits, None for no bound.

    `lag` is bytes of log that a standby or subscriber of the target has not replayed; `waiters` sessions of others that
    wait for locks in the target; `rate` rows a second over all lanes.
    """

    lag: int | None = None
    waiters: int | None = None
    rate: float | None = None


UNBOUNDED = Bounds()


def check(session: Session, bounds: Bounds) -> None:
    """Refuse a bound that could never be seen to be passed, because the role is not shown the standbys."""
    query = "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"
    if bounds.lag is not None and not scalar(session, query):
        raise Refused(
            "the role may not see the replication lag of the target, which has a bound",
            "GRANT pg_read_all_stats to it, or leave --max-lag out",
        )


def reason(session: Session, run: Run, bounds: Bounds) -> str | None:
    """Why the run has to wait, asked on the target: the figure, the bound, and who; None where it may go on.

    A run that is held, as the journal says, is so until it is below RELEASE of every bound.
    """
    if bounds.lag is None and bounds.waiters is None:
        return None
    held = control.read(session, run).hold is not None
    return _lagging(session, bounds.lag, held) or _waiting(session, run, bounds.waiters, held)


def wait_for_rate(rows: int, seconds_taken: float, rate: float | None) -> float:
    """How many seconds a lane sleeps that has moved so many rows, so that it moves `rate` a second; 0 for no limit."""
    return 0.0 if rate is None else max(0.0, rows / rate - seconds_taken)


def _lagging(session: Session, bound: int | None, held: bool) -> str | None:
    if bound is None or (found := session.execute(LAG).fetchone()) is None:
        return None
    lag, kind, name = found
    if (passed := _passed(lag, bound, held)) is None:
        return None
    edge, where = passed
    lag_text, edge_text = (scalar(session, "SELECT pg_catalog.pg_size_pretty(%s::numeric)", (n,)) for n in (lag, edge))
    return f'replication lag {lag_text} of {kind} "{name}" is past {edge_text}{where}'


def _waiting(session: Session, run: Run, bound: int | None, held: bool) -> str | None:
    if bound is None:
        return None
    found = session.execute(WAITERS.encode(), {"ours": fence.application(run)}).fetchall()
    if blocked := [name for name, by_us in found if by_us]:
        return f"{_sessions(blocked)} for a lock of this run: {_names(blocked)}"
    if (passed := _passed(len(found), bound, held)) is None:
        return None
    edge, where = passed
    names = [name for name, _ in found]
    return f"{_sessions(names)} for locks on the target, the bound is {edge}{where}: {_names(names)}"


def _passed(figure: int, bound: int, held: bool) -> tuple[int, str] | None:
    """Which edge the figure is past: the bound, or the one below it where a held run goes on."""
    if figure > bound:
        return bound, ""
    edge = int(bound * RELEASE)
    return (edge, ", where a held run goes on") if held and figure > edge else None


def _sessions(names: Sequence[str]) -> str:
    return "1 session waits" if len(names) == 1 else f"{len(names)} sessions wait"


def _names(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
