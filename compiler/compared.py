"""Which columns of a table the checksums compare, and how each side computes its value."""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundColumn, BoundTable, Lookup, legacy_name
from compiler.checksums import checksum
from compiler.layout import Layout, map_sql
from compiler.rows import text_key
from compiler.sql import Sql, cast, column, ident, join, tight


@dataclass(frozen=True, slots=True)
class Compared:
    """A column with its value on both sides, of one built-in type.

    `nullable`: a row that lost this reference has NULL in the target, whatever the source says. `joins` are what the
    target needs to compute its value.
    """

    name: str
    type: str
    source: Sql
    target: Sql
    nullable: bool
    joins: tuple[Sql, ...]
    same_encoding: bool

    def sum(self, value: Sql, seed: Sql, nulled: int | None) -> Sql:
        """The checksum; $nulled are the keys of the rows that lost the reference."""
        if nulled is not None:
            value = Sql(f"CASE WHEN h.text = ANY (${nulled}::text[]) THEN NULL ELSE {value} END")
        return checksum(value, self.type, seed, same_encoding=self.same_encoding)


def compared(table: BoundTable, layout: Layout) -> tuple[Compared, ...]:
    """The columns that both sides can compute, in the target's order."""
    return tuple(found for bound in table.columns if (found := _compared(bound, layout)) is not None)


def incomparable(table: BoundTable) -> Iterator[tuple[str, str]]:
    """The columns that are not compared, and why."""
    for bound in table.columns:
        if bound.comparable is None and _looked_up(bound) is None:
            yield bound.name, bound.incomparable


def _compared(bound: BoundColumn, layout: Layout) -> Compared | None:
    nullable = bound.reference is not None and bound.reference.missing == "null"
    if bound.comparable is not None:
        target = column("t", bound.name)
        if bound.type != bound.wire:
            target = cast(target, bound.wire)
        return Compared(bound.name, bound.wire, bound.comparable, target, nullable, (), layout.same_encoding)
    lookup = _looked_up(bound)
    return None if lookup is None else _by_legacy_key(bound, lookup, nullable, layout)


def _looked_up(bound: BoundColumn) -> Lookup | None:
    """The lookup of a reference; a number that the table's own map gave has nothing on the source to compare with."""
    return bound.lookup if bound.reference is not None and bound.comparable is None else None


def _by_legacy_key(bound: BoundColumn, lookup: Lookup, nullable: bool, layout: Layout) -> Compared:
    """Compare what a reference was looked up by with what its map says of the row that it refers to now."""
    assert bound.reference is not None  # _looked_up
    kept = layout.tables[lookup.map_of].map_table
    types = {legacy_name(source.name): source.wire for source in kept.legacy} if kept else {}
    here = [cast(tight(value), types[name]) if name in types else value for name, value in lookup.match]
    there = [column(lookup.alias, name) for name, _ in lookup.match]
    alias, key = ident(lookup.alias), column(lookup.alias, bound.reference.column)
    joined = Sql(f"LEFT JOIN {map_sql(lookup.map_of)} AS {alias} ON {key} = {column('t', bound.name)}")
    return Compared(bound.name, "text", _known(here), _known(there), nullable, (joined,), layout.same_encoding)


def _known(values: list[Sql]) -> Sql:
    """The values as one text; NULL where any of them is."""
    if len(values) == 1:
        return cast(values[0], "text")
    there = join(" AND ", (Sql(f"{value} IS NOT NULL") for value in values))
    return Sql(f"CASE WHEN {there} THEN {text_key(values)} END")
