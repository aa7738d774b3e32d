"""load: moves the rows of a table, chunk by chunk, and sets aside those that cannot move."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundColumn, BoundTable, Guard, Lookup
from compiler.chunks import sift, sifted, staging, walk
from compiler.direct import why_staged
from compiler.hierarchy import tree_guards
from compiler.kept import KeptReading, KeptRows, kept_reading
from compiler.layout import intact_sql, rows_sql, unique
from compiler.plan import Lock, Section
from compiler.references import MISSING
from compiler.render import render
from compiler.rows import Reading, identity_of, loaded, looked_up, reading, reject_columns, source_text
from compiler.sql import Sql, cast, column, ident, join, literal, tight
from compiler.steps.base import TableStep


@dataclass(frozen=True)
class LoadTable(TableStep):
    """Fill a table, which was empty, from its source in keyset order."""

    kind: ClassVar[str] = "load"

    @property
    def what(self) -> str:
        if self._kept is not None:
            return f"{rows_sql(self.table.id)} (target) -> {self.table.target} (target), in chunks by place"
        keys = ", ".join(key.name for key in self._reading.keyset)
        how = f"in chunks by {keys}" if keys else "in one transaction"
        path = (
            "" if self.layout.one_database else "directly, " if self._is_direct else f"through a stage ({self._why}), "
        )
        return f"{source_text(self.table)} (source) -> {self.table.target} (target), {path}{how}"

    @property
    def undo(self) -> str:
        return f"{'truncate' if self._truncates else 'delete'}: the table was empty"

    def after(self) -> tuple[str, ...]:
        """The table, its own map and those that it looks up in, and the tables that its author wants loaded first.

        The load itself may not need the table's map, but all that comes after it does.
        """
        own = [self.layout.mapped(self.table.id)] if self.table.map_table is not None else []
        looked_up_in = (self.layout.mapped(found.map_of) for bound in self.table.columns for found in bound.lookups)
        tree = [self.layout.hung(self.table.id)] if self.table.tree is not None else []
        loads = (f"load.{other}" for other in self.table.after)
        made, freed = self.layout.made(self.table), self.layout.freed_by(self.table)
        return unique((made, *freed, *own, *looked_up_in, *tree, *loads))

    def locks(self) -> Iterator[Lock]:
        if self._kept is None:
            yield from self.source_lock()
        yield self.lock("ROW EXCLUSIVE", "COPY" if self._is_direct else "INSERT")

    def risks(self) -> Iterator[str]:
        if self._kept is not None:
            yield "the rows are kept in unlogged tables until they are loaded: a crash of the server starts them anew"
        elif self._reading.by_place:
            yield "the source has no key: it is paged by where its rows are, and a crash starts it anew"
        elif not self.table.keyset:
            yield "the source has no key to page by: one transaction moves all of it, and a crash starts it anew"

    def forward(self) -> Iterator[Section]:
        yield from self._walk()
        if self._is_direct:
            yield from self._directly()
        elif not self._reading.in_place:
            yield from staging(self._reading)
        if not self._is_direct:
            load = self._load(self._rows, (*self._chunk, *self._moving, *self._passed))
            yield self._section("load", load, "all rows but those that fail a guard")
        if self._guards:
            yield self._section("reject", self._reject(), "sets aside the rows that fail one", noted=True)
        if self._nullable:
            yield self._section("nulled", self._nulled(), "notes the references that lead nowhere", noted=True)
        if self._stays:
            yield self._section("left", self._left(), "how many placeholders stay behind")
        if self._sifts:
            yield from self._sifting()

    def _walk(self) -> Iterator[Section]:
        if not isinstance(self._reading, KeptReading):
            yield from walk(self._reading)
            return
        intact = render("tree/intact", intact=intact_sql(self.table.id))
        yield Section("intact", "target", intact, prose="what the hierarchy has kept is still there")
        yield from self._reading.walk()

    def revert(self) -> Iterator[Section]:
        sql = render("load/revert", target=self.target, truncate=self._truncates)
        yield Section("revert", "target", sql)

    @property
    def _truncates(self) -> bool:
        """TRUNCATE refuses a table that a foreign key refers to, be both tables empty."""
        others = (relation for relation, _ in self.layout.incoming(self.table) if not self.layout.is_migrated(relation))
        return self.table.create or next(others, None) is None

    @cached_property
    def _reading(self) -> Reading:
        return reading(self.table, self.layout) if self._kept is None else kept_reading(self.table, self.layout)

    @cached_property
    def _kept(self) -> KeptRows | None:
        """The rows that a hierarchy has kept; None where the source is read."""
        tree = self.table.tree
        return None if tree is None else KeptRows(self.table, tree, self.layout)

    @cached_property
    def _why(self) -> str:
        """Why the rows go through a stage; "" where they need not."""
        return why_staged(self.table, self.layout)

    @property
    def _is_direct(self) -> bool:
        return not (self._why or self._reading.in_place)

    @property
    def _sifts(self) -> bool:
        """Whether the rows that the server refuses can be told from the others."""
        return bool(self.table.keyset) or not self.layout.one_database

    @cached_property
    def _rows(self) -> tuple[Sql, ...]:
        return (self._reading.rows, *looked_up(self.table.columns))

    @cached_property
    def _guards(self) -> tuple[tuple[str, Sql, Sql, str], ...]:
        """A missing reference that stops the run comes last: it is asked of the rows that nothing else keeps back.

        So it is asked of the same rows as where the reference is computed, which is looked at after the load.
        """
        every = [(bound, guard) for bound in self.table.columns for guard in bound.guards]
        guards = [guard for _, guard in sorted(every, key=lambda each: _stops(*each))]
        own = ((each.column, each.ok, each.told or literal(each.reason), each.sqlstate) for each in guards)
        tree = () if self._kept is None else tree_guards(self.table, self._kept.walk)
        return (*own, *((name, ok, literal(reason), state) for name, ok, reason, state in tree))

    @property
    def _chunk(self) -> tuple[Sql, ...]:
        """What bounds the rows of a chunk, where the rows that are read are not just these."""
        return self._reading.range if self._kept is not None else ()

    @property
    def _moving(self) -> tuple[Sql, ...]:
        """The rows but for those that the hierarchy leaves behind."""
        return (Sql(f"({self._stays}) IS NOT TRUE"),) if self._stays else ()

    @property
    def _stays(self) -> Sql | None:
        """The rows that stay behind without being set aside."""
        stops = () if self._kept is None else self._kept.walk.stops
        stay = [fate for fate in ("left", "filtered") if fate in stops]
        return Sql(f"node.fate IN ({join(', ', map(literal, stay))})") if stay else None

    @cached_property
    def _passed(self) -> tuple[Sql, ...]:
        return tuple(Sql(f"({ok})") for _, ok, _, _ in self._guards)

    @cached_property
    def _nullable(self) -> tuple[tuple[BoundColumn, Lookup], ...]:
        """The looked-up references that may lead nowhere."""
        return tuple(
            (column, found) for column in self.table.columns for found in column.lookups
            if any(reference.missing == "null" for reference in column.references)
        )  # fmt: skip

    def _section(self, name: str, sql: Sql, prose: str, *, noted: bool = False) -> Section:
        binds = (*self._reading.binds, *(("run", "step", "chunk") if noted else ()))
        return Section(name, "target", sql, binds=binds, prose=prose)

    def _directly(self) -> Iterator[Section]:
        """The source maps the rows; the stage is for those that cannot be loaded."""
        read, columns = self._reading, self.table.columns
        staged, rows, conditions = read.read
        values = tuple(Sql(f"{each.raw or each.comparable} AS {ident(each.name)}") for each in columns)
        direct = render("load/direct", values=values, rows=rows, conditions=(*conditions, *self._passed))
        yield Section("direct", "source", direct, binds=read.bounds, prose="all rows but those that fail a guard")
        receive = render("load/receive", target=self.target, columns=tuple(ident(each.name) for each in columns))
        yield Section("receive", "target", receive)
        if self._guards:
            failing = render("load/failing", columns=staged, rows=rows, conditions=conditions, guards=self._passed)
            yield Section("failing", "source", failing, binds=read.bounds, prose="the rows that fail one")
        yield from staging(read, empties=True)

    def _load(self, rows: tuple[Sql, ...], conditions: tuple[Sql, ...]) -> Sql:
        columns = self.table.columns
        return render(
            "load/load", target=self.target, columns=tuple(ident(each.name) for each in columns),
            numbered=_is_numbered(self.table), rows=rows, conditions=conditions,
            values=tuple(Sql(f"{self._value(each)} AS {ident(each.name)}") for each in columns),
        )  # fmt: skip

    def _value(self, bound: BoundColumn) -> Sql:
        """A column's value; a derived key that is kept with the row is not made a second time."""
        tree, read = self.table.tree, self._reading
        if isinstance(read, KeptReading) and read.made and tree and tree.id and bound.value == tree.id.value:
            name, type = read.made
            value = column("s", name)
            return value if type == bound.type else cast(value, bound.type)
        return loaded(bound)

    def _reject(self) -> Sql:
        guards = tuple(
            Sql(f"({place}, {ok}, {literal(name)}, {reason}, {literal(sqlstate)})")
            for place, (name, ok, reason, sqlstate) in enumerate(self._guards, 1)
        )
        return render(
            "load/reject", guards=guards, rows=self._rows, conditions=(*self._chunk, *self._moving), **self._noted
        )

    def _left(self) -> Sql:
        assert self._stays is not None  # its caller
        return render("tree/left", rows=(self._reading.rows,), conditions=(*self._chunk, self._stays))

    def _nulled(self) -> Sql:
        references = tuple(_missing(column, lookup) for column, lookup in self._nullable)
        return render(
            "load/nulled", references=references, rows=self._rows, sifts=self._sifts,
            conditions=(*self._chunk, *self._moving, *self._passed), **self._noted,
        )  # fmt: skip

    def _sifting(self) -> Iterator[Section]:
        """For a chunk that the server has refused: its rows are staged, if they are not yet, and loaded in pieces."""
        read = self._reading
        if self._reading.in_place:
            yield from staging(read, empties=True)
        rows = (read.staged_rows, *looked_up(self.table.columns))
        yield sift(read, self._load(rows, (sifted(), *self._moving, *self._passed)))
        binds = ("run", "step", "chunk", "places", "columns", "reasons", "sqlstates")
        run, step, chunk = (Sql(f"${place}") for place in range(1, 4))
        noted = {**self._noted, "run": run, "step": step, "chunk": chunk}
        sql = render("load/set_aside", rows=read.staged_rows, **noted)
        yield Section("set_aside", "target", sql, binds=binds, prose="sets aside the rows that were refused")

    @property
    def _noted(self) -> dict[str, Sql]:
        """What every row in transhume.reject starts with."""
        run, step, chunk = (Sql(f"${self._reading.number(place)}") for place in (1, 2, 3))
        return {
            "reject": reject_columns(), "run": run, "step": step, "chunk": chunk,
            "identity": identity_of(self.table), "key": self._reading.key, "raw": self._reading.raw,
        }  # fmt: skip


def _stops(bound: BoundColumn, guard: Guard) -> bool:
    """Whether a row that fails the guard stops the run, by the gate of reconcile."""
    return guard.sqlstate == MISSING and any(reference.missing == "fail" for reference in bound.references)


def _missing(bound: BoundColumn, lookup: Lookup) -> Sql:
    """One line of `nulled`: the reference is there, and no row of the map answers to it."""
    there = join(" AND ", (Sql(f"{tight(value)} IS NOT NULL") for _, value in lookup.match))
    missing = Sql(f"{there} AND {column(lookup.alias, lookup.match[0][0])} IS NULL")
    reason = f"{lookup.map_of} has no such row"
    return Sql(f"({literal(bound.name)}, {literal(reason)}, {missing})")


def _is_numbered(table: BoundTable) -> bool:
    """A column that is GENERATED ALWAYS AS IDENTITY is written."""
    written = {bound.name for bound in table.columns}
    existing = table.existing.columns if table.existing else ()
    return any(column.identity == "always" and column.name in written for column in existing)
