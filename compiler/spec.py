"""What the author wrote: projects, tables and mappings, frozen, each with its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from compiler.diagnostics import Span

if TYPE_CHECKING:
    from compiler.removals.spec import Removal

Missing = Literal["reject", "null", "fail"]
Duplicates = Literal["reject", "first", "fail"]
Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Word:
    """A name, a type or an expression as written, and where it stands.

    `pieces` tell where a text goes on that does not stand in `span` character for character (quotes, several lines):
    from that offset on it stands at that place.
    """

    text: str
    span: Span
    pieces: tuple[tuple[int, Span], ...] = ()

    def __str__(self) -> str:
        return self.text

    def at(self, offset: int, length: int = 1) -> Span:
        """The place of the `length` characters of `text` from `offset` on, as far as they stand on one line."""
        start, span = max((piece for piece in self.pieces if piece[0] <= offset), default=(0, self.span), key=_offset)
        column = min(span.column + offset - start, len(span.text) + 1)
        return Span(span.file, span.line, column, max(1, min(length, len(span.text) + 1 - column)), span.text)


def _offset(piece: tuple[int, Span]) -> int:
    return piece[0]


@dataclass(frozen=True, slots=True)
class Database:
    """One side of the move. `env` names the variable that holds its URL; `time_zone` is that of its zoneless times."""

    env: str
    schema: str
    time_zone: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ids:
    """How keys are derived: RFC 9562 name-based UUIDs, version 3 (MD5, core SQL) or 5 (SHA-1, needs uuid-ossp)."""

    namespace: UUID
    version: Literal[3, 5]
    span: Span


@dataclass(frozen=True, slots=True)
class Reason:
    """A name and why: a skipped table, a dropped column, a protected `table.column`."""

    name: Word
    because: str


@dataclass(frozen=True, slots=True)
class Limits:
    """As written: `window` and `lock_timeout` are durations, `memory` a size, `rejected` a share or a count, or "".

    "" says that only the tables have limits.
    """

    window: str = "4h"
    rejected: str = ""
    memory: str = "512MB"
    lock_timeout: str = "2s"


@dataclass(frozen=True, slots=True)
class Project:
    """specs/<project>/project.yaml."""

    name: Word
    about: str
    source: Database
    target: Database
    ids: Ids | None
    protect: tuple[Reason, ...]
    skip: tuple[Reason, ...]
    limits: Limits
    extensions: tuple[Word, ...]
    env: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Copy:
    """`total: total`, `same: [total]`: the source column, cast where `type` asks for it; text dates by `format`."""

    source: Word
    format: Word | None = None


@dataclass(frozen=True, slots=True)
class Recode:
    """`{from: status, map: {0: draft}, otherwise: reject}`; a NULL stays NULL.

    `otherwise` is what becomes of a value that is not listed: `reject`, `null`, `keep`, or a constant.
    """

    source: Word
    values: tuple[tuple[Scalar, Scalar, Span], ...]
    otherwise: Literal["reject", "null", "keep", "constant"] = "reject"
    constant: Scalar = None


@dataclass(frozen=True, slots=True)
class Reference:
    """`{ref: patients, by: patient_id}`: the migrated key of the row that `by` pointed at.

    `on` names the source columns of the referenced table that `by` matches; without it, its source key.
    """

    table: Word
    by: tuple[Word, ...]
    on: tuple[Word, ...] = ()
    missing: Missing = "reject"


@dataclass(frozen=True, slots=True)
class AnyReference:
    """`{ref_any: {type: content_type_id, id: object_id, to: {12: patients, 15: orders}}}`: Django's generic reference.

    `type` says which table a row refers to, `id` which row of it. `to` lists types (ids, or names such as
    `dispatch.patient`) with what is meant by each; `otherwise` is what becomes of a type that it does not list.
    """

    type: Word
    id: Word
    to: tuple[tuple[Scalar, Reference, Span], ...]
    missing: Missing = "reject"
    otherwise: Literal["reject", "null"] = "reject"


@dataclass(frozen=True, slots=True)
class Expression:
    """`{sql: "coalesce(s.a, s.b)"}`: one scalar expression over the source row `s`."""

    sql: Word


@dataclass(frozen=True, slots=True)
class Constant:
    """`{value: dispatch}`."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Json:
    """`{json: {memo: memo}}`: a jsonb object of source columns, in the order written."""

    entries: tuple[tuple[str, Word], ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """`{uuid: id}`: uuid(namespace, '<table>:<legacy id>')."""

    sources: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """`{identity: true}`: the target numbers the rows, in the order of the source's key."""


Filled = Literal["parent", "root", "depth", "position", "path"]


@dataclass(frozen=True, slots=True)
class Node:
    """`tree: {fill: {depth: depth}}`: what the hierarchy says of the row."""

    what: Filled


How = Copy | Recode | Reference | AnyReference | Expression | Constant | Json | Derived | Identity | Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """One target column and what fills it.

    `null` False: the column is NOT NULL, True: it is not; None: as source or catalog say.
    """

    target: Word
    how: How
    type: Word | None
    null: bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Adjacency:
    """`parent: {from: parent_id}`: a source column holds the parent's key."""

    column: Word

    @property
    def names(self) -> tuple[str, ...]:
        """What the parents are told by, in words."""
        return (self.column.text,)

    @property
    def columns(self) -> tuple[Word, ...]:
        """The source columns that tell them."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Replies:
    """`parent: {from: {table: irc_reply, child: message_id, parent: parent_id}}`: a table beside the rows says it.

    `several` is what becomes of a row that has more than one parent in it.
    """

    table: Word
    child: Word
    parent: Word
    several: Literal["first", "reject"]

    @property
    def names(self) -> tuple[str, ...]:
        """What the parents are told by, in words."""
        return (f"{self.table}.{self.parent}",)

    @property
    def columns(self) -> tuple[Word, ...]:
        """The source columns that tell them: none of the row's own."""
        return ()


@dataclass(frozen=True, slots=True)
class Paths:
    """`parent: {from: {path: path, separator: "/"}}`, or `steps: 4`: a row's path begins with its parent's.

    `steps` are the letters of each step of a path that has no `separator`; 0 where it has one.
    """

    column: Word
    separator: str
    steps: int

    @property
    def names(self) -> tuple[str, ...]:
        """What the parents are told by, in words."""
        return (self.column.text,)

    @property
    def columns(self) -> tuple[Word, ...]:
        """The source columns that tell them."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Intervals:
    """`parent: {from: {left: lft, right: rght, tree: tree_id}}`: nested sets; a row lies between its parent's ends."""

    left: Word
    right: Word
    tree: Word | None

    @property
    def names(self) -> tuple[str, ...]:
        """What the parents are told by, in words."""
        return self.left.text, self.right.text

    @property
    def columns(self) -> tuple[Word, ...]:
        """The source columns that tell them."""
        return (self.left, self.right, *([self.tree] if self.tree else []))


Parents = Adjacency | Replies | Paths | Intervals


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{when: "s.is_deleted", set: {body: "[removed]"}}`: rows that stand for what was there."""

    when: Word
    sets: tuple[tuple[Word, Scalar, Span], ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """`tree:`: what a row's parent is, and what becomes of rows that have no place; what is filled are mappings.

    `under` is the source's key of the row that orphans hang from, where `orphan` says so. Without `max_depth` (0) rows
    are as deep as they are.
    """

    parents: Parents
    order: tuple[Word, ...]
    orphan: Literal["root", "reject", "under"]
    under: Word | None
    cycle: Literal["break", "reject"]
    max_depth: int
    deeper: Literal["flatten", "reject"]
    placeholder: Placeholder | None
    span: Span


@dataclass(frozen=True, slots=True)
class Query:
    """`from: {sql: ..., key: id}`: a SELECT in place of a table, and the columns that are unique in it, if any."""

    sql: Word
    key: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`{columns: [email], unique: true, duplicates: first, name: ..., where: ..., using: gin, concurrently: true}`.

    `concurrently` is where that is said, None where it is not.
    """

    columns: tuple[Word, ...]
    name: Word | None
    unique: bool
    duplicates: Duplicates
    using: Word | None
    where: Word | None
    concurrently: Span | None
    span: Span


@dataclass(frozen=True, slots=True)
class Check:
    """`total_not_negative: "total >= 0"`, over the target's columns."""

    name: Word
    sql: Word


@dataclass(frozen=True, slots=True)
class Partition:
    """`{by: range, on: placed_at, every: month, from: 2025-01, until: 2026-01, default: true}`.

    by `range`: `every` day, month, quarter or year, from `start` (inclusive) to `until` (exclusive).
    by `list`: `values`, partition name -> values. by `hash`: `parts`, how many.
    """

    by: Literal["range", "list", "hash"]
    on: Word
    every: Literal["day", "month", "quarter", "year"] | None
    start: Word | None
    until: Word | None
    values: tuple[tuple[Word, tuple[Scalar, ...]], ...]
    parts: int | None
    default: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Comparison:
    """`{name: totals, source: "select ...", target: "select ..."}`: both must give the same rows."""

    name: Word
    source: Word
    target: Word


@dataclass(frozen=True, slots=True)
class Table:
    """specs/<project>/tables/<name>.yaml: a target table and what fills it.

    `key` lists the target's primary key columns; what fills them stands among `mappings`, first.
    `chunk` is (rows to begin with, most rows). Not `direct`: the load may not take the direct path.
    """

    name: Word
    source: Word | Query
    key: tuple[Word, ...]
    mappings: tuple[Mapping, ...]
    drop: tuple[Reason, ...]
    where: Word | None
    after: tuple[Word, ...]
    indexes: tuple[Index, ...]
    checks: tuple[Check, ...]
    partition: Partition | None
    verify: tuple[Comparison, ...]
    chunk: tuple[int, int]
    rejected: str | None
    create: bool
    map_table: bool
    span: Span
    about: str = ""
    direct: bool = True
    tree: Tree | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole specs/<project> folder; `tables` and `removals` sorted by file name, `digest` of all its spec files."""

    project: Project
    tables: tuple[Table, ...]
    digest: str
    removals: tuple[Removal, ...] = ()
