"""The indexes that a table has in the end: its primary key, those that the spec asks for, or those it had before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from compiler.bound import BoundIndex
from compiler.catalog import IndexEntry, Key, Relation
from compiler.names import Name
from compiler.spec import Duplicates, Index, Partition, Table, Word
from compiler.sql import Sql, fits, ident, names, qname

Condition = Callable[[Word], Sql]


def indexes_of_created(table: Table, target: Name, condition: Condition) -> Iterator[BoundIndex]:
    """The primary key, then the spec's indexes; `condition` makes SQL of an index's `where`.

    The primary key of a partitioned table has the partition column in it, because PostgreSQL wants it there.
    """
    key = primary_key(tuple(word.text for word in table.key), table.partition)
    if key:
        yield _primary_key(target, key)
    for index in table.indexes:
        yield _asked_for(index, target, condition)


def primary_key(key: tuple[str, ...], partition: Partition | None) -> tuple[str, ...]:
    """The columns of the primary key."""
    if not key or partition is None or partition.on.text in key:
        return key
    return (*key, partition.on.text)


def indexes_of_existing(table: Table, existing: Relation) -> Iterator[BoundIndex]:
    """The indexes of an existing table as its catalog has them.

    `duplicates` of a unique one is that of the spec's index over the same columns, else `reject`.
    """
    relation = qname(existing.schema, existing.name)
    asked = {frozenset(word.text for word in index.columns): index.duplicates for index in table.indexes}
    keys = (*((existing.primary_key,) if existing.primary_key else ()), *existing.unique)
    for key in keys:
        yield _constraint(relation, key.name, key.definition, key, asked.get(frozenset(key.columns), "reject"))
    for exclusion in existing.exclusions:
        yield _constraint(relation, exclusion.name, exclusion.definition, None, "fail")
    for entry in existing.indexes:
        spoken = next((index for index in table.indexes if is_meant(index, entry)), None)
        yield _entry(existing.schema, entry, spoken)


def is_meant(index: Index, entry: IndexEntry) -> bool:
    """Whether the spec speaks of that index of an existing table: by its name, or by its columns."""
    named = index.name is not None and index.name.text == entry.name
    return named or (bool(entry.columns) and {word.text for word in index.columns} == set(entry.columns))


def index_name(index: Index, target: Name) -> str:
    """The name that the spec gives, or `<table>_<columns>_idx`, `_key` where it is unique."""
    if index.name is not None:
        return index.name.text
    columns = "_".join(word.text for word in index.columns)
    return fits(f"{target.name}_{columns}_{'key' if index.unique else 'idx'}")


def _primary_key(target: Name, key: tuple[str, ...]) -> BoundIndex:
    relation = qname(target.schema, target.name)
    name = fits(f"{target.name}_pkey")
    add = f"ALTER TABLE {relation} ADD CONSTRAINT {ident(name)} PRIMARY KEY ({names(key)})"
    drop = f"ALTER TABLE {relation} DROP CONSTRAINT IF EXISTS {ident(name)}"
    return BoundIndex(name, Sql(add), Sql(drop), True, key, None, "reject", True, None)


def _asked_for(index: Index, target: Name, condition: Condition) -> BoundIndex:
    relation, name = qname(target.schema, target.name), index_name(index, target)
    columns = tuple(word.text for word in index.columns)
    where = condition(index.where) if index.where else None
    text = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {ident(name)} ON {relation}"
    text += f" USING {ident(index.using.text)}" if index.using else ""
    text += f" ({names(columns)})" + (f" WHERE {where}" if where else "")
    drop = Sql(f"DROP INDEX IF EXISTS {qname(target.schema, name)}")
    return BoundIndex(
        name, Sql(text), drop, index.unique, columns, where, index.duplicates, True, index.span,
        index.concurrently is not None,
    )  # fmt: skip


def _constraint(relation: Sql, name: str, definition: str, key: Key | None, duplicates: Duplicates) -> BoundIndex:
    add = Sql(f"ALTER TABLE {relation} ADD CONSTRAINT {ident(name)} {definition}")
    drop = Sql(f"ALTER TABLE {relation} DROP CONSTRAINT IF EXISTS {ident(name)}")
    columns = key.columns if key else ()
    distinct = "NULLS NOT DISTINCT" not in definition
    return BoundIndex(name, add, drop, key is not None, columns, None, duplicates, distinct, None)


def _entry(schema: str, entry: IndexEntry, asked: Index | None) -> BoundIndex:
    duplicates: Duplicates = asked.duplicates if asked else "reject"
    concurrently = asked is not None and asked.concurrently is not None
    distinct = "NULLS NOT DISTINCT" not in entry.definition
    drop = Sql(f"DROP INDEX IF EXISTS {qname(schema, entry.name)}")
    return BoundIndex(
        entry.name, Sql(entry.definition), drop, entry.unique, entry.columns, None, duplicates, distinct, None,
        concurrently,
    )  # fmt: skip
