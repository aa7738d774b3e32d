"""`{ref_any: {type: content_type_id, id: object_id, to: {12: patients}}}`: the migrated key of a row of any table.

Each table that is listed is followed as `ref:` would follow it. A row takes the key of the one that its type means; a
type that is not listed sets the row aside, under that type. No foreign key can hold such a column: reconcile and
verify prove it table by table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from compiler.bound import BoundReference, Choice, Guard, SourceColumn
from compiler.casts import Condition, Refused, Side, cast
from compiler.columns_copied import there
from compiler.columns_recoded import NO_MAPPING, key_of
from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.references import Followed, KeyType, computed, ends, kind, looked_up, match_types
from compiler.spec import AnyReference, Mapping, Reference, Scalar
from compiler.sql import Sql, column, join
from compiler.type_names import are_names, named, unlisted
from compiler.types import BIGINT, TypeName
from compiler.world import Here, Made, accepted, noting, refuse

_CAST_TO = ("integer", "numeric", "uuid", "text")  # families of keys that an id of another type can become
WHY_NOT = "which table it refers to depends on the row"


@dataclass(frozen=True, slots=True)
class _Types:
    """The column of types, or of their names; `source` is the column as it is in the source."""

    source: SourceColumn
    names: SourceColumn | None

    @property
    def value(self) -> Sql:
        return column("s", (self.names or self.source).name)

    def are(self, listed: Sequence[Sql]) -> Sql:
        """The row's type is one of these."""
        return Sql(f"{self.value} = {listed[0]}" if len(listed) == 1 else f"{self.value} IN ({join(', ', listed)})")

    def are_not(self, listed: Sequence[Sql]) -> Sql:
        """It is none of these, or there is none."""
        one = f"{self.value} IS DISTINCT FROM {listed[0]}"
        return Sql(one if len(listed) == 1 else f"({self.are(listed)}) IS NOT TRUE")


@dataclass(frozen=True, slots=True)
class _Meant:
    """A table that is meant by `types`, which are `listed` as SQL."""

    types: tuple[Scalar, ...]
    listed: tuple[Sql, ...]
    reference: Reference


_Tests = dict[Condition, list[Sql]]  # of the id, and the types for which it must hold


@dataclass(frozen=True, slots=True)
class _Part:
    """What one of the tables adds to the column."""

    choice: Choice
    value: Sql
    guards: tuple[Guard, ...]
    listed: tuple[Sql, ...]
    test: Condition | None


def referred_to_any(mapping: Mapping, how: AnyReference, here: Here, key_type_of: KeyType) -> Made:
    """The value of a generic reference. Raises SpecError; an empty one where the mistake is another table's."""
    types = _types(how, here)
    meant = tuple(_meant(how, types, here))
    followed = _followed(mapping, meant, here)
    keys = [key_type_of(each.other, each.key) for each in followed]
    type = here.declared(mapping) or _one_type(mapping, followed, keys)
    parts = tuple(
        _part(mapping, types, each, ends, type, key) for each, ends, key in zip(meant, followed, keys, strict=True)
    )
    return _made(mapping, how, types, here, type, parts)


def _types(how: AnyReference, here: Here) -> _Types:
    source = here.source.column(how.type)
    here.source.column(how.id)
    listed = [(value, span) for value, _, span in how.to]
    if are_names(here.world.types.of_source(source.type), listed):
        return _Types(source, named(how.type, source, listed, here))
    return _Types(source, None)


def _meant(how: AnyReference, types: _Types, here: Here) -> Iterator[_Meant]:
    """The tables, each with all types that mean it. Raises SpecError."""
    found: dict[tuple[str, ...], list[tuple[Scalar, Sql, Reference]]] = {}
    for value, reference, sql in _listed(how, types, here):
        place = (reference.table.text, *(word.text for word in reference.on))
        found.setdefault(place, []).append((value, sql, reference))
    for group in found.values():
        yield _Meant(tuple(each[0] for each in group), tuple(each[1] for each in group), group[0][2])


def _listed(how: AnyReference, types: _Types, here: Here) -> Iterator[tuple[Scalar, Reference, Sql]]:
    """The types as SQL; each is listed once. Raises SpecError."""
    side = here.world.types.of_source((types.names or types.source).type)
    problems: list[Diagnostic] = []
    seen: dict[Sql, Span] = {}
    found = []
    for value, reference, span in how.to:
        try:
            sql = key_of(value, side)
        except ValueError as error:
            hint = "list the values as the column has them"
            problems.append(Diagnostic("E503", str(error), span, "does not fit", hint))
            continue
        if sql in seen:
            message, label = f'type "{value}" is listed twice', f"line {seen[sql].line} too"
            problems.append(Diagnostic("E207", message, span, label, "take one of the two out"))
        seen.setdefault(sql, span)
        found.append((value, reference, sql))
    if problems:
        raise SpecError(problems)
    yield from found


def _followed(mapping: Mapping, meant: Sequence[_Meant], here: Here) -> list[Followed]:
    """Each table with its key, and the id as that key's source has it. Raises SpecError with all that is wrong."""
    problems: list[Diagnostic] = []
    found: list[Followed] = []
    for each in meant:
        with noting(problems):
            found.append(ends(mapping, each.reference, here))
    if len(found) < len(meant):
        raise SpecError(problems)
    return found


def _one_type(mapping: Mapping, followed: Sequence[Followed], keys: Sequence[TypeName]) -> TypeName:
    if len(set(keys)) > 1:
        shown = ", ".join(f"{each.other.id} ({key})" for each, key in zip(followed, keys, strict=True))
        refuse(mapping, "E504", f"the keys are of several types: {shown}", "of which type?", "say it: type: text")
    return keys[0]


def _part(mapping: Mapping, types: _Types, meant: _Meant, followed: Followed, type: TypeName, key: TypeName) -> _Part:
    when, unless, name = types.are(meant.listed), types.are_not(meant.listed), mapping.target.text
    by, value, test = _id(mapping, meant.reference, followed)
    ends = replace(followed, by=(by,), value=value)
    made = computed(mapping, ends, type)
    if made is None:
        condition = Sql(f"{when} AND ({test.ok})") if test else when
        ends = replace(ends, value=Sql(f"CASE WHEN {condition} THEN {value} END"), alias=f"m_{name}_{ends.other.id}")
        made = looked_up(mapping, meant.reference, ends, type, key)
    guards = tuple(replace(guard, ok=Sql(f"{unless} OR {guard.ok}")) for guard in made.guards)
    reference = BoundReference(
        ends.other.id, ends.key.target.text, (by.name,), meant.reference.missing, made.lookup is None, False, WHY_NOT
    )
    comparable = None if made.differs else made.local or made.value
    choice = Choice(meant.types, when, None, reference, made.lookup, comparable, made.differs)
    return _Part(choice, made.value, guards, meant.listed, test)


def _id(mapping: Mapping, how: Reference, followed: Followed) -> tuple[SourceColumn, Sql, Condition | None]:
    """The id as the key's source has it: Django keeps ids of several tables as texts. Raises SpecError."""
    here, by, on = followed.here, followed.by[0], followed.on[0]
    one, two = here.world.types.of_source(by.type), here.world.types.of_source(on.type)
    if kind(one) == kind(two):
        return by, column("s", by.name), None
    wanted = Side(BIGINT, "bigint") if two.type.family == "integer" else Side(two.type, str(two.type))
    made = cast(column("s", by.name), one, wanted, here.world.zone)
    if two.opaque or two.labels is not None or two.type.family not in _CAST_TO or isinstance(made, Refused):
        match_types(how.by[0], by, on, followed.other, here)  # which tells that they do not
    made = accepted(mapping, f'"{by.name}"', one, wanted, made)
    return replace(by, type=str(wanted.type), wire=str(wanted.type)), made.value, made.test


def _made(
    mapping: Mapping, how: AnyReference, types: _Types, here: Here, type: TypeName, parts: Sequence[_Part]
) -> Made:
    id, names = here.source.column(how.id), [types.names.name] if types.names else []
    listed = types.are([each for part in parts for each in part.listed])
    choices = tuple(part.choice for part in parts)
    differs = next((choice.incomparable for choice in choices if choice.comparable is None), "")
    local = _case((choice.when, choice.comparable) for choice in choices if choice.comparable is not None)
    present = [there(types.source), there(id)]
    return Made(
        value=_case((part.choice.when, part.value) for part in parts),
        type=type,
        null=types.source.null or id.null or "null" in (how.missing, how.otherwise),
        present=join(" AND ", [*present, listed] if how.otherwise == "null" else present),
        reads=(types.source.name, id.name, *names),
        guards=(
            *_unlisted(mapping, how, types, listed),
            *_tests(mapping, id, types, parts),
            *(guard for part in parts for guard in part.guards),
        ),
        differs=differs,
        local=None if differs else local,
        choices=choices,
    )


def _case(branches: Iterable[tuple[Sql, Sql]]) -> Sql:
    return Sql(f"CASE {' '.join(f'WHEN {when} THEN {value}' for when, value in branches)} END")


def _tests(mapping: Mapping, id: SourceColumn, types: _Types, parts: Sequence[_Part]) -> Iterator[Guard]:
    """The id is none that the key's type could hold; tested once for all tables whose keys are of one type."""
    tests: _Tests = {}
    for part in parts:
        if part.test is not None:
            tests.setdefault(part.test, []).extend(part.listed)
    for test, listed in tests.items():
        ok = Sql(f"{types.are_not(listed)} OR {test.ok}")
        yield Guard(mapping.target.text, ok, f"{id.name} {test.reason}", test.sqlstate)


def _unlisted(mapping: Mapping, how: AnyReference, types: _Types, listed: Sql) -> Iterator[Guard]:
    """A type that means no table."""
    if how.otherwise == "reject":
        empty = [Sql(f"{column('s', types.source.name)} IS NULL")] if types.source.null else []
        told = unlisted(types.source, types.names, "means no table")
        reason = f"{types.source.name} means no table"
        yield Guard(mapping.target.text, join(" OR ", [*empty, listed]), reason, NO_MAPPING, told)
