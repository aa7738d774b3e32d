"""Phase 2, detach: nothing writes the columns any more, and nobody sees them. Each step is undone in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from compiler.dependents import ON_TABLE, ROUTINES
from compiler.plan import Lock, Section
from compiler.removals.base import (
    AX,
    SRE,
    SUE,
    RemovalStep,
    Trigger,
    again,
    capture_function,
    compare,
    create_triggers,
    identity_gates,
    member_gates,
    uses,
)
from compiler.removals.bound import BoundRemoval, Dependent, differ, other_value
from compiler.removals.dependents import VIEWS
from compiler.render import render
from compiler.sql import Sql, column, ident, join, literal


@dataclass(frozen=True)
class Relax(RemovalStep):
    """Rows may come without the columns."""

    kind: ClassVar[str] = "relax"
    undo: ClassVar[str] = "gives rows that came without a value the one of `on_restore`, then sets NOT NULL again"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified}: rows may come without {_listed(self._columns)}"

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(
            gone.name for one in self.removal.members for gone in one.columns if not gone.column.null
        ))  # fmt: skip

    def locks(self) -> Iterator[Lock]:
        if self._columns:
            yield self.lock(AX, "DROP NOT NULL")

    def forward(self) -> Iterator[Section]:
        yield from member_gates(self.removal)
        yield Section("gate", "target", compare(self.removal, hidden=False), prose="the backup is what the table has")
        yield from identity_gates(self.removal)
        if self._columns:
            yield Section("apply", "target", join("\n\n", self._null("DROP", inherited=True)))

    def revert(self) -> Iterator[Section]:
        if self._columns:
            yield Section("revert", "target", join("\n\n", (
                *_filled(self.removal), *self._null("SET", inherited=False), again(self.removal, "null"),
            )))  # fmt: skip

    def _null(self, change: str, inherited: bool) -> Iterator[Sql]:
        """`inherited`: also where a parent says it, for a child keeps what is its own too."""
        for step in self.members:
            names = [gone.name for gone in step.removal.columns if not gone.column.null]
            changes = tuple(
                Sql(f"ALTER COLUMN {ident(name)} {change} NOT NULL")
                for name in names if inherited or name not in step.removal.above
            )  # fmt: skip
            if changes:
                yield altered(step, AX, changes)


@dataclass(frozen=True)
class Rebuild(RemovalStep):
    """What uses the columns goes, or is made anew without them, in one transaction."""

    kind: ClassVar[str] = "rebuild"
    undo: ClassVar[str] = "makes all of them again, as phase 1 has written them down"

    @property
    def what(self) -> str:
        return f"without {self.removal.shown}: {', '.join(one.text for one in self._changed)}"

    @property
    def _changed(self) -> tuple[Dependent, ...]:
        return changed(self.removal)

    def locks(self) -> Iterator[Lock]:
        for one in self._changed:
            if one.kind in (*VIEWS, *ON_TABLE):
                on = str(one.on or one.identity).replace('"', "")
                yield Lock(AX, on, f"DROP {one.kind.upper()}", old=True)

    def risks(self) -> Iterator[str]:
        tables = {one.on for one in self._changed if one.kind in ON_TABLE}
        if len(tables) > 1:
            yield f"ACCESS EXCLUSIVE on several tables in one transaction: {', '.join(sorted(tables))}"

    def forward(self) -> Iterator[Section]:
        kept = [one.text for one in self._changed if one.action == "rewrite"]
        rewritten = [_ended(one.sql) for one in self._changed if one.action == "rewrite" and one.sql]
        parts = [join("\n", dropping(self.removal)), *rewritten]
        if kept:
            parts.append(again(self.removal, "kept", objects=kept))
        yield Section("apply", "target", join("\n\n", (Sql(part) for part in parts if part)))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", remade(self.removal))


@dataclass(frozen=True)
class Guard(RemovalStep):
    """Writes to the columns are noted."""

    kind: ClassVar[str] = "guard"
    undo: ClassVar[str] = "drops the triggers"

    @property
    def what(self) -> str:
        return f"{self.removal.shown}: whoever writes it is noted in transhume.guard_hit"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(SRE, "CREATE TRIGGER")

    def risks(self) -> Iterator[str]:
        for one in self.removal.members:
            yield from self._unnoticed(one)

    def _unnoticed(self, one: BoundRemoval) -> Iterator[str]:
        for gone in one.columns:
            name = f"{one.relation.qualified}.{gone.name}" if one is not self.removal else gone.name
            if gone.constant is None:
                yield f"{name} has a default that is another for each row: inserts that send a value go unnoticed"

    def forward(self) -> Iterator[Section]:
        kept = [one.text for one in self.removal.dependents if one.action == "keep"]
        rest = uses(self.removal, kept, "refuses", "rebuilt", "breaks")
        yield Section("gate", "target", rest, prose="nothing in the database needs it any more")
        parts = (guard_function(self.removal, refuse=False), create_triggers(guard_triggers(self)))
        yield Section("apply", "target", join("\n\n", parts))

    def revert(self) -> Iterator[Section]:
        drops = (one.drop for one in guard_triggers(self))
        function = Sql(f"DROP FUNCTION {self.removal.own('guard')}();")
        yield Section("revert", "target", join("\n", (*drops, function)))


@dataclass(frozen=True)
class Enforce(RemovalStep):
    """Writes to the columns are refused, once nobody has written them for long enough."""

    kind: ClassVar[str] = "enforce"
    undo: ClassVar[str] = "the guard only notes again"

    @property
    def what(self) -> str:
        return f"{self.removal.shown}: whoever writes it gets the error TH001"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        if float(removal.spec.phases.watch.rstrip("msdh")):
            lasts = literal(interval(removal.spec.phases.watch))
            step = literal(f"guard.{removal.name}")
            guarded = render("removal/guarded", step=step, lasts=lasts)
            yield Section("gate", "target", guarded, binds=("run",), prose="it was watched for long enough")
            written = render("removal/written", identity=removal.identity, lasts=lasts)
            yield Section("gate", "target", written, prose="nobody writes it")
        yield Section("apply", "target", guard_function(removal, refuse=True))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", guard_function(self.removal, refuse=False))


@dataclass(frozen=True)
class Hide(RemovalStep):
    """Nobody sees the columns any more: what still reads them fails as it will after the drop."""

    kind: ClassVar[str] = "hide"
    undo: ClassVar[str] = "shows them again"

    @property
    def what(self) -> str:
        names = ", ".join(f"{gone.name} -> {gone.hidden}" for gone in self.removal.columns)
        roles = ", ".join(word.text for word in self.removal.spec.roles)
        how = f"{names}" if self.removal.spec.hide == "rename" else f"hidden from {roles}"
        return f"{self.removal.relation.qualified}: {how}"

    @property
    def _renames(self) -> bool:
        return self.removal.spec.hide == "rename"

    def locks(self) -> Iterator[Lock]:
        if self._renames:
            yield self.lock(AX, "RENAME COLUMN")

    def risks(self) -> Iterator[str]:
        if self._renames:
            yield "what still reads the columns fails from here on; prepared SELECT * fail once (0A000)"

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", self._renamed(True) if self._renames else again(self.removal, "hide"))

    def verify(self) -> Iterator[Section]:
        yield Section("verify", "target", compare(self.removal, hidden=True))

    def revert(self) -> Iterator[Section]:
        sql = self._renamed(False) if self._renames else again(self.removal, "show", "column")
        yield Section("revert", "target", sql)

    def _renamed(self, hidden: bool) -> Sql:
        pairs = ((ident(gone.name), ident(gone.hidden)) for gone in self.removal.columns)
        renames = tuple(Rename(*pair) if hidden else Rename(pair[1], pair[0]) for pair in pairs)
        function = capture_function(self.removal, hidden)
        return render("removal/hide", table=self.removal.table, renames=renames, lock=self.said(AX), function=function)


@dataclass(frozen=True, slots=True)
class Rename:
    """A column's name, and the one that it gets."""

    old: Sql
    new: Sql


def changed(removal: BoundRemoval) -> tuple[Dependent, ...]:
    """The dependents that are dropped or rewritten, in the order in which they go."""
    dropped = [one for one in removal.dependents if one.action == "drop" and one.moves]
    return (*dropped, *(one for one in removal.dependents if one.action == "rewrite"))


def dropping(removal: BoundRemoval) -> Iterator[Sql]:
    """The statements that drop them; a routine that is rewritten is replaced, and needs none."""
    dropped = [one for one in removal.dependents if one.action == "drop" and one.moves]
    rewritten = [one for one in removal.dependents if one.action == "rewrite"]
    for one in (*dropped, *reversed(rewritten)):
        if one.action == "drop" or one.kind not in ROUTINES:
            yield _dropped(one, removal)


def _dropped(one: Dependent, removal: BoundRemoval) -> Sql:
    name = one.identity.removesuffix(f" on {one.on}")
    if one.kind == "constraint":
        return Sql(
            f"-- {AX} on {one.on}, and on the table that it refers to\nALTER TABLE {one.on} DROP CONSTRAINT {name};"
        )
    if one.kind == "publication":
        on = one.on or removal.table
        return Sql(f"-- {SUE} on {on}\nALTER PUBLICATION {one.identity} DROP TABLE {on};")
    if one.kind in ON_TABLE:
        return Sql(f"-- {AX} on {one.on}\nDROP {one.kind.upper()} {name} ON {one.on};")
    lock = f"-- {AX} on {one.identity}\n" if one.kind in VIEWS else ""
    return Sql(f"{lock}DROP {one.kind.upper()} {one.identity};")


def remade(removal: BoundRemoval) -> Sql:
    """The statements that make them all again; what stands in for a rewritten one goes first."""
    stands_in = [one for one in reversed(removal.dependents) if one.action == "rewrite" and one.kind not in ROUTINES]
    drops = [_dropped(one, removal) for one in stands_in]
    return join("\n\n", (*drops, again(removal, "dependent", "kept", "valid")))


def guard_function(removal: BoundRemoval, refuse: bool) -> Sql:
    """What the guard's triggers call."""
    names = ", ".join(gone.name for gone in removal.columns)
    message = f"{removal.relation.qualified}: {names} must not be written any more"
    hint = f"removal {removal.name} of {removal.project.name}: {removal.spec.because}"
    return render(
        "removal/guard_function", function=removal.own("guard"), refuse=refuse, identity=removal.identity,
        message=literal(message), hint=literal(hint),
    )  # fmt: skip


def guard_triggers(step: RemovalStep) -> tuple[Trigger, ...]:
    """They fire last, by their names, so that what a trigger before them has written is seen too."""
    return tuple(one for each in step.members for one in _guard_triggers(each))


def _guard_triggers(step: RemovalStep) -> Iterator[Trigger]:
    removal, said = step.removal, step.said_here(SRE)
    call = f"EXECUTE FUNCTION {removal.own('guard')}()"
    updates = join("\n    OR ", (other_value(gone, hidden=False) for gone in removal.columns))
    inserts = join("\n    OR ", (
        differ(column("new", gone.name), Sql(f"{gone.constant}::{gone.column.type}"))
        for gone in removal.columns if gone.constant is not None
    ))  # fmt: skip
    found = [("guard_insert", "BEFORE INSERT", inserts), ("guard_update", "BEFORE UPDATE", updates)]
    for name, event, condition in found:
        if condition:
            rest = Sql(f"FOR EACH ROW WHEN (\n    {condition}\n  )\n  {call}")
            yield Trigger(removal.trigger(name, "zzzz"), Sql(event), removal.table, rest, said, always=False)


def altered(step: RemovalStep, level: str, changes: tuple[Sql, ...]) -> Sql:
    """One ALTER TABLE with several changes, and its lock beside it."""
    return Sql(f"-- {step.said(level)}\nALTER TABLE {step.removal.table}\n  " + ",\n  ".join(changes) + ";")


def interval(duration: str) -> str:
    """A duration of a spec as PostgreSQL reads it."""
    units = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number = duration.rstrip("msdh")
    return f"{number} {units[duration.removeprefix(number)]}"


def _filled(removal: BoundRemoval) -> Iterator[Sql]:
    """What rows without a value get before NOT NULL is set again."""
    only = "ONLY " if removal.below else ""
    for table, gone in ((one.table, gone) for one in removal.members for gone in one.columns):
        if not gone.column.null and gone.fill is not None:
            name = ident(gone.name)
            yield Sql(
                f"SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire\n"
                f"UPDATE {only}{table} AS t SET {name} = {gone.fill} WHERE t.{name} IS NULL;\n"
                f"SET LOCAL session_replication_role = origin;"
            )


def _ended(sql: Sql) -> Sql:
    return sql if sql.endswith(";") else Sql(f"{sql};")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "the columns (they may be NULL already)"
