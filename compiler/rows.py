"""How the rows of a table are read and told apart: pieces of SQL that several kinds of steps are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compiler.bound import BoundColumn, BoundTable, Naming, SourceColumn, legacy_name
from compiler.layout import Layout, map_sql, relation_sql
from compiler.paging import PLACE, keyset
from compiler.render import render
from compiler.sql import Sql, cast, column, fits, ident, join, literal, qname, tight
from compiler.types import read_type

STAGED_PLACE = "place in source"  # the staged column that says where a row was, if it is found by that


def source_text(table: BoundTable) -> str:
    """What people call the source: its name, or that it is a query."""
    return str(table.source) if table.source else f"query of {table.id}"


def source_sql(table: BoundTable) -> Sql:
    """The source as a FROM item called `s`; with all its partitions and INHERITS children, never ONLY."""
    if table.query is not None:
        return Sql(f"(\n{table.query}\n) AS s")
    assert table.source is not None  # resolve: a table has a source or a query
    return Sql(f"{relation_sql(table.source)} AS s")


def wired(source: SourceColumn) -> Sql:
    """A column of the source's row as the type it travels as."""
    if source.named is not None:
        alias = _naming(source.named)
        return Sql(f"{column(alias, 'app_label')} || '.' || {column(alias, 'model')}")
    value = column("s", source.name)
    return value if source.wire == source.type else cast(value, source.wire)


def wired_as(source: SourceColumn) -> Sql:
    """The same under its own name."""
    value = wired(source)
    as_it_is = source.wire == source.type and source.named is None
    return value if as_it_is else Sql(f"{value} AS {ident(source.name)}")


def _naming(found: Naming) -> str:
    return fits(f"n_{found.by}")


def with_names(relation: Sql, columns: Iterable[SourceColumn]) -> Sql:
    """A FROM item `s` joined with what names the types in it, where `columns` ask for names."""
    joins = (
        Sql(f"  LEFT JOIN {relation_sql(found.relation)} AS {ident(alias)} ON "
            f"{column(alias, found.key)} = {column('s', found.by)}")
        for found in (source.named for source in columns) if found is not None for alias in (_naming(found),)
    )  # fmt: skip
    return join("\n", (relation, *joins))


def text_key(values: Sequence[Sql]) -> Sql:
    """A key as one text: that of its one column, or of a row of texts."""
    if len(values) == 1:
        return cast(values[0], "text")
    return Sql(f"ROW({join(', ', (cast(value, 'text') for value in values))})::text")


def is_none_of(text: Sql, place: int) -> Sql:
    """The condition that a text is not in the array that $place binds; through an empty one no row is looked."""
    return Sql(f"(cardinality(${place}::text[]) = 0 OR ({text} = ANY (${place}::text[])) IS NOT TRUE)")


def as_type(key: Sql, own: str, wanted: str) -> Sql:
    """A key of type `own` as it can be compared with a column of type `wanted`; numbers can as they are."""
    one, other = (read_type(type).family for type in (own, wanted))
    return key if own == wanted or {one, other} <= {"integer", "numeric"} else cast(key, wanted)


def array_key(values: Sequence[Sql]) -> Sql:
    """A key as transhume.reject keeps it."""
    return Sql(f"ARRAY[{join(', ', (cast(value, 'text') for value in values))}]")


def loaded(column: BoundColumn) -> Sql:
    """A column's value as it is inserted."""
    return column.value if column.type == column.wire else cast(tight(column.value), column.type)


def looked_up(columns: Iterable[BoundColumn]) -> tuple[Sql, ...]:
    """The map tables that values are looked up in."""
    return tuple(
        render(
            "rows/lookup", map=map_sql(found.map_of), alias=ident(found.alias),
            match=tuple(Sql(f"{column(found.alias, name)} = {value}") for name, value in found.match),
        )
        for bound in columns for found in bound.lookups
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What a step reads of a table's source, chunk by chunk: into a stage, or in place where both are one database.

    Either way the rows of a chunk are a FROM item `s` whose columns have their wire types. In place they are bound by
    `binds`, two keys; the stage holds no others.
    """

    table: BoundTable
    layout: Layout
    columns: tuple[SourceColumn, ...]
    stage_name: str

    @property
    def keyset(self) -> tuple[SourceColumn, ...]:
        """What pages through the source."""
        return keyset(self.table, self.layout)

    @property
    def by_place(self) -> bool:
        """The source is paged by where its rows are."""
        return self.keyset == (PLACE,)

    @property
    def stage(self) -> Sql:
        """The temporary table."""
        return qname("pg_temp", fits(self.stage_name))

    @property
    def in_place(self) -> bool:
        """The rows are read where they are: in the target's database."""
        return self.layout.one_database

    @property
    def binds(self) -> tuple[str, ...]:
        """What bounds the rows of a chunk where they are read in place."""
        return self.bounds if self.in_place else ()

    @property
    def bounds(self) -> tuple[str, ...]:
        """What bounds a chunk in the source."""
        count = range(1, len(self.keyset) + 1)
        return (*(f"after.{n}" for n in count), *(f"upto.{n}" for n in count))

    def number(self, place: int) -> int:
        """The number of the `place`-th parameter behind those."""
        return len(self.binds) + place

    @property
    def rows(self) -> Sql:
        """The rows of a chunk, as a FROM item `s`."""
        return self._rows_of_source if self.in_place else self.staged_rows

    @property
    def staged_rows(self) -> Sql:
        """The rows of the stage, as a FROM item `s`."""
        return Sql(f"{self.stage} AS s")

    @property
    def read(self) -> tuple[tuple[Sql, ...], Sql, tuple[Sql, ...]]:
        """The rows of a chunk in the source, as they are staged: their columns, a FROM item `s`, its conditions."""
        if self._is_plain:
            return tuple(selected for selected, _, _ in self.staged), source_sql(self.table), self.chunk
        return (Sql("s.*"),), self._rows_of_source, ()

    @property
    def relation(self) -> Sql:
        """What the rows are read from, as a FROM item `s`, with all that they need."""
        return with_names(source_sql(self.table), self.columns)

    @property
    def whole(self) -> tuple[Sql, tuple[Sql, ...]]:
        """All rows that pass the filter, as a FROM item `s` with its conditions."""
        if self._is_plain:
            return source_sql(self.table), where(self.table)
        return self._of_source(self.selected, where(self.table)), ()

    @property
    def _is_plain(self) -> bool:
        """The columns are read as they are, from the source alone."""
        return all(source.wire == source.type and source.named is None for source in self.columns)

    @property
    def _rows_of_source(self) -> Sql:
        return self._of_source(tuple(selected for selected, _, _ in self.staged), self.chunk)

    def _of_source(self, columns: tuple[Sql, ...], conditions: tuple[Sql, ...]) -> Sql:
        chunk = render("rows/chunk", columns=columns, relation=self.relation, conditions=conditions, order=None)
        return Sql(f"(\n{chunk}\n) AS s")

    @property
    def selected(self) -> tuple[Sql, ...]:
        """The columns as they leave the source."""
        return tuple(map(wired_as, self.columns))

    @property
    def staged(self) -> tuple[tuple[Sql, Sql, Sql], ...]:
        """The columns of the stage: as they leave the source, their names, and their types."""
        columns = tuple((wired_as(source), ident(source.name), Sql(source.wire)) for source in self.columns)
        if not self.by_place:
            return columns
        place = Sql(f"s.tableoid::regclass::text || ' ' || s.ctid::text AS {ident(STAGED_PLACE)}")
        return (*columns, (place, ident(STAGED_PLACE), Sql("text")))

    @property
    def range(self) -> tuple[Sql, ...]:
        """The conditions that bound a chunk in the source."""
        keys = self.keyset
        return (after(keys, 1), upto(keys, len(keys) + 1)) if keys else ()

    @property
    def chunk(self) -> tuple[Sql, ...]:
        """The conditions of a chunk's rows, `where` among them."""
        return (*self.range, *where(self.table))

    @property
    def key(self) -> Sql:
        """The key of a row `s` as transhume.reject keeps it; where there is none, the row's place."""
        if self.table.keyset:
            return array_key([column("s", key.name) for key in self.table.keyset])
        if self.by_place:
            return array_key([column("s", STAGED_PLACE)])
        return Sql("ARRAY[(row_number() OVER ())::text]" if self.layout.one_database else "ARRAY[s.ctid::text]")

    @property
    def raw(self) -> Sql:
        """A row `s` as transhume.reject keeps it."""
        return Sql(f"to_jsonb(s.*) - {literal(STAGED_PLACE)}" if self.by_place else "to_jsonb(s.*)")


def reading(table: BoundTable, layout: Layout) -> Reading:
    """All that the load of a table reads."""
    columns = {source.name: source for source in (*table.keyset, *table.reads)}
    return Reading(table, layout, tuple(columns.values()), f"stage_{table.id}")


def where(table: BoundTable) -> tuple[Sql, ...]:
    """The table's filter, if it has one."""
    return (Sql(f"({table.where})"),) if table.where is not None else ()


def after(keyset: Sequence[SourceColumn], first: int) -> Sql:
    """The row comes after the key bound from $first on, or there is no bound. Constants fold: a range of the index."""
    return _beyond(keyset, first, ">")


def upto(keyset: Sequence[SourceColumn], first: int) -> Sql:
    """The row comes before the key bound from $first on, or is it, or there is no bound."""
    return _beyond(keyset, first, "<=")


def _beyond(keyset: Sequence[SourceColumn], first: int, operator: str) -> Sql:
    bounds = [Sql(f"${first + place}::{source.wire}") for place, source in enumerate(keyset)]
    left, right = join(", ", map(wired, keyset)), join(", ", bounds)
    compared = f"({left}) {operator} ({right})" if len(keyset) > 1 else f"{left} {operator} {right}"
    return Sql(f"(${first}::text IS NULL OR {compared})")


@dataclass(frozen=True, slots=True)
class SourceKey:
    """The source's key of a target row: its columns, typed as in the source.

    `entry` is the map table that they stand in, as `k`, and how its row is found; None where the row has them itself.
    `place` is the alias of a row that has no key: it is known by its place.
    """

    values: tuple[Sql, ...]
    entry: tuple[Sql, Sql] | None = None
    place: str = ""

    @property
    def joins(self) -> tuple[Sql, ...]:
        """The join that `values` need, if any."""
        return (Sql(f"JOIN {self.entry[0]} ON {self.entry[1]}"),) if self.entry else ()

    @property
    def inlined(self) -> "SourceKey":
        """The same without a join, beside which bare column names of the row would be ambiguous."""
        if self.entry is None:
            return self
        table, found = self.entry
        return SourceKey(tuple(Sql(f"(SELECT {value} FROM {table} WHERE {found})") for value in self.values))

    @property
    def array(self) -> Sql:
        """The key as transhume.reject keeps it. A place is told with its table: rows of the stage have places too."""
        if not self.place:
            return array_key(self.values)
        return Sql(f"ARRAY[{column(self.place, 'tableoid')}::regclass::text || ' ' || {join(', ', self.values)}::text]")


def source_key(table: BoundTable, row: str) -> SourceKey:
    """How the target's row `row` tells which row of the source it was: by columns of its own, or by its map table `k`.

    Where the source has no key, by its place.
    """
    if table.legacy_key:
        types = {bound.name: bound.type for bound in table.columns}
        pairs = zip(table.legacy_key, table.keyset, strict=True)
        values = ((column(row, name), types[name], source.wire) for name, source in pairs)
        return SourceKey(tuple(value if type == wire else cast(value, wire) for value, type, wire in values))
    if table.map_table is not None and table.keyset:
        matched = join(" AND ", (Sql(f"{column('k', name)} = {column(row, name)}") for name in table.map_table.key))
        kept = tuple(column("k", legacy_name(source.name)) for source in table.keyset)
        return SourceKey(kept, (Sql(f"{map_sql(table.id)} AS k"), matched))
    return SourceKey((column(row, "ctid"),), place=row)


def reject_columns() -> Sql:
    """The columns of transhume.reject that a plan writes."""
    return Sql("run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action")


def identity_of(table: BoundTable) -> Sql:
    """The two values by which transhume.reject knows the table: its id, and its source's name."""
    return join(", ", (literal(table.id), literal(source_text(table))))
