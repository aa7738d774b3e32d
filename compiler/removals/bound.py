"""A removal with everything known about it: what its plans are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from compiler.catalog import Column, Constraint, ForeignKey, IndexEntry, Key, Relation
from compiler.diagnostics import Span
from compiler.names import Name
from compiler.plan import Side
from compiler.removals.spec import Action, Removal
from compiler.spec import Project
from compiler.sql import Sql, column, fits, ident, join, literal, qname

RUNNER = "transhume"  # the runner's schema, where backups live
Of = Literal["backup", "table", "trigger"]  # whose row it is: of the latter, the one that it fires for


@dataclass(frozen=True, slots=True)
class Gone:
    """A column that goes. `constant` is its default where that is one value for every row.

    `fill` is what rows that came after the drop get when it comes back, None for NULL.
    """

    column: Column
    hidden: str
    constant: Sql | None
    fill: Sql | None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def type(self) -> Sql:
        """The type, with its collation where that is not the type's own."""
        collation = f" COLLATE {self.column.collation}" if self.column.collation else ""
        return Sql(f"{self.column.type}{collation}")


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that uses the columns. `identity` is its name as SQL, `on` the table of a trigger, or of a publication.

    `text` is how catalogs name it. `moves`: phase 2 drops or rewrites it; others go with the columns, or stay.
    """

    action: Action
    kind: str
    identity: str
    on: str
    text: str
    moves: bool
    sql: Sql | None
    span: Span


@dataclass(frozen=True, slots=True)
class Lost:
    """A constraint that goes with the columns; `indexed`: an index of its name goes too."""

    name: str
    definition: str
    valid: bool
    indexed: bool


@dataclass(frozen=True)
class BoundRemoval:
    """A removal; `columns` are none where the whole table goes, and then there is no `key` either.

    `children` are its partitions or INHERITS children, and theirs, parents first; `parts` those that the catalog has.
    `below` are the INHERITS children as removals of the same columns, each with what is its own; `above` the columns of
    such a child that are NOT NULL because its parent's are. `lone` are indexes that a partition has and its parent has
    not, each with its partition. `unique`, `exclusions`, `foreign_keys` and `indexes` are those that go with the
    columns. `reviewed`: the table is in the catalog, and not one that the project's own plan makes.
    """

    spec: Removal
    project: Project
    database: Side
    relation: Relation
    reviewed: bool
    key: tuple[Column, ...]
    columns: tuple[Gone, ...]
    unique: tuple[Key, ...]
    exclusions: tuple[Constraint, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[IndexEntry, ...]
    dependents: tuple[Dependent, ...]
    children: tuple[Name, ...]
    parts: tuple[Relation, ...]
    below: tuple[BoundRemoval, ...] = ()
    above: frozenset[str] = frozenset()
    lone: tuple[tuple[Relation, IndexEntry], ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name.text

    @property
    def constraints(self) -> tuple[Lost, ...]:
        """Every constraint that goes with the columns, but for checks, which only the server tells."""
        return (
            *(Lost(key.name, key.definition, True, True) for key in self.unique),
            *(Lost(one.name, one.definition, one.valid, True) for one in self.exclusions),
            *(Lost(key.name, key.definition, key.valid, False) for key in self.foreign_keys),
        )

    @property
    def shown(self) -> str:
        """What goes, for people: `app.users (hashed_password, is_active)`."""
        columns = f" ({', '.join(gone.name for gone in self.columns)})" if self.columns else ""
        return f"{self.relation.qualified}{columns}"

    @property
    def partitioned(self) -> bool:
        return self.relation.kind == "partitioned table"

    @property
    def inherits(self) -> bool:
        """Whether it is about an INHERITS child: `below` of the removal that the spec is about."""
        return self.relation.kind == "table" and bool(self.relation.parents)

    @property
    def members(self) -> tuple[BoundRemoval, ...]:
        """The table and its INHERITS children, parents first: what no parent hands down is done on each of them."""
        return (self, *self.below)

    # Names as SQL.

    @cached_property
    def table(self) -> Sql:
        return qname(self.relation.schema, self.relation.name)

    @property
    def schema(self) -> Sql:
        return ident(self.relation.schema)

    @cached_property
    def identity(self) -> Sql:
        """What the journal's rows about it begin with: project and removal, as literals."""
        return Sql(f"{literal(self.project.name.text)}, {literal(self.name)}")

    def own(self, what: str) -> Sql:
        """A name in the runner's schema: a table or a function of this removal."""
        return qname(RUNNER, fits(f"{what}_{self.project.name.text}_{self.name}"))

    def trigger(self, what: str, order: str = "zz") -> Sql:
        """A trigger on the table: triggers fire in the order of their names."""
        return ident(fits(f"{order}_transhume_{self.name}_{what}"))

    @cached_property
    def backup(self) -> Sql:
        return self.own("backup")

    @cached_property
    def mark(self) -> str:
        """What the names of the backup's own columns begin with: with as many `_` as keep them apart from others."""
        taken = {one.name for one in (*self.key, *(gone.column for gone in self.columns))}
        mark = "_"
        while any(name.startswith(mark) for name in taken):
            mark += "_"
        return mark

    @property
    def whole_key(self) -> tuple[Column, ...]:
        """The key with what tells members apart, as the backup has it."""
        return (*self.key, Column(f"{self.mark}member", "oid", null=False)) if self.below else self.key

    @property
    def member(self) -> Sql:
        """The backup's column that says: the row is of this table, the parent or one of its INHERITS children."""
        return ident(f"{self.mark}member")

    @property
    def present(self) -> Sql:
        """The backup's column that says: the table has this row."""
        return ident(f"{self.mark}present")

    @property
    def born(self) -> Sql:
        """The backup's column that says: the row came after the drop."""
        return ident(f"{self.mark}born")

    @property
    def written(self) -> Sql:
        """The backup's column with the columns that the application has written since they came back."""
        return ident(f"{self.mark}written")

    @property
    def changed(self) -> Sql:
        return ident(f"{self.mark}changed")

    # The columns, as lists.

    def key_of(self, alias: str = "", of: Of = "backup") -> tuple[Sql, ...]:
        """The columns that tell rows apart.

        Where the table has INHERITS children, the last is the member that a row is of: rows of two of them may have
        equal keys. The backup has a column of its own for that.
        """
        columns = tuple(column(alias, one.name) if alias else ident(one.name) for one in self.key)
        if not self.below:
            return columns
        inside = column(alias, f"{self.mark}member") if alias else self.member
        members = {"backup": inside, "table": column(alias or "t", "tableoid"), "trigger": Sql("tg_relid")}
        return (*columns, members[of])

    def keys(self, alias: str = "", of: Of = "backup") -> Sql:
        """The key's columns, separated by commas."""
        return join(", ", self.key_of(alias, of))

    def values(self, alias: str = "", hidden: bool = False) -> Sql:
        """The columns that go, separated by commas; `hidden`: by the names that they have in the table meanwhile."""
        names = (gone.hidden if hidden else gone.name for gone in self.columns)
        return join(", ", (column(alias, name) if alias else ident(name) for name in names))

    def same_key(self, one: str, other: str, table: str = "t") -> Sql:
        """The condition that two rows have one key; `table`: the alias under which it is the table itself."""
        sides = (self.key_of(alias, "table" if alias == table else "backup") for alias in (one, other))
        return join(" AND ", (Sql(f"{left} = {right}") for left, right in zip(*sides, strict=True)))

    @property
    def other_key(self) -> Sql:
        """The condition, in a trigger, that a row gets another key, to the byte; no row goes to another member."""
        return differ(self.key_in("old"), self.key_in("new"))

    def key_in(self, row: str) -> Sql:
        """The columns of the key in a row of a trigger; which member it is of is not among them."""
        return join(", ", (column(row, one.name) for one in self.key))

    def by_member(self, row: Sql, values: Sequence[Sql]) -> Sql:
        """What has a value of its own in some of the `members`; `row` is the member that a row is of."""
        own = [(one.table, value) for one, value in zip(self.members, values, strict=True) if value != values[0]]
        cases = " ".join(f"WHEN {literal(table)}::regclass THEN {value}" for table, value in own)
        return Sql(f"CASE {row} {cases} ELSE {values[0]} END") if own else values[0]


def other_value(gone: Gone, hidden: bool) -> Sql:
    """The condition, in a trigger, that a column is given another value; of an insert: than its default."""
    name = gone.hidden if hidden else gone.name
    return differ(column("old", name), column("new", name))


def differ(one: Sql, other: Sql) -> Sql:
    """The condition that two lists of values are not the same, to the byte: equal is not always the same."""
    return Sql(f"pg_catalog.record_image_ne(ROW({one}), ROW({other}))")


def over(index: IndexEntry) -> str:
    """What an index is over and how, as its definition says: the same for what partitions have of it."""
    return index.definition.partition(" USING ")[2]
