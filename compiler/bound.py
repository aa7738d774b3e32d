"""What `resolve` makes of the specs: every name means something in the catalogs, every value is SQL.

In all SQL here `s` is the source row (columns under their source names, travelling as their `wire` types), `h` the hashed
names of derived ids, `m_<column>` a looked-up row of a map table. The same expressions run over the stage on the
target, over the source table where both are one database, and, without lookups, on the source for the checksum.
"""

from dataclasses import dataclass
from typing import Literal

from compiler.catalog import Catalog, Relation
from compiler.diagnostics import Diagnostic, Span
from compiler.names import Name as Name
from compiler.spec import Comparison, Duplicates, Missing, Partition, Project
from compiler.sql import Sql


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column that is read. `wire` is the type it travels as: itself if built in, a domain's base type, else text."""

    name: str
    type: str
    wire: str
    null: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """What a row must satisfy to be loaded. `ok` never raises; NULL counts as failing. `reason` is shown to people."""

    column: str
    ok: Sql
    reason: str
    sqlstate: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A LEFT JOIN of map table `map_of` under `alias`; `match` pairs map columns with expressions over `s`."""

    alias: str
    map_of: str
    match: tuple[tuple[str, Sql], ...]


@dataclass(frozen=True, slots=True)
class BoundReference:
    """A column that refers to another migrated table's key.

    `derived`: the value is computed from `by`, nothing is looked up. `constrained`: a foreign key is added; `why_not`
    says why it cannot be (the referenced table is partitioned, say).
    """

    table: str
    column: str
    by: tuple[str, ...]
    missing: Missing
    derived: bool
    constrained: bool = True
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class BoundColumn:
    """One target column.

    `value` is over `s`, `h` and lookups and has the built-in type `wire`; where `type` is not built in, the load casts
    `value` to `type`. `hashed` is the bytea expression under the id in lateral `h` (column `h.<name>` is its md5 in
    hex); None where nothing is derived. `comparable` is the value as the source itself can compute it, of type
    `wire`; None where it cannot, and `incomparable` says why. `copies` names the source column that it keeps as it is.
    `generated` columns are not written.
    """

    name: str
    type: str
    null: bool
    value: Sql
    wire: str
    hashed: Sql | None
    comparable: Sql | None
    incomparable: str
    copies: str
    guards: tuple[Guard, ...]
    reference: BoundReference | None
    lookup: Lookup | None
    identity: bool
    span: Span


@dataclass(frozen=True, slots=True)
class MapTable:
    """transhume.map_<id>: the source key and what references look rows up by, as source columns, beside the new key.

    `legacy` are source columns (stored as `legacy_<name>`), the first `len(keyset)` of them the keyset; `lookups` the
    sets of them that references match on; `key` are target key columns, stored under their own names.
    """

    legacy: tuple[SourceColumn, ...]
    lookups: tuple[tuple[str, ...], ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoundIndex:
    """An index to build after the load, and what becomes of duplicates where it is unique.

    `definition` is the whole CREATE INDEX or ALTER TABLE ... ADD CONSTRAINT statement; `columns` is empty where the
    index is over expressions. `drop` undoes it. `not_null` columns must all be set for two rows to be duplicates.
    """

    name: str
    definition: Sql
    drop: Sql
    unique: bool
    columns: tuple[str, ...]
    where: Sql | None
    duplicates: Duplicates
    nulls_distinct: bool
    span: Span | None


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A target table with everything known about it.

    `id` is its name in step ids. `relation` is the source relation, None where `query` (a checked SELECT) stands in for
    it. `keyset` pages through the source: unique together, never null; empty where there is no such key. `legacy_key`
    tells, for each keyset column, the target column that keeps it, all of them or none (then the map table does).
    `existing` is the target's relation where `create` is false.
    """

    id: str
    target: Name
    source: Name | None
    relation: Relation | None
    query: Sql | None
    keyset: tuple[SourceColumn, ...]
    reads: tuple[SourceColumn, ...]
    columns: tuple[BoundColumn, ...]
    key: tuple[str, ...]
    legacy_key: tuple[str, ...]
    where: Sql | None
    map_table: MapTable | None
    indexes: tuple[BoundIndex, ...]
    checks: tuple[tuple[str, Sql], ...]
    partition: Partition | None
    verify: tuple[Comparison, ...]
    after: tuple[str, ...]
    rows: int
    rejected: str
    chunk: tuple[int, int]
    create: bool
    existing: Relation | None
    sequences: tuple[tuple[str, Name], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class NewType:
    """A type of the source that the created tables use and the target lacks: an enum, a domain or a composite."""

    name: Name
    definition: Sql
    origin: Name


@dataclass(frozen=True, slots=True)
class Resolved:
    """The whole project; `warnings` are shown and do not stop the plan. `tables` in file-name order until `order` sorts them."""

    project: Project
    source: Catalog
    target: Catalog
    databases: Literal[1, 2]
    tables: tuple[BoundTable, ...]
    types: tuple[NewType, ...]
    schemas: tuple[str, ...]
    warnings: tuple[Diagnostic, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """`tables` in load order; `circles` are the sets of two or more tables (or one that refers to itself) that refer to each other."""

    resolved: Resolved
    tables: tuple[BoundTable, ...]
    circles: tuple[tuple[str, ...], ...]


