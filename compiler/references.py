"""`{ref: patients, by: patient_id}`: the migrated key of the row that a source column pointed at.

Where the key is derived from the columns that `by` matches, or a copy of them, the value is computed from `by` alone.
Otherwise it is looked up in the referenced table's map table, which is filled before any table is loaded: references
never order the loads, and may run in circles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from compiler.bound import BoundReference, Guard, Lookup, SourceColumn, legacy_name
from compiler.casts import Side, cast
from compiler.columns_copied import guard, there
from compiler.columns_made import derived_id, key_type
from compiler.diagnostics import Diagnostic, SpecError, known_here
from compiler.indexes import primary_key
from compiler.names import qualify
from compiler.spec import Copy, Derived, Mapping, Reference, Word
from compiler.sql import Sql, column, fits, join
from compiler.type_space import shown
from compiler.types import TypeName
from compiler.world import Here, Made, accepted, refuse

MISSING = "23503"  # foreign_key_violation
KeyType = Callable[[Here, Mapping], TypeName]


@dataclass(frozen=True, slots=True)
class Followed:
    """A reference with its ends: `other` is the table, `key` what fills its key, `by` (of `here`) matches its `on`.

    `value` stands in the place of `by`, where that is not the source's column itself; `alias` of the map's row.
    """

    here: Here
    other: Here
    key: Mapping
    by: tuple[SourceColumn, ...]
    on: tuple[SourceColumn, ...]
    value: Sql | None = None
    alias: str = ""

    def sql(self, source: SourceColumn) -> Sql:
        """A column of `by` as it is matched."""
        return self.value or column("s", source.name)


def referred(mapping: Mapping, how: Reference, here: Here, key_type_of: KeyType) -> Made:
    """The value of a reference. Raises SpecError; an empty one where the mistake is the other table's."""
    followed = follow(mapping, how, here)
    key = key_type_of(followed.other, followed.key)  # asked first: it finds keys that refer to each other in a circle
    type = here.declared(mapping) or key
    made = computed(mapping, followed, type) or looked_up(mapping, how, followed, type, key)
    why_not = _unconstrained(followed)
    reference = BoundReference(
        table=followed.other.id,
        column=followed.key.target.text,
        by=tuple(source.name for source in followed.by),
        missing=how.missing,
        derived=made.lookup is None,
        constrained=not why_not,
        why_not=why_not,
    )
    return replace(made, reference=reference, copies=made.copies if how.missing != "null" else "")


def follow(mapping: Mapping, how: Reference, here: Here) -> Followed:
    """Find the table and its key, and match the columns. Raises SpecError."""
    found = ends(mapping, how, here)
    for word, one, two in zip(how.by, found.by, found.on, strict=True):
        match_types(word, one, two, found.other, here)
    return found


def ends(mapping: Mapping, how: Reference, here: Here) -> Followed:
    """Find the table and its key; the columns may still be of types that do not match. Raises SpecError."""
    other = _other(how.table, here)
    if len(other.table.key) != 1:
        hint = "give it a key of one column: {id: {uuid: [...]}}" if other.table.key else "give it a key"
        refuse(mapping, "E507", f'a reference needs a key of one column, and "{other.id}" has none', "", hint)
    by = tuple(here.source.column(word) for word in how.by)
    on = tuple(other.source.column(word) for word in how.on) or other.source.keyset
    if len(by) != len(on):
        count = f"{len(on)} columns" if on else "no key"
        hint = "say which columns of its source are matched: on: ..."
        refuse(mapping, "E507", f'"by" names {len(by)} columns, and the source of "{other.id}" has {count}', "", hint)
    return Followed(here, other, other.mappings[other.table.key[0].text], by, on)


def _other(word: Word, here: Here) -> Here:
    world, schema = here.world, here.world.project.target.schema
    id = shown(qualify(word.text, schema), schema)
    if id in world.tables:
        return world.tables[id]
    if id in world.broken:
        raise SpecError([])  # what is wrong with it is told where it stands
    hint = known_here(word.text, world.tables)
    raise SpecError([Diagnostic("E315", f'table "{word}" is not migrated by this project', word.span, "no spec", hint)])


def match_types(word: Word, by: SourceColumn, on: SourceColumn, other: Here, here: Here) -> None:
    """Both columns are of the source. Raises SpecError where they do not match."""
    matches(word, here.world.types.of_source(by.type), here.world.types.of_source(on.type), on.name, other)


def matches(word: Word, one: Side, two: Side, name: str, other: Here) -> None:
    """Equal keys must be equal texts: numbers match numbers, texts match texts, all else its own type."""
    kinds = [kind(side) for side in (one, two)]
    if kinds[0] != kinds[1]:
        message = f'"{word}" ({one.shown}) does not match "{name}" ({two.shown}) of {other.source.what}'
        hint = f"take a column of type {two.shown}, or cast one in a query: from: {{sql: ...}}"
        raise SpecError([Diagnostic("E504", message, word.span, "of another type", hint)])


def kind(side: Side) -> str:
    """Columns of one kind match."""
    if side.opaque:
        return side.opaque
    return {"integer": "number", "numeric": "number", "text": "text"}.get(side.type.family, str(side.type))


def computed(mapping: Mapping, followed: Followed, type: TypeName) -> Made | None:
    """The value, made of `by` as the other table makes its key of `on`; None where it cannot be."""
    here, other, how = followed.here, followed.other, followed.key.how
    by = dict(zip((source.name for source in followed.on), followed.by, strict=True))
    match how:
        case Derived(sources=words) if {word.text for word in words} == by.keys():
            found = [by[word.text] for word in words]
            key = [
                (followed.sql(source), key_type(word, source, here)) for word, source in zip(words, found, strict=True)
            ]
            return derived_id(mapping, other.table.name.text, key, found, here)
        case Copy(source=word, format=None) if by.keys() == {word.text}:
            return _copied(mapping, by[word.text], followed.sql(by[word.text]), type, here)
        case Reference(by=words, missing=missing) if {word.text for word in words} == by.keys() and missing != "null":
            beyond = follow(followed.key, how, other)
            found = [by[word.text] for word in words]
            return computed(mapping, replace(beyond, here=here, by=tuple(found), value=followed.value), type)
    return None


def _copied(mapping: Mapping, source: SourceColumn, value: Sql, type: TypeName, here: Here) -> Made:
    side, target = here.world.types.of_source(source.type), here.world.types.of_target(type)
    found = cast(value, side, target, here.world.zone)
    made = accepted(mapping, f'column "{source.name}"', side, target, found)
    guards = tuple(guard(mapping, source, made.test))
    copies = source.name if made.kept else ""
    return Made(made.value, type, source.null, there(source), (source.name,), guards, copies=copies)


def looked_up(mapping: Mapping, how: Reference, followed: Followed, type: TypeName, of: TypeName) -> Made:
    """The value, found in the other table's map by `by`. Raises SpecError."""
    here, other, name = followed.here, followed.other, mapping.target.text
    on = tuple(source.name for source in followed.on)
    if not other.source.is_unique(on):
        message = f"nothing says that ({', '.join(on)}) is unique in {other.source.what}"
        hint = "where two rows are equal in it, the load stops"
        here.world.warn("W303", message, how.table.span, "perhaps several rows", hint)
    here.world.asked.setdefault(other.id, {})[on] = None
    alias = fits(followed.alias or f"m_{name}")
    key = column(alias, followed.key.target.text)
    match = tuple((legacy_name(two.name), followed.sql(one)) for one, two in zip(followed.by, followed.on, strict=True))
    null = any(source.null for source in followed.by)
    return Made(
        value=_as(mapping, key, of, type, here),
        type=type,
        null=null or how.missing == "null",
        present=join(" AND ", [there(source) for source in followed.by]),
        reads=tuple(source.name for source in followed.by),
        guards=() if how.missing == "null" else (_found(name, key, followed),),
        differs=f"it is looked up in the map of {other.id}",
        lookup=Lookup(alias, other.id, match),
    )


def _as(mapping: Mapping, key: Sql, of: TypeName, type: TypeName, here: Here) -> Sql:
    """The key, which the map table has in its own type, as the column's."""
    side, target = here.world.types.of_target(of), here.world.types.of_target(type)
    value = key if side.type == of else Sql(f"{key}::{side.type}")
    return accepted(mapping, "the key", side, target, cast(value, side, target, here.world.zone)).value


def _found(name: str, key: Sql, followed: Followed) -> Guard:
    empty = [Sql(f"{column('s', source.name)} IS NULL") for source in followed.by if source.null]
    ok = join(" OR ", [*empty, Sql(f"{key} IS NOT NULL")])
    by = ", ".join(source.name for source in followed.by)
    return Guard(name, ok, f"{by} has no row in {followed.other.id}", MISSING)


def _unconstrained(followed: Followed) -> str:
    """Why no foreign key can be added; "" where it can."""
    here, other = followed.here, followed.other
    key = (followed.key.target.text,)
    if here.existing is not None:
        return "the table has its own foreign keys back after the load"
    if other.existing is None:
        partitioned = primary_key(key, other.table.partition) != key
        return f"{other.id} is partitioned: its key is unique only together with the partition column" * partitioned
    keys = [other.existing.primary_key] if other.existing.primary_key else []
    unique = any(set(found.columns) == set(key) for found in (*keys, *other.existing.unique))
    return "" if unique else f"nothing in the target says that {other.id}.{key[0]} is unique"
