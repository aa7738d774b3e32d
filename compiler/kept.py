"""The rows of a hierarchy, read once: kept in the target, beside what the hierarchy is made of, until their load."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from compiler.bound import BoundTable, BoundTree, SourceColumn
from compiler.hierarchy import Narrow, narrow
from compiler.layout import Layout, intact_sql, rows_sql, tree_sql
from compiler.paging import PLACE
from compiler.plan import Section
from compiler.render import render
from compiler.rows import STAGED_PLACE, Reading, looked_up, reading, where, wired
from compiler.sql import Sql, column, ident, join, literal
from compiler.tree_walk import Walk

_PASSES = "passes the filter"  # the column that says so where all rows are read
_PLACE = column("node", "ctid")
_PART = "part in source"  # the staged column that says in which table of the hierarchy that place is


@dataclass(frozen=True)
class KeptRows:
    """The rows of a table that is a hierarchy, as its `tree` step keeps them: columns of the stage, and others beside.

    Beside them is what the source alone can say, or says with less effort: parents that stand in another table, the
    derived key, and whether the row passes the guards that the source evaluates.
    """

    table: BoundTable
    tree: BoundTree
    layout: Layout

    @cached_property
    def narrow(self) -> Narrow:
        """What the hierarchy is made of."""
        return narrow(self.table, self.tree, self.layout)

    @property
    def finds(self) -> bool:
        """Parents are found in the target, among all rows of the source, even those that do not move."""
        return bool(self.tree.links.finds)

    @cached_property
    def reading(self) -> Reading:
        """How the source is read, chunk by chunk."""
        table = replace(self.table, where=None) if self.finds else self.table
        return replace(reading(self.table, self.layout), table=table)

    @cached_property
    def _beside(self) -> tuple[tuple[str, Sql, str], ...]:
        """The columns beside the row's own: name, value as the source gives it, type. No value is kept twice."""
        known = {(wired(source), source.wire) for source in self.reading.columns}
        found = [each for each in self.narrow.columns if (each[1], each[2]) not in known and not self._as_well(each[0])]
        if self.narrow.conditions:
            found.append(("fits", Sql(f"({join(' AND ', self.narrow.conditions)}) IS TRUE"), "boolean"))
        if self.finds and self.table.where is not None:
            found.append(("passes", column("s", _PASSES), "boolean"))
        return tuple((self._name(name), value, type) for name, value, type in found)

    def _as_well(self, name: str) -> bool:
        """The target makes it of the row's own columns as well as the source could, or finds it."""
        links, plain = self.tree.links, {each.name for each in self.reading.columns if each.wire == each.type}
        if name == "parent":
            return self.finds or (not links.joins and {links.name, self.tree.key.name} <= plain)
        return name == "key" and self.tree.key.name in plain

    def _name(self, name: str) -> str:
        return beside_name(name, self.reading.columns)

    @property
    def names(self) -> tuple[Sql, ...]:
        """All columns. A column is read faster the fewer stand before it, and texts of any length most of all."""
        own = (name for _, name, _ in self.reading.staged)
        return (*(ident(name) for name, _, _ in self._beside), *own)

    @property
    def definitions(self) -> tuple[Sql, ...]:
        """All columns with their types."""
        own = (Sql(f"{name} {type}") for _, name, type in self.reading.staged)
        return (*(Sql(f"{ident(name)} {type}") for name, _, type in self._beside), *own)

    @property
    def chunk(self) -> Sql:
        """The rows of one chunk of the source."""
        relation, conditions = self._source
        own = (column("s", source.name) for source in self.reading.columns)
        beside = (Sql(f"{value} AS {ident(name)}") for name, value, _ in self._beside)
        joins = (Sql(f"  {each}".replace("\n", "\n  ")) for each in (() if self.finds else self.tree.links.joins))
        relation = join("\n", (relation, *joins))
        return render("rows/chunk", columns=(*beside, *own), relation=relation, conditions=conditions, order=None)

    @property
    def _source(self) -> tuple[Sql, tuple[Sql, ...]]:
        """The rows of a chunk as they are staged, as a FROM item `s`, with its conditions."""
        read = self.reading
        if not self.finds:
            _, relation, conditions = read.read
            return relation, conditions
        passes = tuple(Sql(f"{condition} IS TRUE AS {ident(_PASSES)}") for condition in where(self.table))
        rows = render(
            "rows/chunk", columns=(*read.selected, *passes), relation=read.relation, conditions=read.range, order=None
        )
        return Sql(f"(\n{rows}\n) AS s"), ()

    # What is made of them in the target: there `s` is a row that is kept.

    @property
    def values(self) -> tuple[tuple[str, Sql, str], ...]:
        """What the hierarchy is made of: name, value and type."""
        own = {(wired(source), source.wire): column("s", source.name) for source in self.reading.columns}
        beside = {name for name, _, _ in self._beside}

        def value(name: str, wanted: Sql, type: str) -> Sql:
            if self.finds and name == "parent":
                return Sql(f"NULL::{type}")
            return column("s", self._name(name)) if self._name(name) in beside else own.get((wanted, type), wanted)

        return tuple((name, value(name, wanted, type), type) for name, wanted, type in self.narrow.columns)

    @property
    def fates(self) -> tuple[tuple[str, Sql], ...]:
        """What becomes of a row of which it is known before that it will not move, and when: the first that holds."""
        return tuple(self._fates())

    def _fates(self) -> Iterator[tuple[str, Sql]]:
        beside = {name for name, _, _ in self._beside}
        if self._name("passes") in beside:
            yield "filtered", Sql(f"NOT {column('s', self._name('passes'))}")
        own = (column("s", self._name("fits")),) if self._name("fits") in beside else ()
        if guards := (*own, *self.narrow.guards):
            yield "unfit", Sql(f"({join(' AND ', guards)}) IS NOT TRUE")
        if self.tree.links.several == "reject":
            yield "several", Sql(f"{column('s', self._name('parents'))} > 1")

    @cached_property
    def walk(self) -> Walk:
        """How the hierarchy is computed."""
        return Walk(self.table.id, self.tree, tuple(fate for fate, _ in self.fates))

    @property
    def relation(self) -> tuple[Sql, ...]:
        """The rows with the maps that their guards need, as a FROM item `s`."""
        return (Sql(f"{rows_sql(self.table.id)} AS s"), *looked_up(self.narrow.looked_up))


@dataclass(frozen=True, slots=True)
class KeptReading(Reading):
    """How the load reads the rows that a hierarchy has kept: by place in the hierarchy, each with its `node`."""

    @property
    def keyset(self) -> tuple[SourceColumn, ...]:
        """The place of a row in the hierarchy."""
        return (PLACE,)

    @property
    def in_place(self) -> bool:
        """They are in the target."""
        return True

    @property
    def rows(self) -> Sql:
        """The rows of a chunk: each place in the hierarchy, as `node`, and the row there, as `s`."""
        own = (column("r", name) for name, _ in self._own)
        row = render("tree/row", rows=rows_sql(self.table.id), columns=join(", ", own))
        return join("\n", (Sql(f"{tree_sql(self.table.id)} AS node"), row))

    @property
    def staged_rows(self) -> Sql:
        """The rows of the stage, each with its `node`."""
        part, place = (column("s", name) for name in (_PART, STAGED_PLACE))
        node = render("tree/staged", tree=tree_sql(self.table.id), part=part, place=place)
        return join("\n", (Sql(f"{self.stage} AS s"), node))

    @property
    def staged(self) -> tuple[tuple[Sql, Sql, Sql], ...]:
        """The columns of the stage: the row's own, and its place in the hierarchy, which is a table for each part."""
        own = tuple((column("s", name), ident(name), Sql(type)) for name, type in self._own)
        at = (("oid", column("node", "tableoid"), _PART), ("tid", _PLACE, STAGED_PLACE))
        return (*own, *((Sql(f"{value} AS {ident(name)}"), ident(name), Sql(type)) for type, value, name in at))

    @property
    def _own(self) -> Iterator[tuple[str, str]]:
        """The columns of a row, with their types: as the source has them, and the derived key."""
        yield from ((source.name, source.wire) for source in self.columns)
        if (made := self.made) is not None:
            yield made

    @property
    def made(self) -> tuple[str, str] | None:
        """The column with the derived key, which was made where the row was read, and its type."""
        tree = self.table.tree
        return None if tree is None or tree.id is None else (beside_name("id", self.columns), tree.id.type)

    @property
    def raw(self) -> Sql:
        """The row as the source has it."""
        made = () if self.made is None else (literal(self.made[0]),)
        return join(" - ", (Sql("to_jsonb(s.*)"), literal(_PART), literal(STAGED_PLACE), *made))

    @property
    def relation(self) -> Sql:
        """What the stage is filled from."""
        return self.rows

    @property
    def range(self) -> tuple[Sql, ...]:
        """The conditions that bound a chunk."""
        return (Sql(f"($1::text IS NULL OR {_PLACE} > $1::tid)"), Sql(f"($2::text IS NULL OR {_PLACE} <= $2::tid)"))

    @property
    def chunk(self) -> tuple[Sql, ...]:
        """The same: what the filter leaves out is not there."""
        return self.range

    def walk(self) -> Iterator[Section]:
        """How many rows there are, where ranges and chunks of them end, and how many rows a chunk has."""
        tree = tree_sql(self.table.id)
        regclass = Sql(f"{literal(tree)}::regclass")
        parts = render("chunk/parts", relation=regclass)
        relation, blocks = Sql(f"{tree} AS node"), render("chunk/blocks", relation=regclass, parts=parts)
        step = literal(f"tree.{self.table.id}")
        size = render("tree/size", step=step, rows=literal(rows_sql(self.table.id)))
        yield Section("size", "target", size, binds=("run",), prose="the rows that are kept, and their bytes")
        split = render("chunk/split_blocks", blocks=blocks)
        yield Section("split", "target", split, binds=("ranges", "share"), prose="where each range ends but the last")
        bound = render("chunk/bound_blocks", blocks=blocks, rows=Sql("$3"))
        yield Section("bound", "target", bound, binds=(*self.bounds, "rows"), prose="where the next chunk ends")
        count = render("chunk/count", where=None, relation=relation, conditions=self.range)
        yield Section("count", "target", count, binds=self.bounds, prose="the rows of the chunk")


def beside_name(name: str, columns: Sequence[SourceColumn]) -> str:
    """The name of a column beside the row's own, which may be called anything."""
    kept = f"node {name}"
    while any(source.name == kept for source in columns):
        kept += "_"
    return kept


def kept_reading(table: BoundTable, layout: Layout) -> KeptReading:
    """All that the load of a hierarchy reads."""
    of_source = reading(table, layout)
    return KeptReading(table, layout, of_source.columns, of_source.stage_name)


def working(table_id: str) -> tuple[Sql, ...]:
    """The working tables of a hierarchy that are left when it is computed."""
    return tree_sql(table_id), rows_sql(table_id), intact_sql(table_id)


def drops(tables: Iterable[Sql], inherited: Collection[Sql]) -> Iterator[Sql]:
    """How working tables go, of which any may be there; with those that are `inherited` the tables of their parts."""
    for each in tables:
        yield Sql(f"DROP TABLE IF EXISTS {each}{' CASCADE' if each in inherited else ''};")
