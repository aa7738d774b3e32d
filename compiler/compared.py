"""Which columns of a table the checksums compare, and how each side computes its value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler.bound import BoundColumn, BoundTable, Lookup, legacy_name
from compiler.checksums import WHOLE, checksum, hashed
from compiler.layout import Layout, map_sql, relation_sql
from compiler.rows import as_type, text_key
from compiler.sql import Sql, cast, column, fits, ident, join, literal, tight

SMALL = 50_000  # rows: to look up an id among 1,500 took 0.14 us, 15,000 0.21 us, 150,000 0.57 us; to make it, 0.37 us


@dataclass(frozen=True, slots=True)
class Compared:
    """A column with its value on both sides, of one built-in type.

    `nullable`: a row that lost this reference has NULL in the target, whatever the source says. `joins` are what the
    target needs to compute its value. `raw` is a uuid of the source as bytes, whose hash is that of the uuid.
    """

    name: str
    type: str
    source: Sql
    target: Sql
    nullable: bool
    joins: tuple[Sql, ...]
    same_encoding: bool
    raw: Sql | None = None

    def sum(self, value: Sql, seed: Sql, nulled: Sql | None) -> Sql:
        """The checksum of the column; `nulled` is the condition of the rows that lost the reference."""
        return checksum(_kept(value, nulled), self.type, seed, same_encoding=self.same_encoding)

    def of_source(self, nulled: Sql | None) -> Sql:
        """The source's value for the hash of a row."""
        if self.raw is not None:
            return _kept(self.raw, nulled)
        return hashed(_kept(self.source, nulled), self.type, same_encoding=self.same_encoding)

    def of_target(self) -> Sql:
        """The target's."""
        return hashed(self.target, self.type, same_encoding=self.same_encoding)


def _kept(value: Sql, nulled: Sql | None) -> Sql:
    return value if nulled is None else Sql(f"CASE WHEN {nulled} THEN NULL ELSE {value} END")


def compared(table: BoundTable, layout: Layout) -> tuple[Compared, ...]:
    """The columns that both sides can compute, in the target's order."""
    return tuple(found for bound in table.columns if (found := _compared(bound, table, layout)) is not None)


def incomparable(table: BoundTable) -> Iterator[tuple[str, str]]:
    """The columns that are not compared, and why."""
    for bound in table.columns:
        known = bound.node is not None or _looked_up(bound) is not None or _is_compared_by_parts(bound)
        if bound.comparable is None and not known:
            yield bound.name, bound.incomparable


def _compared(bound: BoundColumn, table: BoundTable, layout: Layout) -> Compared | None:
    if bound.node is not None:
        return None  # the shape of the hierarchy is compared as a whole: compiler/shape.py
    nullable = any(reference.missing == "null" for reference in bound.references)
    if (parent := _small_parent(bound, table, layout)) is not None:
        return _by_parent(bound, parent, nullable)
    if bound.comparable is not None:
        target = column("t", bound.name)
        if bound.type != bound.wire:
            target = cast(target, bound.wire)
        same_encoding = layout.same_encoding
        return Compared(bound.name, bound.wire, bound.comparable, target, nullable, (), same_encoding, bound.raw)
    if _is_compared_by_parts(bound):
        return _by_parts(bound, nullable, layout)
    lookup = _looked_up(bound)
    return None if lookup is None else _by_legacy_key(bound, lookup, nullable, layout)


def _small_parent(bound: BoundColumn, table: BoundTable, layout: Layout) -> BoundTable | None:
    """The table that a derived reference means, if its rows keep the whole number that their keys are derived from.

    To look up an id costs half of making it, where the parent is so small that a hash of it stays in the caches.
    """
    reference = bound.reference
    if reference is None or not (reference.derived and reference.constrained and len(reference.by) == 1):
        return None
    parent = layout.tables[reference.table]
    if parent.rows > SMALL or len(parent.keyset) != 1 or not parent.legacy_key:
        return None
    columns = {each.name: each for each in parent.columns}
    here = next(source for source in (*table.keyset, *table.reads) if source.name == reference.by[0])
    there, kept = parent.keyset[0], columns[parent.legacy_key[0]]
    made = columns[reference.column].value.replace(column("s", there.name), column("s", here.name))
    whole = {here.wire, there.wire, kept.wire} <= WHOLE and here.wire != bound.wire
    return parent if whole and made == bound.value else None


def _by_parent(bound: BoundColumn, parent: BoundTable, nullable: bool) -> Compared:
    """Compare the legacy key that a reference holds with that of the row that it refers to now."""
    assert bound.reference is not None  # _small_parent
    alias = fits(f"parent_{bound.name}")
    key = column(alias, bound.reference.column)
    joined = Sql(f"LEFT JOIN {relation_sql(parent.target)} AS {ident(alias)} ON {key} = {column('t', bound.name)}")
    here, there = column("s", bound.reference.by[0]), column(alias, parent.legacy_key[0])
    return Compared(bound.name, "bigint", here, there, nullable, (joined,), same_encoding=True)


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
    parent = next(each for each in layout.tables[lookup.map_of].columns if each.name == bound.reference.column)
    key = as_type(key, parent.type, bound.type)
    joined = Sql(f"LEFT JOIN {map_sql(lookup.map_of)} AS {alias} ON {key} = {column('t', bound.name)}")
    return Compared(bound.name, "text", _known(here), _known(there), nullable, (joined,), layout.same_encoding)


def _is_compared_by_parts(bound: BoundColumn) -> bool:
    """A generic reference that is looked up for some of the tables; the source can compute it for the others."""
    return bool(bound.lookups and bound.choices) and all(
        choice.lookup or choice.comparable is not None for choice in bound.choices
    )


def _by_parts(bound: BoundColumn, nullable: bool, layout: Layout) -> Compared:
    """Compare each row with its table before it, as that table's key is compared."""
    here, there, joins = [], [], list[Sql]()
    for choice in bound.choices:
        if choice.lookup is None:
            assert choice.comparable is not None  # _is_compared_by_parts
            one, other = tight(choice.comparable), column("t", bound.name)
        else:
            part = replace(bound, reference=choice.reference, choices=())
            found = _by_legacy_key(part, choice.lookup, nullable, layout)
            one, other = tight(found.source), tight(found.target)
            joins += found.joins
        start = literal(f"{choice.reference.table} ")
        here.append(Sql(f"WHEN {choice.when} THEN {start} || {one}::text"))
        there.append(Sql(f"WHEN {choice.told or 'true'} THEN {start} || {other}::text"))
    source, target = (Sql(f"CASE {join(' ', parts)} END") for parts in (here, there))
    return Compared(bound.name, "text", source, target, nullable, tuple(joins), layout.same_encoding)


def _known(values: list[Sql]) -> Sql:
    """The values as one text; NULL where any of them is."""
    if len(values) == 1:
        return cast(values[0], "text")
    there = join(" AND ", (Sql(f"{value} IS NOT NULL") for value in values))
    return Sql(f"CASE WHEN {there} THEN {text_key(values)} END")
