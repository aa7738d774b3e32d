"""Who else gets the rows, or writes them: publications, subscriptions, replica identities, replication slots."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from runner.connect import Session
from runner.manifest import Plan
from runner.preflight.found import Found, bytes_text, listed, plain, split_name, split_names

PUBLISHED_SCHEMAS = 150000  # the first server that publishes whole schemas
PRIMARY_KEY = "PRIMARY KEY"


@dataclass(frozen=True, slots=True)
class Publication:
    """What one publication covers: everything, schemas, or tables; `rewrites`: it sends updates or deletes too."""

    name: str
    everything: bool
    rewrites: bool
    schemas: Sequence[str]
    tables: Sequence[str]

    def covers(self, name: str) -> bool:
        """Whether a table is published, or will be once it is there."""
        return self.everything or plain(name) in self.tables or split_name(name)[0] in self.schemas


def check_replication(plan: Plan, session: Session, existing: Sequence[str]) -> Iterator[Found]:
    """Publications and subscriptions of the target tables, and what becomes of their replica identity."""
    targets = [table.target for table in plan.tables]
    identities = {name: (kind, index) for name, kind, index in session.execute(IDENTITIES, split_names(existing))}
    publications = [found for found in _publications(session) if any(map(found.covers, targets))]
    for found in publications:
        names = [name for name in targets if found.covers(name)]
        what = f"the publication {found.name} sends every row of {listed(names)} to its subscribers"
        yield Found("target", what, "their servers take the load too", False)
    rewritten = [name for name in targets if any(found.rewrites and found.covers(name) for found in publications)]
    for name in rewritten:
        if not _identified(plan, name, *identities.get(name, ("d", None))):
            what = f"{name} is published and has no replica identity after the load"
            yield Found(
                "target", what, "the server refuses updates and deletes there until it has a primary key", False
            )
    for name, (kind, index) in identities.items():
        if kind == "i" and index and _drops(plan, name, index):
            advice = f"ALTER TABLE {name} REPLICA IDENTITY FULL first, and USING INDEX {index} after the run"
            yield Found("target", f"the plan drops {index}, which is the replica identity of {name}", advice)
    for subscription, names in session.execute(SUBSCRIPTIONS, split_names(existing)):
        what = f"the subscription {subscription} writes to {listed(names)}"
        yield Found("target", what, "ALTER SUBSCRIPTION ... DISABLE it, or the counts will not fit", False)


def check_slots(session: Session) -> Iterator[Found]:
    """Replication slots that nobody reads: all WAL of the load stays for them."""
    for name, retained, state in session.execute(SLOTS):
        if state in ("lost", None):
            continue
        what = f"nobody reads the replication slot {name}, which keeps {bytes_text(retained or 0)} of WAL"
        yield Found("target", what, "all WAL of the run stays too: drop the slot where it is not needed", False)


def _publications(session: Session) -> list[Publication]:
    schemas = _SCHEMAS if session.info.server_version >= PUBLISHED_SCHEMAS else "ARRAY[]::text[]"
    with session.cursor(row_factory=class_row(Publication)) as cursor:
        return cursor.execute(PUBLICATIONS.replace("PUBLISHED", schemas).encode()).fetchall()


def _identified(plan: Plan, table: str, kind: str, index: str | None) -> bool:
    """Whether a row of the table can be told after the load: by an identity of its own, or its primary key."""
    return kind == "f" or index is not None or any(PRIMARY_KEY in text for text in _texts(plan, table, "index"))


def _drops(plan: Plan, table: str, index: str) -> bool:
    named = re.compile(rf"(?<![\w$]){re.escape(index)}(?![\w$])")
    return any(named.search(text) for text in _texts(plan, table, "prepare"))


def _texts(plan: Plan, table: str, kind: str) -> Iterator[str]:
    """What the steps of that kind do to a table."""
    ids = {one.id for one in plan.tables if one.target == table}
    for step in plan.steps:
        if step.kind == kind and step.table in ids:
            yield from (section.text for section in plan.open(step).sections if section.name in ("apply", "build"))


_SCHEMAS = """ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_publication_namespace AS s
                      JOIN pg_catalog.pg_namespace AS n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)"""
PUBLICATIONS = """
    SELECT pg_catalog.quote_ident(p.pubname) AS name, p.puballtables AS everything,
           p.pubupdate OR p.pubdelete AS rewrites, PUBLISHED AS schemas,
           ARRAY(SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_publication_rel AS r
                 JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE r.prpubid = p.oid) AS tables
    FROM pg_catalog.pg_publication AS p
    ORDER BY p.pubname"""

_GIVEN = """
    FROM unnest(%(names)s::text[], %(schemas)s::text[], %(relations)s::text[]) AS g (name, nspname, relname)
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = g.nspname
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = g.relname"""

IDENTITIES = f"""
    SELECT g.name, c.relreplident::text, (
             SELECT pg_catalog.quote_ident(x.relname) FROM pg_catalog.pg_index AS i
             JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
             WHERE i.indrelid = c.oid
               AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'd' THEN i.indisprimary END)
    {_GIVEN}
    ORDER BY g.name"""

SUBSCRIPTIONS = f"""
    SELECT pg_catalog.quote_ident(s.subname), array_agg(g.name ORDER BY g.name)
    {_GIVEN}
    JOIN pg_catalog.pg_subscription_rel AS r ON r.srrelid = c.oid
    JOIN pg_catalog.pg_subscription AS s ON s.oid = r.srsubid
    WHERE s.subenabled
    GROUP BY s.subname"""

SLOTS = """
    SELECT pg_catalog.quote_ident(slot_name),
           pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                                           ELSE pg_catalog.pg_current_wal_lsn() END, restart_lsn)::bigint,
           wal_status
    FROM pg_catalog.pg_replication_slots
    WHERE NOT active AND NOT temporary
    ORDER BY slot_name"""
