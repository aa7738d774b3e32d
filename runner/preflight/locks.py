"""Prepared transactions: nobody is there to end them, and they keep their locks and hold vacuum back."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from runner.connect import Session
from runner.preflight.found import Found, listed, plain
from runner.sections import Side

EXCLUSIVE = "AccessExclusiveLock"


def check_prepared(side: Side, session: Session, names: Collection[str]) -> Iterator[Found]:
    """Those that lock one of the relations `names`, or the journal, refuse; the others are told.

    In the source only a lock that keeps readers out is in the way.
    """
    wanted = {plain(name) for name in names}
    for gid, since, locked, modes in session.execute(PREPARED):
        held = {name for name, mode in zip(locked, modes, strict=True) if side == "target" or mode == EXCLUSIVE}
        waits = sorted(name for name in held if name in wanted or name.startswith("transhume."))
        if waits:
            what, advice = f"locks {listed(waits)}", "COMMIT PREPARED or ROLLBACK PREPARED ends it"
        else:
            what, advice = f"holds vacuum back since {since}", "is its coordinator still there?"
        yield Found(side, f'the prepared transaction "{gid}" in the {side} {what}', advice, bool(waits))


PREPARED = """
    SELECT p.gid, pg_catalog.to_char(p.prepared, 'YYYY-MM-DD HH24:MI TZ'),
           coalesce(array_agg(l.name ORDER BY l.name) FILTER (WHERE l.name IS NOT NULL), '{}'),
           coalesce(array_agg(l.mode ORDER BY l.name) FILTER (WHERE l.name IS NOT NULL), '{}')
    FROM pg_catalog.pg_prepared_xacts AS p
    LEFT JOIN (
      SELECT x.transactionid, n.nspname || '.' || c.relname AS name, l.mode
      FROM pg_catalog.pg_locks AS x  -- its own number is locked under the virtual transaction of its other locks
      JOIN pg_catalog.pg_locks AS l ON l.virtualtransaction = x.virtualtransaction AND l.pid IS NULL
      JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE x.locktype = 'transactionid' AND x.pid IS NULL AND l.locktype = 'relation'
    ) AS l ON l.transactionid = p.transaction
    WHERE p.database = current_database()
    GROUP BY p.gid, p.prepared
    ORDER BY p.gid"""
