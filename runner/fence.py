"""One runner at a time: an epoch that each change locks is what holds, an advisory lock the friendly early answer."""

from __future__ import annotations

import time

from psycopg.rows import class_row

from runner.connect import Session
from runner.errors import Fenced, Refused
from runner.journal import RUN_COLUMNS, Run, scalar

POLL = 0.1  # seconds; a *waiting* advisory lock would deadlock with CREATE INDEX CONCURRENTLY
LOCK_PATIENCE = 2.0  # seconds for the backends of a runner that was just killed to notice
ORPHAN_PATIENCE = 30.0


def application(run: Run) -> str:
    """The application_name of every session of a run, by which its orphans are found."""
    return f"transhume:{run.run}"


def hold(session: Session, run: Run) -> None:
    """Lock the run under this runner's epoch until the transaction ends. Raises Fenced."""
    query = "SELECT 1 FROM transhume.run WHERE run = %s AND epoch = %s FOR SHARE"
    if session.execute(query, (run.run, run.epoch)).fetchone() is None:
        raise Fenced("another runner has taken this run over", "let it finish; `transhume status` shows how far it is")


def take_over(session: Session, run: Run, owner: str) -> Run:
    """Become the run's one runner: the next epoch. Waits for the change in flight of the runner before."""
    query = f"UPDATE transhume.run SET epoch = epoch + 1, owner = %s WHERE run = %s RETURNING {RUN_COLUMNS}"
    with session.cursor(row_factory=class_row(Run)) as cursor:
        row = cursor.execute(query, (owner, run.run)).fetchone()
    if row is None:
        raise Refused("the run is not in the journal any more")
    return row


def lock(session: Session, project: str) -> None:
    """Take the project's advisory lock for as long as the session lives. Raises Refused, saying who has it."""
    deadline = time.monotonic() + LOCK_PATIENCE
    query = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended(%s, 0))"
    while not scalar(session, query, (_lock_name(project),)):
        if time.monotonic() > deadline:
            raise Refused(
                f"another runner is at work on project {project}: {holder(session, project) or 'unknown'}",
                "`transhume status` shows how far it is",
            )
        time.sleep(POLL)


def holder(session: Session, project: str) -> str | None:
    """Who has the project's lock: the owner in the journal, and since when; None where nobody has it."""
    query = """
        SELECT coalesce((SELECT r.owner FROM transhume.run AS r WHERE a.application_name = 'transhume:' || r.run),
                        a.application_name) || ', since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
               || ', server process ' || a.pid
        FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
          AND (l.classid::bigint << 32) | l.objid::bigint = pg_catalog.hashtextextended(%s, 0)"""
    found = scalar(session, query, (_lock_name(project),))
    return None if found is None else str(found)


def end_orphans(session: Session, run: Run) -> int:
    """End what a killed runner of this run left at work in the server, and wait until it is gone; how many there were.

    Call it with the advisory lock held: no live runner has these sessions then.
    """
    query = """SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
               WHERE application_name = %s AND pid <> pg_catalog.pg_backend_pid()"""
    name, ended = application(run), 0
    deadline = time.monotonic() + ORPHAN_PATIENCE
    while left := int(scalar(session, query, (name,))):
        ended = max(ended, left)
        if time.monotonic() > deadline:
            raise Refused(f"{left} sessions of the runner before do not end", f"they have the application name {name}")
        time.sleep(POLL)
    return ended


def _lock_name(project: str) -> str:
    return f"transhume {project}"
