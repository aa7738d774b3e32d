"""Phase 3, drop: when all gates are open, the columns go in one short transaction; the backup stays exact after it."""

from __future__ import annotations

from collections.abc import Iterator
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
    matched,
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
        identity = render("removal/replica_identity", table=literal(removal.table), names=names_of(removal))
        yield Section("gate", "target", identity, prose="the replica identity is another index")
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
            rows=Sql(str(SAMPLE)), present=removal.present, set=sets, same=removal.same_key("b", "t"),
            identity=removal.identity, t_key=removal.keys("t"), b_key=removal.keys("b"),
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
        names = [key.name for key in self.removal.foreign_keys]
        names += [one.name for one in self.removal.exclusions]
        names += [index.name for index in self._indexes]
        return f"{self.removal.relation.qualified}: without {', '.join(names)}"

    @property
    def _indexes(self) -> tuple[IndexEntry, ...]:
        return () if self.removal.partitioned else self.removal.indexes

    @property
    def needed(self) -> bool:
        return bool(self.removal.foreign_keys or self.removal.exclusions or self._indexes)

    def locks(self) -> Iterator[Lock]:
        for key in self.removal.foreign_keys:
            for on in (self.everywhere, str(key.references)):
                yield Lock(AX, on, f"DROP CONSTRAINT {key.name}", old=True)
        for one in self.removal.exclusions:
            yield self.lock(AX, f"DROP CONSTRAINT {one.name}")
        if self._indexes:
            yield self.lock(SUE, "DROP INDEX CONCURRENTLY, outside of a transaction")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        for key in removal.foreign_keys:
            lock = f"-- {self.said(AX)}, and on {key.references}"
            drop = f"ALTER TABLE {removal.table} DROP CONSTRAINT {ident(key.name)};"
            yield Section("build", "target", Sql(f"{lock}\n{drop}"), of=key.name)
        for one in removal.exclusions:
            drop = f"ALTER TABLE {removal.table} DROP CONSTRAINT {ident(one.name)};"
            yield Section("build", "target", Sql(f"-- {self.said(AX)}\n{drop}"), of=one.name)
        for index in self._indexes:
            name = qname(removal.relation.schema, index.name)
            probe = render("removal/gone", name=literal(name))
            yield Section("probe", "target", probe, of=index.name, prose="valid: it is gone")
            drop = f"DROP INDEX CONCURRENTLY {name};"
            yield Section("build", "target", Sql(f"-- {self.said(SUE)}\n{drop}"), of=index.name, prose="outside")

    def revert(self) -> Iterator[Section]:
        removal = self.removal
        renamed = Sql("\n".join(
            f"{index.definition};" for index in self._indexes
        ))  # fmt: skip
        keys = [
            Sql(
                f"ALTER TABLE {removal.table} ADD CONSTRAINT {ident(one.name)} {one.definition}"
                f"{'' if one.valid else ' NOT VALID'};"
            )
            for one in removal.constraints
            if not one.indexed or one.definition.startswith("EXCLUDE")
        ]
        yield Section("revert", "target", _shown(removal, join("\n", (*([renamed] if renamed else []), *keys))))


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
            yield f"{len(self.removal.children)} partitions are locked with their table"
        for key in self.removal.unique:
            yield f"{key.name} goes with the columns, and what it keeps unique is so no longer"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        gone = (*capture_triggers(self), *guard_triggers(self))
        functions = (Sql(f"{removal.own('capture')}()"), Sql(f"{removal.own('guard')}()"))
        body = unnamed(removal).removesuffix(";").replace("\n", "\n    ")
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
    moving = Trigger(
        removal.trigger("moving", "zzzz"), Sql("BEFORE UPDATE"), removal.table,
        Sql(f"FOR EACH ROW WHEN ({removal.other_key})\n  EXECUTE FUNCTION {removal.own('moving')}()"),
        step.said(AX),
    )  # fmt: skip
    rows = row_triggers(step, removal.own("soak"), "soak", removal.other_key)
    return (moving, *rows)


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
    names = [gone.name for gone in removal.columns if back and gone.column.null]
    listed = Sql(f"ARRAY[{join(', ', map(literal, names))}]::text[]")
    moving = render(
        "removal/moving_function", function=removal.own("moving"), moved=removal.own("moved"), backup=removal.backup,
        txid=_txid(removal), key=removal.keys(), rest=join(", ", rest), new_key=removal.keys("new"),
        b_rest=_of("b", rest), old=matched(removal, "b", "old"), present=removal.present,
        set=tuple(Sql(f"{one} = excluded.{one}") for one in rest),
    )  # fmt: skip
    soak = render(
        "removal/soak_function", function=removal.own("soak"), moved=removal.own("moved"), table=removal.table,
        backup=removal.backup, txid=_txid(removal), key=removal.keys(), rest=join(", ", rest),
        old_t=matched(removal, "t", "old"), old_b=matched(removal, "b", "old"), new_m=matched(removal, "m", "new"),
        new_key=removal.keys("new"), moved_key=removal.keys("moved"), moved_rest=_of("moved", rest),
        present=removal.present, born=removal.born, written=removal.written, changed=removal.changed, all=listed,
        set=tuple(Sql(f"{one} = excluded.{one}") for one in rest),
        emptied=tuple(Sql(f"{ident(gone.name)} = NULL") for gone in removal.columns),
    )  # fmt: skip
    return join("\n\n", (moving, soak))


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
