"""A table that the project's own plan makes, as a catalog will have it: a removal may be about it before that."""

import re

from compiler.bound import BoundIndex, BoundTable
from compiler.catalog import Column, IndexEntry, Key, Relation

_ADDED = re.compile(r"ALTER TABLE .* ADD CONSTRAINT \S+ (PRIMARY KEY|UNIQUE)")


def made(table: BoundTable) -> Relation:
    """The relation that the plan makes of a table."""
    keys = [_key(index) for index in table.indexes if _ADDED.match(index.definition)]
    primary = [key for key in keys if key.definition.startswith("PRIMARY KEY")]
    return Relation(
        schema=table.target.schema,
        name=table.target.name,
        kind="partitioned table" if table.partition else "table",
        rows=table.rows,
        definition=None,
        columns=tuple(
            Column(one.name, one.type, one.null, None, "by default" if one.identity else None, None, one.collation)
            for one in table.columns
        ),
        primary_key=primary[0] if primary else None,
        unique=tuple(key for key in keys if key not in primary),
        exclusions=(),
        foreign_keys=(),
        checks=(),
        indexes=tuple(_index(index) for index in table.indexes if not _ADDED.match(index.definition)),
        sequences=table.sequences,
        partition_by=table.partition.on.text if table.partition else None,
        partition_bound=None,
        parents=(),
        children=(),
        triggers=(),
        trigger_states=(),
        row_security=False,
        dependents=(),
        fingerprint="",
    )


def _key(index: BoundIndex) -> Key:
    definition = str(index.definition).rstrip(";").partition("ADD CONSTRAINT ")[2]
    found = re.search(r"(PRIMARY KEY|UNIQUE).*", definition)
    return Key(index.name, index.columns, found[0] if found else definition)


def _index(index: BoundIndex) -> IndexEntry:
    return IndexEntry(index.name, index.columns, index.unique, str(index.definition).rstrip(";"))
