"""The audit trail: who did what and when, each row carrying the hash of the row before it."""

from __future__ import annotations

import getpass
import os
import socket

from runner.connect import Session
from runner.journal import Run, scalar

# The text that is hashed: jsonb, so that no two rows have the same text.
_HASH = """pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    pg_catalog.jsonb_build_array(e.before, e.run, e.at, e.who, e.what, e.step, e.detail)::text, 'UTF8')), 'hex')"""


def who() -> str:
    """Who is at work, for people: user, machine, process id."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.geteuid())
    return f"{user}@{socket.gethostname()} process {os.getpid()}"


def append(session: Session, run: Run, what: str, step: str = "", detail: str = "") -> None:
    """Add to the trail, in the caller's READ COMMITTED transaction; until its end, others wait to add to this run's."""
    session.execute(
        "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(%s, 0))", (f"event {run.run}",)
    )
    query = f"""
        INSERT INTO transhume.event (run, at, who, what, step, detail, before, hash)
        SELECT e.run, e.at, e.who, e.what, e.step, e.detail, e.before, {_HASH}
        FROM (SELECT %(run)s::uuid AS run, clock_timestamp() AS at, %(who)s::text AS who, %(what)s::text AS what,
                     %(step)s::text AS step, %(detail)s::text AS detail,
                     coalesce((SELECT hash FROM transhume.event WHERE run = %(run)s ORDER BY event DESC LIMIT 1), '')
                     AS before OFFSET 0) AS e"""
    values = {"run": run.run, "who": who(), "what": what, "step": step, "detail": detail}
    session.execute(query.encode(), values)


def broken_link(session: Session, run: Run) -> int | None:
    """The first event of a run that was changed, or whose predecessor is gone; None for a trail that is whole."""
    query = f"""
        SELECT min(e.event) FROM (
            SELECT *, lag(hash, 1, '') OVER (ORDER BY event) AS previous FROM transhume.event WHERE run = %s) AS e
        WHERE e.before <> e.previous OR e.hash <> {_HASH}"""
    found = scalar(session, query, (run.run,))
    return None if found is None else int(found)
