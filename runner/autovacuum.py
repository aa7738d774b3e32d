"""Autovacuum, which comes to a table as soon as it is loaded, and holds what an index or a key needs to be built.

The server ends it for whoever waits longer than deadlock_timeout. The runner gives way before that, so that no
application is ever the victim of a deadlock with it: it would try again and again until its patience ends, and a vacuum
of a large table takes longer. A migration of 4.6 million rows lost ten seconds that way, in two runs of five. So where
autovacuum holds a table in a schema of the plan's, a partition perhaps, the runner waits that little longer.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.connect import Session

SHARE = 1.5  # of deadlock_timeout: by then the server has sent it away
_HELD = """SELECT 1 FROM pg_catalog.pg_locks
           WHERE locktype = 'relation' AND granted AND mode = 'ShareUpdateExclusiveLock' LIMIT 1"""
# A worker of autovacuum belongs to a database and to no role, which every role may see, unlike the name of what it is.
_OUTLAST = """
    SELECT pg_catalog.set_config('lock_timeout', (s.setting::integer * %s)::integer || 'ms', true)
    FROM pg_catalog.pg_settings AS s
    WHERE s.name = 'deadlock_timeout' AND EXISTS (
      SELECT FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
      JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      WHERE a.datname = pg_catalog.current_database() AND a.usesysid IS NULL
        AND l.locktype = 'relation' AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'
        AND c.relnamespace IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = ANY (%s)))"""


def outlast(session: Session, schemas: Sequence[str]) -> None:
    """Wait for locks longer than deadlock_timeout to the end of this transaction, if autovacuum is at work there.

    Whether anybody holds such a lock at all is asked first: that takes a third of the time, and was a tenth of what the
    server did for a migration of a hundred small tables.
    """
    if session.execute(_HELD).fetchone() is not None:
        session.execute(_OUTLAST, (SHARE, list(schemas)))
