"""What a table's spec says to begin with: keys, references and columns, as the two catalogs suggest them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from compiler.catalog import Column, ForeignKey, Relation
from compiler.init_constraints import Constraints, constraints
from compiler.init_match import Pair, short
from compiler.names import Name
from compiler.sql import fits, ident, qname

Keys = Literal["uuid", "same"]
Value = str | int | bool | None | dict[str, "Value"] | list["Value"]

INTEGERS = ("smallint", "integer", "bigint")
# What fills a column that the target requires and the source does not have, until somebody decides.
NEUTRAL: tuple[tuple[str, Value], ...] = (
    (r"text|character varying.*|character.*", ""),
    (r"smallint|integer|bigint|numeric.*|real|double precision", 0),
    (r"boolean", False),
    (r"jsonb?|.*\[\]", "{}"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A spec to be written. `undecided` columns have a made-up value or none; `notes` say what is not carried over."""

    table: str
    source: Value
    key: Mapping[str, Value]
    columns: Mapping[str, Value]
    undecided: tuple[str, ...]
    same: tuple[str, ...]
    drop: Mapping[str, str]
    constraints: Constraints
    create: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """What a draft must know of the whole: names in specs by source table, and what becomes of integer keys."""

    names: Mapping[Name, str]
    sources: Mapping[Name, Relation]
    schema: str
    keys: Keys


def draft(pair: Pair, move: Move) -> Draft:
    """The draft of one table. What the source holds is kept, or named under `drop`, or noted."""
    references = dict(_references(pair, move))
    key = dict(_key(pair, move, references))
    rest = [column for column in pair.source.columns if column.name not in _key_sources(pair)]
    drop = {column.name: why for column in rest if (why := _why_dropped(column, pair))}
    kept = [column for column in rest if column.name not in drop]
    values = {column.name: _value(column, pair, references) for column in kept}
    legacy = dict(_legacy(pair, key))
    undecided = dict(_undecided(pair, {*key, *values, *legacy}))
    made_up = {name: value for name, value in undecided.items() if value is not None}
    recoded = {*references, *(name for name, value in key.items() if isinstance(value, dict) and "uuid" in value)}
    new = pair.existing is None
    carried = constraints(pair.source, recoded) if new else Constraints((), {}, ())
    return Draft(
        table=move.names[pair.source.qualified],
        source=_source(pair, move),
        key=key,
        columns=legacy | {name: value for name, value in values.items() if value != name} | made_up,
        undecided=tuple(undecided),
        same=tuple(name for name, value in values.items() if value == name),
        drop=drop,
        constraints=carried,
        create=new,
        notes=(*carried.left, *(_wide_references(pair, move) if new else ())),
    )


def _source(pair: Pair, move: Move) -> Value:
    """The table's name, or a query where its children's rows are not wanted."""
    if not pair.only:
        return short(pair.source.qualified, move.schema)
    columns = ", ".join(ident(column.name) for column in pair.source.columns)
    query = f"select {columns} from only {qname(pair.source.schema, pair.source.name)}"
    primary = pair.source.primary_key
    return {"sql": query, "key": [*primary.columns]} if primary else {"sql": query}


def _key_sources(pair: Pair) -> tuple[str, ...]:
    """The source columns that fill the target's primary key, in its order; none where they cannot be told."""
    primary = pair.source.primary_key
    if pair.existing is None:
        return primary.columns if primary else ()
    wanted = pair.existing.primary_key
    if wanted is None:
        return ()
    if all(pair.source.column(name) for name in wanted.columns):
        return wanted.columns
    return primary.columns if primary and len(primary.columns) == len(wanted.columns) == 1 else ()


def _key(pair: Pair, move: Move, references: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    sources = _key_sources(pair)
    existing = pair.existing.primary_key if pair.existing else None
    for target, source in zip(existing.columns if existing else sources, sources, strict=False):
        derived = len(sources) == 1 and _becomes_uuid(pair, move, source, target)
        yield target, references.get(source, {"uuid" if derived else "same": source})


def _becomes_uuid(pair: Pair, move: Move, source: str, target: str) -> bool:
    """Whether an integer key becomes a UUID: in a table of the target's, its type says so."""
    column = pair.source.column(source)
    if column is None or column.type not in INTEGERS:
        return False
    if pair.existing is None:
        return move.keys == "uuid"
    there = pair.existing.column(target)
    return there is not None and there.type == "uuid"


def _legacy(pair: Pair, key: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """The source's key beside the id that is derived from it, where the target has or may get a column for it."""
    for value in key.values():
        if isinstance(value, dict) and "uuid" in value:
            source = str(value["uuid"])
            name = fits(f"legacy_{source}")
            if pair.existing is None:
                while pair.source.column(name):
                    name = fits(f"{name}_")
                yield name, source
            elif free := [n for n in (name, "legacy_id") if pair.existing.column(n) and not pair.source.column(n)]:
                yield free[0], source


def _references(pair: Pair, move: Move) -> Iterator[tuple[str, Value]]:
    """`{ref: ...}` for each column with a foreign key of its own to a table that is moved too."""
    seen = set()
    for foreign in pair.source.foreign_keys:
        if len(foreign.columns) == 1 and foreign.references in move.names and foreign.columns[0] not in seen:
            seen.add(foreign.columns[0])
            yield foreign.columns[0], _reference(foreign, move)


def _reference(foreign: ForeignKey, move: Move) -> Value:
    relation = move.sources.get(foreign.references)
    primary = relation.primary_key if relation else None
    value: dict[str, Value] = {"ref": move.names[foreign.references], "by": foreign.columns[0]}
    return value if primary and primary.columns == foreign.to else value | {"on": foreign.to[0]}


def _wide_references(pair: Pair, move: Move) -> Iterator[str]:
    for foreign in pair.source.foreign_keys:
        if len(foreign.columns) > 1 or foreign.references not in move.names:
            yield f"foreign key {foreign.name}: {foreign.definition}"


def _why_dropped(column: Column, pair: Pair) -> str:
    if pair.existing is None:
        return ""
    there = pair.existing.column(column.name)
    if there is None:
        return "not in the target"
    return "the target computes it" if there.generated else ""


def _value(column: Column, pair: Pair, references: Mapping[str, Value]) -> Value:
    """A reference, the column's own name where it is copied, or the type it gets."""
    if column.name in references:
        return references[column.name]
    there = pair.existing.column(column.name) if pair.existing else column
    return column.name if there is None or there.type == column.type else {"from": column.name, "type": there.type}


def _undecided(pair: Pair, filled: set[str]) -> Iterator[tuple[str, Value]]:
    """A value for each column that must not be null, has no default and no counterpart; None where none is at hand."""
    for column in pair.existing.columns if pair.existing else ():
        needed = not column.null and column.default is None and column.identity is None and column.generated is None
        if needed and column.name not in filled:
            found = (value for types, value in NEUTRAL if re.fullmatch(types, column.type))
            yield column.name, next(({"value": value} for value in found), None)
