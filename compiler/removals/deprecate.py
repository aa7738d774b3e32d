"""Phase 1, deprecate: what the columns are is written down, and their values are backed up. Nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from compiler.dependents import ON_TABLE
from compiler.names import Name
from compiler.names import join as join_name
from compiler.plan import Lock, Section
from compiler.removals.base import (
    READ,
    ROW,
    SRE,
    RemovalStep,
    Trigger,
    after_key,
    bound,
    capture_function,
    capture_triggers,
    chunk_binds,
    compare,
    create_triggers,
    live_dependents,
    member_gates,
    truncate_function,
    truncate_triggers,
    upto_key,
    uses,
)
from compiler.removals.bound import BoundRemoval
from compiler.render import render
from compiler.sql import Sql, ident, join, literal


@dataclass(frozen=True)
class Describe(RemovalStep):
    """What the columns are, what uses them, and how all of it is made again."""

    kind: ClassVar[str] = "describe"
    undo: ClassVar[str] = "deletes what was written down"

    @property
    def what(self) -> str:
        return f"{self.removal.shown}: described, with what uses it"

    @property
    def about(self) -> str:
        return self.removal.spec.because

    def risks(self) -> Iterator[str]:
        for one in self.removal.dependents:
            yield f"{one.text}: {_ACTIONS[one.action]}"

    def forward(self) -> Iterator[Section]:
        for one in self.removal.members:
            yield Section("gate", "target", _reviewed(one), prose="it is what was reviewed")
        yield from member_gates(self.removal)
        yield Section("gate", "target", _all_named(self.removal), prose="everything that uses it is named")
        yield Section("gate", "target", _hidden_rows(self.removal), prose="no row is hidden from the backup")
        yield Section("apply", "target", describe(self.removal))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", forgotten(self.removal))


@dataclass(frozen=True)
class Backup(RemovalStep):
    """The backup table, and the functions that keep it equal to the table."""

    kind: ClassVar[str] = "backup"
    undo: ClassVar[str] = "drops the backup"

    @property
    def what(self) -> str:
        return f"{self.removal.backup}: a table for the values"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        keys = [Sql(f"{ident(key.name)} {_typed(key.type, key.collation)} NOT NULL") for key in removal.whole_key]
        values = [Sql(f"{ident(gone.name)} {gone.type}") for gone in removal.columns]
        table = render(
            "removal/backup", backup=removal.backup, columns=(*keys, *values), key=removal.keys(),
            present=removal.present, born=removal.born, written=removal.written, changed=removal.changed,
        )  # fmt: skip
        functions = (capture_function(removal, hidden=False), truncate_function(removal))
        yield Section("apply", "target", join("\n\n", (table, *functions)))

    def revert(self) -> Iterator[Section]:
        removal = self.removal
        yield Section("revert", "target", Sql(
            f"DROP FUNCTION {removal.own('capture')}(), {removal.own('truncated')}();\n"
            f"DROP TABLE {removal.backup};"
        ))  # fmt: skip


@dataclass(frozen=True)
class Capture(RemovalStep):
    """From here on every change reaches the backup; the rows that are there come after that."""

    kind: ClassVar[str] = "capture"
    undo: ClassVar[str] = "drops the triggers"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified}: changes reach the backup from here on"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(SRE, "CREATE TRIGGER")

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", create_triggers(self._triggers))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", join("\n", (one.drop for one in self._triggers)))

    @property
    def _triggers(self) -> tuple[Trigger, ...]:
        return (*capture_triggers(self), *truncate_triggers(self, self.removal.own("truncated")))


@dataclass(frozen=True)
class Backfill(RemovalStep):
    """The values of the rows that are there, in chunks; then both are compared in one view."""

    kind: ClassVar[str] = "backfill"
    undo: ClassVar[str] = "the rows go with the backup"

    @property
    def what(self) -> str:
        return (
            f"{self.removal.shown} -> {self.removal.backup}, in chunks by {', '.join(k.name for k in self.removal.key)}"
        )

    def locks(self) -> Iterator[Lock]:
        yield self.lock(READ, "SELECT")
        yield Lock(ROW, str(self.removal.backup), "INSERT")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        yield Section("size", "target", Sql(f"SELECT count(*) AS rows FROM {removal.table};"))
        yield bound(removal, removal.table, "table")
        sql = render(
            "removal/copy", backup=removal.backup, table=removal.table, key=removal.keys(), values=removal.values(),
            present=removal.present, s_key=removal.keys("s", "table"), s_values=removal.values("s"),
            conditions=(after_key(removal, "s"), upto_key(removal, "s")),
        )  # fmt: skip
        yield Section("copy", "target", sql, binds=chunk_binds(removal), prose="one chunk, with its checkpoint")

    def verify(self) -> Iterator[Section]:
        yield Section("verify", "target", compare(self.removal, hidden=False))


_ACTIONS = {"drop": "dropped in phase 2", "rewrite": "rewritten in phase 2", "keep": "stays, and has to do without"}


def _typed(type: str, collation: str | None) -> str:
    return f"{type} COLLATE {collation}" if collation else type


def forgotten(removal: BoundRemoval) -> Sql:
    """The statements that delete what was written down; the journal and its events stay."""
    tables = ("removal_descriptor", "removal_dependent", "removal_statement", "removal_figure", "guard_hit")
    return join("\n", (
        Sql(f"DELETE FROM transhume.{table} WHERE (project, removal) = ({removal.identity});") for table in tables
    ))  # fmt: skip


def describe(removal: BoundRemoval) -> Sql:
    """The statements that write everything down."""
    names = join(", ", (literal(gone.name) for gone in removal.columns))
    own = {"identity": removal.identity, "names": names, "one_of": _one_of(removal)}
    tree = bool(removal.below)
    return render(
        "removal/describe", identity=removal.identity, columns=_columns(removal), dependents=live_dependents(removal),
        column_statements=render("removal/column_statements", only=Sql("ONLY " if tree else ""), **own),
        table_statements=render("removal/table_statements", tree=tree, **own),
        dependent_statements=dependent_statements(removal), privileges=_privileges(removal, own),
    )  # fmt: skip


def _one_of(removal: BoundRemoval) -> Sql:
    """The condition that an oid is the table's, or an INHERITS child's."""
    if not removal.below:
        return Sql(f"= to_regclass({literal(removal.table)})")
    tables = join(", ", (literal(one.table) for one in removal.members))
    return Sql(f"= ANY (ARRAY[{tables}]::regclass[])")


def described(removal: BoundRemoval) -> Sql:
    """The columns are what they were."""
    return render("removal/described", identity=removal.identity, columns=_columns(removal))


def _columns(removal: BoundRemoval) -> tuple[_Described, ...]:
    """The columns, and those of INHERITS children: by what name, and by which query each is described."""
    below = ((one, gone.name, f"{one.relation.qualified}.{gone.name}") for one in removal.below for gone in one.columns)
    return tuple(
        _Described.of(one, name, shown)
        for one, name, shown in (*((removal, gone.name, gone.name) for gone in removal.columns), *below)
    )


@dataclass(frozen=True, slots=True)
class _Described:
    name: Sql
    descriptor: Sql

    @classmethod
    def of(cls, removal: BoundRemoval, name: str, shown: str) -> _Described:
        relation = removal.relation
        sql = render(
            "removal/descriptor", schema=literal(relation.schema), relation=literal(relation.name), column=literal(name)
        )
        return cls(literal(shown), sql)


def dependent_statements(removal: BoundRemoval) -> Sql:
    """Made again in the reverse order in which they go: those that are rewritten first, in the order written."""
    changed = [one for one in removal.dependents if one.action == "rewrite"]
    changed += reversed([one for one in removal.dependents if one.action == "drop" and one.moves])
    rows = []
    for place, one in enumerate(changed, 1):
        name = one.identity.removesuffix(f" on {one.on}") if one.kind in ON_TABLE else ""
        values = ", ".join(map(literal, (one.kind, one.identity, one.on or removal.table, name, one.text)))
        rows.append(Sql(f"({place}, {values})"))
    if not rows:
        return Sql("")
    return render(
        "removal/dependent_statements", identity=removal.identity, dependents=tuple(rows), table=literal(removal.table)
    )


def _privileges(removal: BoundRemoval, own: Mapping[str, object]) -> Sql:
    if removal.spec.hide != "privileges":
        return Sql("")
    roles = join(", ", (literal(word.text) for word in removal.spec.roles))
    return render("removal/privilege_statements", roles=roles, **own)


def _all_named(removal: BoundRemoval) -> Sql:
    """What uses the columns now is what the spec names; of a table that is yet to be made, and its indexes."""
    named = [one.text for one in removal.dependents]
    if not removal.reviewed:
        named += [f"index {Name(removal.relation.schema, index.name)}" for index in removal.indexes]
        named += [f"constraint {join_name((one.name,))} on {removal.relation.qualified}" for one in removal.constraints]
    return uses(removal, named, "forbids", "refuses", "rebuilt", "vanishes", "breaks", "changes")


def _hidden_rows(removal: BoundRemoval) -> Sql:
    return render("removal/hidden_rows", table=literal(removal.table))


def _reviewed(removal: BoundRemoval) -> Sql:
    """What the plan takes from the catalog. Where columns stand, and what else there is, does not matter."""
    columns = [
        Sql(f"({literal(one.name)}, {literal(one.type)}, {literal(not one.null)}, {literal(one.default)})")
        for one in (gone.column for gone in removal.columns)
    ]
    columns += [Sql(f"({literal(key.name)}, {literal(key.type)}, NULL::boolean, NULL)") for key in removal.key]
    goes = [(one.name, one.definition) for one in removal.constraints]
    goes += [(index.name, index.definition) for index in removal.indexes]
    definitions = tuple(Sql(f"({literal(name)}, {literal(text)})") for name, text in goes if removal.reviewed)
    return render("removal/reviewed", table=literal(removal.table), columns=tuple(columns), definitions=definitions)
