"""Whether the target has room: what the load needs, tablespace by tablespace, against what is free.

No SQL function tells how much of a disk is free. Where the server's own process is seen on this machine, the file
system is asked; elsewhere the operator says it in TRANSHUME_FREE_SPACE, or is told what the load needs.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from psycopg.rows import class_row

from runner.connect import Session
from runner.errors import USAGE, RunnerError
from runner.manifest import Plan
from runner.preflight.facts import Facts
from runner.preflight.found import Found, bytes_text, split_names
from runner.units import size

FREE_SPACE = "TRANSHUME_FREE_SPACE"
# A target row has a key of 16 bytes for one of 4, and a copy of the legacy key: rows of 60 bytes grew by 1.4.
# The plan may have indexes that the source has not: an entry of a uuid takes 32 bytes, one of an e-mail address 45.
TABLE_GROWTH, INDEX_GROWTH, ENTRY = 1.5, 1.6, 40
# The rows of a hierarchy are kept until they are loaded, and beside them links of 75 and nodes of 110 bytes a row.
PLACED = 200
WORTH_TELLING = 2**30  # bytes; less than that is on every server


@dataclass(frozen=True, slots=True)
class Size:
    """A relation with all its partitions, in bytes; `rows` by the server's statistics, `tablespace` of its own."""

    name: str
    tables: int
    indexes: int
    rows: float
    tablespace: str | None


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a load still needs in one place; `what` says for what."""

    place: str
    what: str
    size: int


def check_space(
    plan: Plan, source: Session, target: Session, facts: Facts, unread_slots: bool, env: Mapping[str, str]
) -> Iterator[Found]:
    """A shortage refuses; what cannot be compared is told. Raises RunnerError where the operator's word is no size."""
    needs = needed(plan, source, target, facts, unread_slots)
    total = sum(need.size for need in needs)
    told = f"the load needs about {bytes_text(total)} ({_listed(needs)})"
    if word := env.get(FREE_SPACE):
        if (said := _size(word)) < total:
            yield Found("target", f"{told}, and {FREE_SPACE} says that {bytes_text(said)} are free", "make room")
        return
    free = _free(target, facts, needs)
    for left, here in free.values():
        wanted = sum(need.size for need in here)
        if left < wanted:
            what = f"the load needs about {bytes_text(wanted)} ({_listed(here)}), and {bytes_text(left)} are free there"
            yield Found("target", what, f"make room, or {FREE_SPACE} says how much there is")
    if not free and total > WORTH_TELLING:
        yield Found("target", told, f"{FREE_SPACE}=200GB, say, has the run compare it with what is free", False)


def needed(plan: Plan, source: Session, target: Session, facts: Facts, unread_slots: bool) -> list[Need]:
    """What the load still needs: tables and indexes of each tablespace, less what is there already, and WAL."""
    names = [relation.relation for relation in plan.relations if relation.database == "source"]
    sizes = {found.name: found for found in _sizes(source, names)}
    there = {found.name: found for found in _sizes(target, [table.target for table in plan.tables])}
    default = _default_tablespace(target)
    built = {step.table: len(plan.open(step).all("build")) for step in plan.steps if step.kind == "index"}
    hung = {step.table for step in plan.steps if step.kind == "tree"}
    tables, indexes, kept = Counter[str](), Counter[str](), 0
    for table in plan.tables:
        heap, index = _expected(sizes, table.source, table.rows)
        rows = max(sizes[table.source].rows if table.source in sizes else 0, table.rows)
        index = max(index * INDEX_GROWTH, rows * ENTRY * built.get(table.id, 0))
        now = there.get(table.target)
        place = (now.tablespace if now else None) or default
        tables[place] += max(0, int(heap * TABLE_GROWTH) - (now.tables if now else 0))
        indexes[place] += max(0, int(index) - (now.indexes if now else 0))
        if table.id in hung and (now is None or now.tables < heap):
            kept += int(heap + rows * PLACED)
    needs = [Need(place, f"tables in {place}", tables[place]) for place in tables]
    needs += [Need(place, f"indexes in {place}", indexes[place]) for place in indexes]
    needs += [Need(default, f"rows kept in {default}", kept)] if kept else []
    written = sum(tables.values()) + sum(indexes.values())
    return [*needs, Need("", "WAL", int(min(written, most_wal(facts, unread_slots))))]


def _expected(sizes: Mapping[str, Size], source: str, rows: int) -> tuple[float, float]:
    """Bytes of a table and of its indexes, as the source has them; of a query by its rows, as wide as the source's."""
    if found := sizes.get(source):
        return found.tables, found.indexes
    every = max(1.0, sum(found.rows for found in sizes.values()))
    share = rows / every
    return (
        share * sum(found.tables for found in sizes.values()),
        share * sum(found.indexes for found in sizes.values()),
    )


def most_wal(facts: Facts, unread_slots: bool) -> float:
    """Bytes of WAL that stay: what the server lets stand between checkpoints, and what slots that nobody reads keep."""
    kept = facts.number("max_slot_wal_keep_size")
    if unread_slots and kept < 0:
        return math.inf
    return (facts.number("max_wal_size") + (kept if unread_slots else 0)) * 2**20


def _free(session: Session, facts: Facts, needs: Sequence[Need]) -> dict[int, tuple[int, list[Need]]]:
    """What is free on each file system that the load needs, and for what; nothing where that cannot be seen."""
    data = facts.settings.get("data_directory")
    if not data or not is_here(session):
        return {}
    places = {**dict(session.execute(TABLESPACES).fetchall()), "": str(Path(data) / "pg_wal")}
    free: dict[int, tuple[int, list[Need]]] = {}
    for need in needs:
        try:
            path = _reachable(Path(places.get(need.place) or data), Path(data))
            device, disk = path.stat().st_dev, os.statvfs(path)
        except OSError:
            return {}
        _, here = free.setdefault(device, (disk.f_bavail * disk.f_frsize, []))
        here.append(need)
    return free


def _reachable(path: Path, data: Path) -> Path:
    """The path, or the data directory, where only the server may look into that."""
    try:
        path.stat()
    except PermissionError:
        return data
    return path


def is_here(session: Session) -> bool:
    """Whether the server's process for this session is one of this machine: a tunnel's, or a container's, is not."""
    try:
        process = psutil.Process(session.info.backend_pid)
        return process.name().startswith("postgres") and session.info.dbname in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _size(word: str) -> int:
    try:
        return size(word.replace(" ", ""))
    except ValueError:
        raise RunnerError(f"{FREE_SPACE} is no size: {word}", "it reads 200GB, or 500MB", USAGE) from None


def _listed(needs: Sequence[Need]) -> str:
    return ", ".join(f"{need.what} {bytes_text(need.size)}" for need in needs)


def _sizes(session: Session, names: Sequence[str]) -> list[Size]:
    with session.cursor(row_factory=class_row(Size)) as cursor:
        return cursor.execute(SIZES, split_names(names)).fetchall()


def _default_tablespace(session: Session) -> str:
    row = session.execute(DEFAULT_TABLESPACE).fetchone()
    return str(row[0]) if row else ""


SIZES = """
    WITH RECURSIVE member (name, root, oid) AS (
      SELECT g.name, c.oid, c.oid
      FROM unnest(%(names)s::text[], %(schemas)s::text[], %(relations)s::text[]) AS g (name, nspname, relname)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = g.nspname
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = g.relname AND c.relkind IN ('r', 'p', 'm')
      UNION ALL
      SELECT m.name, m.root, i.inhrelid FROM member AS m JOIN pg_catalog.pg_inherits AS i ON i.inhparent = m.oid
    )
    SELECT m.name, sum(pg_catalog.pg_table_size(m.oid))::bigint AS tables,
           sum(pg_catalog.pg_indexes_size(m.oid))::bigint AS indexes, sum(greatest(c.reltuples, 0))::float8 AS rows,
           (SELECT t.spcname::text FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_tablespace AS t
              ON t.oid = r.reltablespace WHERE r.oid = m.root) AS tablespace
    FROM member AS m JOIN pg_catalog.pg_class AS c ON c.oid = m.oid
    GROUP BY m.name, m.root"""

# Those inside of the data directory have no location.
TABLESPACES = """
    SELECT spcname::text, pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace"""

DEFAULT_TABLESPACE = """
    SELECT coalesce(nullif(pg_catalog.current_setting('default_tablespace'), ''), t.spcname::text)
    FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace
    WHERE d.datname = current_database()"""
