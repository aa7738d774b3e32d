"""map: fills a map table, legacy key beside new key, for tables whose keys cannot be derived."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundColumn, MapTable, SourceColumn, legacy_name
from compiler.chunks import sift, sifted, staging, walk
from compiler.layout import RUNNER, map_sql, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import Reading, loaded, looked_up, source_text
from compiler.sql import Sql, column, fits, ident, join, names
from compiler.steps.base import TableStep


@dataclass(frozen=True)
class FillMap(TableStep):
    """Fill transhume.map_<id> with the key of each row that will be loaded; `kept` is the table's `map_table`."""

    kept: MapTable
    kind: ClassVar[str] = "map"

    @property
    def what(self) -> str:
        return f"{source_text(self.table)} (source) -> {RUNNER}.map_{self.table.id} (target): legacy key, new key"

    @property
    def undo(self) -> str:
        return "drops the map table"

    def after(self) -> tuple[str, ...]:
        """The table, and the maps that its own key is looked up in."""
        others = (key.lookup.map_of for key in self._keys if key.lookup and key.lookup.map_of != self.table.id)
        return unique((self.layout.made(self.table), *map(self.layout.mapped, others)))

    def locks(self) -> Iterator[Lock]:
        yield from self.source_lock()

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", self._create(), prose="before the first chunk")
        yield from walk(self._reading, ranges=False)
        if not self.layout.one_database:
            yield from staging(self._reading, ordered=True)
        load = self._load(self._reading.rows)
        yield Section("load", "target", load, binds=self._reading.binds, prose="the rows that have a key")
        if self.layout.one_database and self.table.keyset:
            yield from staging(self._reading, ordered=True, empties=True)
        if not self.layout.one_database or self.table.keyset:
            yield sift(self._reading, self._load(self._reading.staged_rows, sifted()))
        yield from self._builds()

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", render("map/revert", map=self._map))

    @property
    def _map(self) -> Sql:
        return map_sql(self.table.id)

    @cached_property
    def _keys(self) -> tuple[BoundColumn, ...]:
        by_name = {bound.name: bound for bound in self.table.columns}
        return tuple(by_name[name] for name in self.kept.key)

    @cached_property
    def _computed(self) -> tuple[BoundColumn, ...]:
        """The key columns that are values, not numbers."""
        return tuple(bound for bound in self._keys if bound.name != self.kept.numbered)

    @cached_property
    def _reading(self) -> Reading:
        """Only what is kept where no more is needed: a map is read in full once more than its table."""
        plain = all(bound.copies for bound in self._computed)
        copied = {bound.copies for bound in self._computed}
        own = (source for source in self.table.reads if source.named is None)  # no key is made of a type's name
        read = [source for source in own if not plain or source.name in copied]
        columns = {source.name: source for source in (*self.table.keyset, *self.kept.legacy, *read)}
        return Reading(self.table, self.layout, tuple(columns.values()), f"stage_map_{self.table.id}")

    def _create(self) -> Sql:
        typed = [_typed(legacy_name(source.name), source.wire, self._is_key(source)) for source in self.kept.legacy]
        for bound in self._keys:
            # Numbers go up, so their index is cheap to keep, and the greatest so far is found at once.
            primary = " PRIMARY KEY" if bound.name == self.kept.numbered else ""
            typed.append(Sql(f"{_typed(bound.name, bound.type, True)}{primary}"))
        return render("map/apply", map=self._map, columns=typed)

    def _is_key(self, source: SourceColumn) -> bool:
        return any(source.name == key.name for key in self.table.keyset)

    def _load(self, rows: Sql, *conditions: Sql) -> Sql:
        legacy = tuple((legacy_name(source.name), column("s", source.name)) for source in self.kept.legacy)
        values = (*legacy, *((bound.name, self._value(bound)) for bound in self._keys))
        guards = (Sql(f"({guard.ok})") for bound in self._computed for guard in bound.guards)
        return render(
            "map/load", map=self._map, columns=tuple(ident(name) for name, _ in values),
            values=tuple(Sql(f"{value} AS {ident(name)}") for name, value in values),
            rows=(rows, *looked_up(self._computed)), conditions=(*conditions, *guards),
        )  # fmt: skip

    def _value(self, bound: BoundColumn) -> Sql:
        if bound.name != self.kept.numbered:
            return loaded(bound)
        # The stage was filled in the order of the source's key; its own order is the source's, whatever the collation.
        keys = join(", ", (column("s", source.name) for source in self.table.keyset))
        order = keys if self.layout.one_database else Sql("s.ctid")
        return render("map/number", map=self._map, column=ident(bound.name), order=order)

    def _builds(self) -> Iterator[Section]:
        """What is looked up by is unique, or a row would refer to two. New keys may be equal: see index."""
        keyset = tuple(source.name for source in self.table.keyset)
        for legacy in unique((*((keyset,) if keyset else ()), *self.kept.lookups)):
            yield self._index(tuple(map(legacy_name, legacy)), is_unique=True)
        if not self.kept.numbered:
            yield self._index(self.kept.key, is_unique=False)
        yield Section("build", "target", render("map/analyze", map=self._map), of="statistics")

    def _index(self, columns: tuple[str, ...], *, is_unique: bool) -> Section:
        name = fits("_".join((f"map_{self.table.id}", *columns)))
        sql = render("map/build", is_unique=is_unique, name=ident(name), map=self._map, columns=names(columns))
        return Section("build", "target", sql, of=name)


def _typed(name: str, type: str, is_set: bool) -> Sql:
    return Sql(f"{ident(name)} {type}{' NOT NULL' if is_set else ''}")
