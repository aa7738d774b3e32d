"""Phase 3, drop: when all gates are open, the columns go in one short transaction; the backup stays exact after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from compiler.catalog import IndexEntry
from compiler.plan import Lock, Section
from compiler.removals.base import (
    AX,
    READ,
    SUE,
    RemovalStep,
    Trigger,
    capture_triggers,
    compare,
    create_triggers,
    identity_gates,
    matched,
    member_gates,
    members,
    names_of,
    row_triggers,
    unnamed,
)
from compiler.removals.bound import BoundRemoval
from compiler.removals.detach import guard_triggers, interval
from compiler.render import render
from compiler.sql import Sql, column, ident, join, literal, qname

SAMPLE = 20_000  # rows that the time of a restore is measured with


@dataclass(frozen=True)
class Gate(RemovalStep):
    """Everything that has to be true before anything is dropped."""

    kind: ClassVar[str] = "gate"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        return f"{self.removal.shown} has soaked, is backed up, and is used by nothing"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(READ, "SELECT")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        phases = removal.spec.phases
        soak = literal(interval(phases.soak))
        soaked = render(
            "removal/soaked",
            what=literal("the columns soak until "),
            lasts=soak,
            identity=removal.identity,
            phase=Sql("2"),
        )
        yield Section("gate", "target", soaked, prose="they have soaked, by the server's clock")
        if phases.not_before:
            day = render("removal/not_before", day=literal(phases.not_before))
            yield Section("gate", "target", day, prose="the day has come")
        written = render("removal/written", identity=removal.identity, lasts=soak)
        yield Section("gate", "target", written, prose="nobody has written them")
        unchanged = unnamed(removal)
        yield Section("gate", "target", unchanged, prose="nothing uses them that was not reviewed")
        yield from member_gates(removal)
        yield from identity_gates(removal)
        yield Section("gate", "target", compare(removal, hidden=True), prose="the backup is what the table has")


@dataclass(frozen=True)
class Measure(RemovalStep):
    """How long bringing the columns back would take, measured on a copy of some rows."""

    kind: ClassVar[str] = "measure"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        return f"how long a restore of {self.removal.shown} takes"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(READ, "SELECT")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        sets = join(", ", (Sql(f"{ident(gone.hidden)} = {column('b', gone.name)}") for gone in removal.columns))
        yield Section("apply", "target", render(
            "removal/measure", scratch=removal.own("scratch"), names=names_of(removal),
            scratch_name=literal(removal.own("scratch")), table=removal.table, backup=removal.backup,
            rows=Sql(str(SAMPLE)), present=removal.present, set=sets, same=removal.same_key("b", "t", table=""),
            identity=removal.identity, t_key=removal.keys("t", "table"), b_key=removal.keys("b"), key=removal.keys(),
            member=removal.member if removal.below else None,
            children=join(", ", (literal(one.table) for one in removal.below)),
        ))  # fmt: skip

    def verify(self) -> Iterator[Section]:
        if not self.removal.spec.long_restore:
            limit = literal(interval(self.removal.spec.restore_limit))
            sql = render("removal/too_long", identity=self.removal.identity, limit=limit)
            yield Section("verify", "target", sql, prose="within the limit")

    def risks(self) -> Iterator[str]:
        if self.removal.spec.long_restore:
            yield f"a restore may take as long as it takes: {self.removal.spec.long_restore}"


@dataclass(frozen=True)
class Unlink(RemovalStep):
    """Foreign keys and indexes go one by one before the columns: each would lock more than the table, or for longer."""

    kind: ClassVar[str] = "unlink"
    undo: ClassVar[str] = "makes them again; once the columns are dropped, `transhume restore` does"

    @property
    def what(self) -> str:
        names = [name for one in self.members for name in one._names]
        return f"{self.removal.relation.qualified}: without {', '.join(names)}"

    @property
    def _indexes(self) -> tuple[IndexEntry, ...]:
        return () if self.removal.partitioned else self.removal.indexes

    @property
    def _names(self) -> tuple[str, ...]:
        removal = self.removal
        keys = (*(key.name for key in removal.foreign_keys), *(one.name for one in removal.exclusions))
        return (*keys, *(index.name for index in self._indexes))

    @property
    def needed(self) -> bool:
        return any(one._names for one in self.members)

    def locks(self) -> Iterator[Lock]:
        for one in self.members:
            yield from one._locks()

    def _locks(self) -> Iterator[Lock]:
        for key in self.removal.foreign_keys:
            for on in (self.here, str(key.references)):
                yield Lock(AX, on, f"DROP CONSTRAINT {key.name}", old=True)
        for one in self.removal.exclusions:
            yield self.lock_here(AX, f"DROP CONSTRAINT {one.name}")
        if self._indexes:
            yield self.lock_here(SUE, "DROP INDEX CONCURRENTLY, outside of a transaction")

    def forward(self) -> Iterator[Section]:
        for one in self.members:
            yield from one._dropped()

    def _dropped(self) -> Iterator[Section]:
        removal = self.removal
        for key in removal.foreign_keys:
            lock = f"-- {self.said_here(AX)}, and on {key.references}"
            drop = f"ALTER TABLE {removal.table} DROP CONSTRAINT {ident(key.name)};"
            yield Section("build", "target", Sql(f"{lock}\n{drop}"), of=self.called(key.name))
        for one in removal.exclusions:
            drop = f"ALTER TABLE {removal.table} DROP CONSTRAINT {ident(one.name)};"
            yield Section("build", "target", Sql(f"-- {self.said_here(AX)}\n{drop}"), of=self.called(one.name))
        for index in self._indexes:
            name, called = qname(removal.relation.schema, index.name), self.called(index.name)
            probe = render("removal/gone", name=literal(name))
            yield Section("probe", "target", probe, of=called, prose="valid: it is gone")
            drop = f"DROP INDEX CONCURRENTLY {name};"
            yield Section("build", "target", Sql(f"-- {self.said_here(SUE)}\n{drop}"), of=called, prose="outside")

    def revert(self) -> Iterator[Section]:
        made = join("\n", (sql for one in self.members for sql in one._made()))
        yield Section("revert", "target", _shown(self.removal, made))

    def _made(self) -> Iterator[Sql]:
        yield from (Sql(f"{index.definition};") for index in self._indexes)
        for one in self.removal.constraints:
            if not one.indexed or one.definition.startswith("EXCLUDE"):
                loose = "" if one.valid else " NOT VALID"
                yield Sql(f"ALTER TABLE {self.removal.table} ADD CONSTRAINT {ident(one.name)} {one.definition}{loose};")


@dataclass(frozen=True)
class Drop(RemovalStep):
    """The drop: one transaction, one table. From here on only `transhume restore` leads back."""

    kind: ClassVar[str] = "drop"
    reversible: ClassVar[bool] = False

    @property
    def undo(self) -> str:
        return f"`transhume restore {self.removal.name}`: values come from the backup"

    @property
    def what(self) -> str:
        return f"{self.removal.shown} is dropped"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "LOCK TABLE, DROP TRIGGER, CREATE TRIGGER, DROP COLUMN")

    def risks(self) -> Iterator[str]:
        if self.removal.children:
            kind = "partitions" if self.removal.partitioned else "children"
            yield f"{len(self.removal.children)} {kind} are locked with their table"
        for key in (key for one in self.removal.members for key in one.unique):
            yield f"{key.name} goes with the columns, and what it keeps unique is so no longer"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        gone = (*capture_triggers(self), *guard_triggers(self))
        functions = (Sql(f"{removal.own('capture')}()"), Sql(f"{removal.own('guard')}()"))
        asked = unnamed(removal).removesuffix(";")
        if removal.below:  # no child has come, either
            asked = f"({asked})\nUNION ALL (\n{members(removal).removesuffix(';')}\n)"
        body = asked.replace("\n", "\n    ")
        drop = render(
            "removal/drop", lock=self.said(AX), table=removal.table, unnamed=Sql(body), gone=gone,
            triggers=create_triggers(soak_triggers(self)), functions=functions,
            drops=tuple(Sql(f"DROP COLUMN {ident(one.hidden)} RESTRICT") for one in removal.columns),
        )  # fmt: skip
        functions_of_soak = soak_functions(removal, back=False)
        yield Section("apply", "target", join("\n\n", (moved_table(removal), functions_of_soak, drop)))


def soak_triggers(step: RemovalStep) -> tuple[Trigger, ...]:
    """The triggers that keep the backup exact without the columns; those of truncations stay as they are."""
    removal = step.removal
    moving = (
        Trigger(
            removal.trigger("moving", "zzzz"), Sql("BEFORE UPDATE"), one.removal.table,
            Sql(f"FOR EACH ROW WHEN ({removal.other_key})\n  EXECUTE FUNCTION {removal.own('moving')}()"),
            one.said_here(AX),
        )
        for one in step.members
    )  # fmt: skip
    rows = row_triggers(step, removal.own("soak"), "soak", removal.other_key)
    return (*moving, *rows)


def moved_table(removal: BoundRemoval) -> Sql:
    """Where a row's values are while its key changes."""
    return render(
        "removal/moved", moved=removal.own("moved"), backup=removal.backup, txid=_txid(removal), key=removal.keys()
    )


def soak_functions(removal: BoundRemoval, back: bool) -> Sql:
    """What these triggers call; `back`: the columns are there again, and what an insert says of them holds."""
    rest = [
        *(ident(gone.name) for gone in removal.columns),
        removal.present,
        removal.born,
        removal.written,
        removal.changed,
    ]
    listed = removal.by_member(Sql("tg_relid"), [
        literals([gone.name for gone in one.columns if back and gone.column.null]) for one in removal.members
    ])  # fmt: skip
    moving = render(
        "removal/moving_function", function=removal.own("moving"), moved=removal.own("moved"), backup=removal.backup,
        txid=_txid(removal), key=removal.keys(), rest=join(", ", rest), new_key=removal.keys("new", "trigger"),
        b_rest=_of("b", rest), old=matched(removal, "b", "old"), present=removal.present,
        set=tuple(Sql(f"{one} = excluded.{one}") for one in rest),
    )  # fmt: skip
    soak = render(
        "removal/soak_function", function=removal.own("soak"), moved=removal.own("moved"), table=removal.table,
        backup=removal.backup, txid=_txid(removal), key=removal.keys(), rest=join(", ", rest),
        old_t=matched(removal, "t", "old"), old_b=matched(removal, "b", "old"), new_m=matched(removal, "m", "new"),
        new_key=removal.keys("new", "trigger"), moved_key=removal.keys("moved"), moved_rest=_of("moved", rest),
        present=removal.present, born=removal.born, written=removal.written, changed=removal.changed, all=listed,
        set=tuple(Sql(f"{one} = excluded.{one}") for one in rest),
        emptied=tuple(Sql(f"{ident(gone.name)} = NULL") for gone in removal.columns),
    )  # fmt: skip
    return join("\n\n", (moving, soak))


def literals(names: Sequence[str]) -> Sql:
    """An array of texts."""
    return Sql(f"ARRAY[{join(', ', map(literal, names))}]::text[]")


def _txid(removal: BoundRemoval) -> Sql:
    return ident(f"{removal.mark}transaction")


def _of(row: str, columns: list[Sql]) -> Sql:
    return join(", ", (Sql(f"{row}.{one}") for one in columns))


def _shown(removal: BoundRemoval, sql: Sql) -> Sql:
    """Definitions name the columns as they were; while they hide, they are shown for as long as that takes."""
    if removal.spec.hide != "rename":
        return sql
    pairs = [(ident(gone.name), ident(gone.hidden)) for gone in removal.columns]
    show = (Sql(f"ALTER TABLE {removal.table} RENAME COLUMN {hidden} TO {name};") for name, hidden in pairs)
    hide = (Sql(f"ALTER TABLE {removal.table} RENAME COLUMN {name} TO {hidden};") for name, hidden in pairs)
    return join("\n", (*show, sql, *hide))
