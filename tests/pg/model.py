"""What should become of a made-up legacy database, computed in plain Python, without the plan or its SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.pg.model_columns import Bad, Fill, Row, derived
from tests.pg.model_tables import Link, Table, World, spec_name

NO_PARENT, TWICE, UNCHECKED, EMPTY = "23503", "23505", "23514", "23502"


@dataclass(slots=True)
class Moved:
    """A row on its way: its source, and the values of its target."""

    source: Row
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Fate:
    """What becomes of a table's rows. `aside` has the action and the possible SQLSTATEs by source key."""

    live: list[Moved] = field(default_factory=list)
    filtered: int = 0
    aside: dict[tuple[Any, ...], tuple[str, frozenset[str]]] = field(default_factory=dict)
    keyless: Counter[tuple[str, frozenset[str]]] = field(default_factory=Counter)
    nulled: set[tuple[tuple[Any, ...], str]] = field(default_factory=set)
    fails: bool = False

    def set_aside(self, table: Table, row: Row, action: str, *sqlstates: str) -> None:
        """Take a row out of the move."""
        if table.key:
            self.aside[table.key_of(row)] = (action, frozenset(sqlstates))
        else:
            self.keyless[action, frozenset(sqlstates)] += 1


class Model:
    """The world after the move."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maps: dict[str, dict[tuple[Any, ...], Any]] = {}
        self.by_key: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], Any]] = {}
        self.fates = {name: Fate() for name in world.tables}
        for table in world.tables.values():
            self._number(table)
        for table in world.tables.values():
            self._load(table)
        for table in world.tables.values():
            self._unique(table)
        self._reconcile()

    @property
    def fails(self) -> bool:
        """A reference that must not be missing is, or the load is stuck."""
        return any(fate.fails for fate in self.fates.values())

    def _passing(self, table: Table) -> list[dict[str, Any]]:
        return [row for row in table.rows if table.where is None or table.where[1](row)]

    def _number(self, table: Table) -> None:
        """The rows in the order of the source's key, numbered."""
        table.rows.sort(key=lambda row: tuple(_order(value) for value in table.key_of(row)))
        for number, row in enumerate(self._passing(table), 1):
            row["#"] = number

    def _follow(self, link: Link, row: Row) -> Any:
        """The key that a reference leads to, be the row there or not; Bad where it is looked up in vain."""
        other, by = self.world.tables[link.table], tuple(row[name] for name in link.by)
        if any(value is None for value in by):
            return None
        if other.strategy == "uuid" and link.on == other.key:
            return derived(spec_name(other.name), by, other.key_types)
        if other.strategy == "same" and link.on == other.key:
            return by[0]
        for each in self._passing(other):
            if tuple(each[name] for name in link.on) == by and (found := self._key(other, each)) is not None:
                return found
        raise Bad(NO_PARENT)

    def _key(self, table: Table, row: Row) -> Any:
        (fill,) = table.target_key
        assert isinstance(fill, Fill)
        try:
            return fill.value(row)
        except Bad:
            return None

    def _load(self, table: Table) -> None:
        fate, rows = self.fates[table.name], self._passing(table)
        fate.filtered = len(table.rows) - len(rows)
        for row in rows:
            moved = Moved(row)
            problems = list(self._problems(table, moved))
            guards = sorted((problem for problem in problems if problem.guard), key=lambda problem: problem.stops)
            unchecked = self._unchecked(table, moved)
            if not problems and not unchecked:
                fate.live.append(moved)
                continue
            first = [problem.sqlstate for problem in guards[:1]] or [problem.sqlstate for problem in problems]
            fate.fails |= self._stuck(table, problems, unchecked)
            checked = unchecked and self._guards_check(table)
            fate.fails |= bool(guards) and guards[0].stops and not checked
            fate.set_aside(table, row, "rejected", *first, *([UNCHECKED] if unchecked else []))

    def _stuck(self, table: Table, problems: list[Bad], unchecked: bool) -> bool:
        """Within one database rows without a key cannot be sifted: what only the server finds stops the load."""
        if table.key or self.world.databases == 2 or any(problem.guard for problem in problems):
            return False
        return bool(problems) or (unchecked and not self._guards_check(table))

    def _guards_check(self, table: Table) -> bool:
        """Whether the table's check is a guard of its load."""
        filler = {fill.name: fill for fill in table.all}[table.check[0]] if table.check else None
        computed = isinstance(filler, Fill) and isinstance(filler.spec, dict) and "sql" in filler.spec
        return table.create and not computed

    def _problems(self, table: Table, moved: Moved) -> Iterator[Bad]:
        fate = self.fates[table.name]
        for fill in table.all:
            try:
                value = self._value(fill, moved.source)
                if value is None and fill.filled:
                    raise Bad(EMPTY)
                moved.values[fill.name] = value
            except Bad as bad:
                if isinstance(fill, Link) and bad.sqlstate == NO_PARENT:
                    bad.stops = fill.missing == "fail"
                    if fill.missing == "null":
                        moved.values[fill.name] = None
                        fate.nulled.add((table.key_of(moved.source), fill.name))
                        continue
                yield bad

    def _value(self, fill: Fill | Link, row: Row) -> Any:
        return self._follow(fill, row) if isinstance(fill, Link) else fill.value(row)

    def _unchecked(self, table: Table, moved: Moved) -> bool:
        value = moved.values.get(table.check[0]) if table.check else None
        return value is not None and value <= -15

    def _unique(self, table: Table) -> None:
        if table.target_key:
            self._distinct(table, tuple(fill.name for fill in table.target_key), "reject", "")
        for index in table.uniques:
            self._distinct(table, index.columns, index.duplicates, index.positive)

    def _distinct(self, table: Table, columns: tuple[str, ...], duplicates: str, positive: str) -> None:
        fate = self.fates[table.name]
        groups: dict[tuple[Any, ...], list[Moved]] = {}
        for moved in fate.live:
            values = tuple(moved.values[name] for name in columns)
            if None not in values and (not positive or (moved.values[positive] or 0) > 0):
                groups.setdefault(values, []).append(moved)
        gone = [row for group in groups.values() if len(group) > 1 for row in group[duplicates == "first" :]]
        for moved in gone:
            fate.live.remove(moved)
            fate.set_aside(table, moved.source, "reconciled", TWICE)

    def _reconcile(self) -> None:
        """Parents first, a circle at once: until nothing changes, rows without their parent go, or lose it.

        What must not be missing is asked before that, and once more of the rows that are left: with those that go,
        their references go too.
        """
        for group in self._groups():
            self._demand(group)
            while sum(self._settle(table) for table in group):
                pass
            self._demand(group)

    def _demand(self, group: list[Table]) -> None:
        for table in group:
            for link in _links(table, "fail"):
                self.fates[table.name].fails |= any(self._lost(table, link))

    def _groups(self) -> Iterator[list[Table]]:
        above = {name: self._above(name) for name in self.world.tables}
        for name in sorted(above, key=lambda name: len(above[name] | {name})):
            circle = [other for other in above if name in above[other] and other in above[name]]
            group = list(dict.fromkeys([name, *circle]))
            if name == min(group):
                yield [self.world.tables[each] for each in group]

    def _above(self, name: str) -> frozenset[str]:
        """The tables that a table refers to, and those that they refer to."""
        found: set[str] = set()
        todo = [name]
        while todo:
            new = {link.table for link in _links(self.world.tables[todo.pop()])} - found
            found |= new
            todo += new
        return frozenset(found)

    def _lost(self, table: Table, link: Link) -> list[Moved]:
        (key,) = self.world.tables[link.table].target_key
        there = {moved.values[key.name] for moved in self.fates[link.table].live}
        return [moved for moved in self.fates[table.name].live if moved.values[link.name] not in (None, *there)]

    def _settle(self, table: Table) -> bool:
        fate, changed = self.fates[table.name], False
        for link in _links(table, "reject", "null"):
            for moved in self._lost(table, link):
                changed = True
                if link.missing == "null":
                    moved.values[link.name] = None
                    fate.nulled.add((table.key_of(moved.source), link.name))
                else:
                    fate.live.remove(moved)
                    fate.set_aside(table, moved.source, "reconciled", NO_PARENT)
        return changed


def _links(table: Table, *missing: str) -> list[Link]:
    return [fill for fill in table.fills if isinstance(fill, Link) and (not missing or fill.missing in missing)]


def _order(value: Any) -> Any:
    """As the server's collation C has it."""
    return value.encode() if isinstance(value, str) else value
