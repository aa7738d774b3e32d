"""Restore, after phase 3: the columns come back as they were, with their values, while the application writes."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import ClassVar

from compiler.catalog import Relation
from compiler.dependents import ON_TABLE
from compiler.plan import Lock, Section
from compiler.removals.base import (
    AX,
    READ,
    ROW,
    SRE,
    SUE,
    RemovalStep,
    Trigger,
    after_key,
    again,
    bound,
    chunk_binds,
    create_triggers,
    matched,
    member_gates,
    truncate_triggers,
    upto_key,
)
from compiler.removals.bound import BoundRemoval, Gone, differ, other_value
from compiler.removals.dependents import VIEWS
from compiler.removals.deprecate import described, forgotten
from compiler.removals.detach import changed, remade
from compiler.removals.drop import soak_functions, soak_triggers
from compiler.render import render
from compiler.sql import Sql, column, ident, join, literal, qname


@dataclass(frozen=True)
class RestoreStep(RemovalStep):
    """A step of a restore, which goes one way."""

    reversible: ClassVar[bool] = False
    undo: ClassVar[str] = "`transhume restore` goes on from where it is; phase 3 drops the columns again"


@dataclass(frozen=True)
class Add(RestoreStep):
    """The columns are there again, empty; what the application writes from now on wins over the backup."""

    kind: ClassVar[str] = "add"

    @property
    def what(self) -> str:
        return f"{self.removal.shown}: the columns are added, without values yet"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "ADD COLUMN, SET DEFAULT, CREATE TRIGGER")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        there = f"SELECT 'the backup is not there' AS problem WHERE to_regclass({literal(removal.backup)}) IS NULL;"
        yield Section("gate", "target", Sql(there), prose="there is something to restore from")
        if removal.spec.new_rows == "refuse":
            sql = render("removal/born", backup=removal.backup, present=removal.present, born=removal.born)
            yield Section("gate", "target", sql, prose="no row came after the drop")
        yield from member_gates(removal, back=True)
        yield Section("apply", "target", render(
            "removal/add", lock=self.said(AX), table=removal.table, defaults=tuple(self._defaults()),
            adds=tuple(Sql(f"ADD COLUMN {ident(gone.name)} {gone.type}") for gone in removal.columns),
            again=again(removal, "column"), function=soak_functions(removal, back=True),
            wrote=render(
                "removal/wrote_function", function=removal.own("wrote"), backup=removal.backup, written=removal.written,
                new_b=matched(removal, "b", "new"),
            ),
            triggers=create_triggers(wrote_triggers(self)),
        ))  # fmt: skip

    def _defaults(self) -> Iterator[Defaults]:
        for one in self.members:
            changes = tuple(
                Sql(f"ALTER COLUMN {ident(gone.name)} SET DEFAULT {gone.column.default}")
                for gone in one.removal.columns if gone.column.default is not None
            )  # fmt: skip
            only = "ONLY " if self.removal.below else ""  # a child may have another one, or none
            if changes:
                yield Defaults(one.said_here(AX), Sql(f"{only}{one.removal.table}"), changes)
        for part in self.removal.parts if self.removal.partitioned else ():
            if changes := tuple(self._of_partition(part)):
                table = qname(part.schema, part.name)
                yield Defaults(Sql(f"{AX} on {part.qualified}"), Sql(f"ONLY {table}"), changes)

    def _of_partition(self, part: Relation) -> Iterator[Sql]:
        """A partition's default, where it is not the table's."""
        for gone in self.removal.columns:
            own = part.column(gone.name)
            if own is not None and own.default != gone.column.default:
                default = "DROP DEFAULT" if own.default is None else f"SET DEFAULT {own.default}"
                yield Sql(f"ALTER COLUMN {ident(gone.name)} {default}")


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults of one table's columns, as the template prints them."""

    lock: Sql
    table: Sql
    changes: tuple[Sql, ...]


@dataclass(frozen=True)
class Refill(RestoreStep):
    """The values come back, in chunks, pass after pass until one has nothing left to do."""

    kind: ClassVar[str] = "refill"
    rest: bool = False

    @property
    def name(self) -> str:
        return f"{self.removal.name}-rest" if self.rest else self.removal.name

    @property
    def what(self) -> str:
        rows = "rows that came meanwhile without a value" if self.rest else f"{self.removal.backup}"
        return f"{rows} -> {self.removal.shown}, in chunks by {', '.join(key.name for key in self.removal.key)}"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(ROW, "UPDATE, SELECT FOR NO KEY UPDATE")
        yield Lock(READ, str(self.removal.backup), "SELECT")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        present = Sql(f"s.{removal.present}")
        yield Section("size", "target", Sql(f"SELECT count(*) AS rows FROM {removal.backup} AS s WHERE {present};"))
        yield bound(removal, removal.backup, "backup", (present,))
        sql = render(
            "removal/refill", table=removal.table, backup=removal.backup, present=removal.present,
            empty=join(" OR ", (Sql(f"{column('t', gone.name)} IS NULL") for gone in removal.columns)),
            t_range=(after_key(removal, "t"), upto_key(removal, "t")),
            b_range=(after_key(removal, "b", "backup"), upto_key(removal, "b", "backup")),
            same=removal.same_key("b", "t"), set=tuple(self._set(gone) for gone in removal.columns),
            wanted=join("\n    OR ", (self._wanted(gone) for gone in removal.columns)),
        )  # fmt: skip
        yield Section("copy", "target", sql, binds=chunk_binds(removal), prose="one chunk, with its checkpoint")

    def verify(self) -> Iterator[Section]:
        yield Section("verify", "target", unfilled(self.removal), prose="the table has what the backup has")

    def _set(self, gone: Gone) -> Sql:
        return Sql(
            f"{ident(gone.name)} = CASE\n    WHEN {self._empty(gone)} THEN {self._value(gone)}\n"
            f"    ELSE {column('t', gone.name)}\n  END"
        )

    def _value(self, gone: Gone) -> Sql:
        """What a row gets: the backup's value, or that of rows that came after the drop."""
        fills = (
            own.fill or Sql("NULL") for one in self.removal.members for own in one.columns if own.name == gone.name
        )
        fill = self.removal.by_member(column("b", f"{self.removal.mark}member"), tuple(fills))
        value = column("b", gone.name)
        return value if fill == "NULL" else Sql(f"CASE WHEN b.{self.removal.born} THEN {fill} ELSE {value} END")

    def _empty(self, gone: Gone) -> Sql:
        return Sql(f"{column('t', gone.name)} IS NULL AND {literal(gone.name)} <> ALL (b.{self.removal.written})")

    def _wanted(self, gone: Gone) -> Sql:
        return Sql(f"({self._empty(gone)} AND {self._value(gone)} IS NOT NULL)")


@dataclass(frozen=True)
class Recreate(RestoreStep):
    """What used the columns is made again, as phase 1 has written it down."""

    kind: ClassVar[str] = "recreate"

    @property
    def what(self) -> str:
        names = [one.text for one in changed(self.removal)]
        return f"{', '.join([*names, 'comments, statistics'])}: as they were"

    def locks(self) -> Iterator[Lock]:
        if self.removal.below:
            yield self.lock(SUE, "CREATE STATISTICS, COMMENT")
            yield from self._on_members()
        else:
            level = self._level({one.kind for one in changed(self.removal)})
            yield self.lock(level, "CREATE TRIGGER, POLICY, RULE, STATISTICS, COMMENT")
        for one in changed(self.removal):
            if one.kind in VIEWS:
                yield Lock(AX, one.identity.replace('"', ""), f"CREATE {one.kind.upper()}", old=True)

    def _on_members(self) -> Iterator[Lock]:
        for one in changed(self.removal):
            if one.kind in ON_TABLE and one.kind != "constraint":
                yield Lock(self._level({one.kind}), one.on.replace('"', ""), f"CREATE {one.kind.upper()}", old=True)

    def _level(self, kinds: Set[str]) -> str:
        return AX if kinds & {"policy", "rule"} else SRE if "trigger" in kinds else SUE

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", join("\n\n", (remade(self.removal), again(self.removal, "detail"))))


@dataclass(frozen=True)
class Release(RestoreStep):
    """What kept the backup exact goes; then the columns must be what they were, in every part of their description."""

    kind: ClassVar[str] = "release"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified}: without the removal's triggers; the columns are what they were"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "DROP TRIGGER")
        yield self.lock(SUE, "ANALYZE, outside of a transaction")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        yield Section("gate", "target", unfilled(removal), prose="the table has what the backup has")
        triggers = (
            *wrote_triggers(self), *soak_triggers(self), *truncate_triggers(self, removal.own("truncated")),
        )  # fmt: skip
        functions = ", ".join(f"{removal.own(what)}()" for what in ("wrote", "moving", "soak", "truncated"))
        drops = (*(one.drop for one in triggers), Sql(f"DROP FUNCTION {functions};"))
        yield Section("apply", "target", join("\n", (Sql(f"-- {self.said(AX)}"), *drops)))
        tables = join(", ", (Sql(f"{one.table} ({removal.values()})") for one in removal.members))
        yield Section("vacuum", "target", Sql(f"ANALYZE {tables};"), prose="statistics")

    def verify(self) -> Iterator[Section]:
        yield Section("verify", "target", described(self.removal), prose="identical, but for the place in the row")


@dataclass(frozen=True)
class Discard(RestoreStep):
    """The backup is no longer needed."""

    kind: ClassVar[str] = "discard"
    undo: ClassVar[str] = "phase 1 makes another backup"

    @property
    def what(self) -> str:
        return f"{self.removal.backup} is dropped"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        yield Section("apply", "target", join("\n", (
            Sql(f"DROP TABLE {removal.own('moved')}, {removal.backup};"), forgotten(removal),
        )))  # fmt: skip


def wrote_triggers(step: RemovalStep) -> tuple[Trigger, ...]:
    """One for each column: they note that the application has written it since it came back."""
    removal = step.removal
    return tuple(
        Trigger(
            removal.trigger(f"wrote_{number}"), Sql("AFTER UPDATE"), one.removal.table,
            Sql(
                f"FOR EACH ROW WHEN ({other_value(gone, hidden=False)})\n"
                f"  EXECUTE FUNCTION {removal.own('wrote')}({literal(gone.name)})"
            ),
            one.said_here(AX),
        )
        for one in step.members for number, gone in enumerate(removal.columns, 1)
    )  # fmt: skip


def unfilled(removal: BoundRemoval) -> Sql:
    """The table has what the backup has, but for what the application has written since."""
    differing = join("\n  OR ", (
        Sql(
            f"({literal(gone.name)} <> ALL (b.{removal.written}) AND NOT b.{removal.born} AND "
            f"({column('t', removal.key[0].name)} IS NULL OR "
            f"{differ(column('t', gone.name), column('b', gone.name))}))"
        )
        for gone in removal.columns
    ))  # fmt: skip
    return render(
        "removal/unfilled", table=removal.table, backup=removal.backup, present=removal.present, differ=differing,
        same=removal.same_key("t", "b"),
    )  # fmt: skip
