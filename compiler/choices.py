"""Which table a row of the target refers to by a generic reference: what a column beside it says.

Without that nobody could tell whether the row that it refers to is there, but where no two tables have a key in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler import constants
from compiler.bound import BoundColumn, Choice
from compiler.diagnostics import Diagnostic, SpecError
from compiler.resolve_table import Draft
from compiler.spec import AnyReference, Copy, Recode, Scalar
from compiler.sql import Sql, cast, column, join
from compiler.types import UUID, read_type
from compiler.world import Here

Values = Mapping[Scalar, Scalar]  # type -> what the column has for it


def with_told(bound: BoundColumn, found: Draft) -> BoundColumn:
    """The column, whose choices know their rows in the target. Raises SpecError where nothing tells them."""
    if not bound.choices:
        return bound
    how = found.here.mappings[bound.name].how
    assert isinstance(how, AnyReference)
    for other, values in _tellers(how, bound, found):
        groups = [{values[type] for type in choice.types} for choice in bound.choices]
        if sum(map(len, groups)) == len(set().union(*groups)):
            told = (_told(other, choice, values, found.here) for choice in bound.choices)
            return replace(bound, choices=tuple(map(_with, bound.choices, told)))
    if len(bound.choices) > 1 and not _is_uuid(bound):
        raise SpecError([_untold(bound, how)])
    return bound


def _tellers(how: AnyReference, bound: BoundColumn, found: Draft) -> Iterator[tuple[BoundColumn, Values]]:
    """The columns that are made of the type, with what each type becomes in them; none becomes NULL."""
    listed = [type for choice in bound.choices for type in choice.types]
    for other in found.columns:
        match found.here.mappings[other.name].how:
            case Copy(source=source) if source.text == how.type.text and other.copies and not _by_name(how, found):
                values: dict[Scalar, Scalar] = {type: type for type in listed}
            case Recode(source=source) as recode if source.text == how.type.text:
                values = {key: made for key, made, _ in recode.values if made is not None}
            case _:
                continue
        if values.keys() >= set(listed):
            yield other, values


def _by_name(how: AnyReference, found: Draft) -> bool:
    """The types are listed by what they are called, and not by what the source has."""
    asked = any(each.named and each.named.by == how.type.text for each in found.here.named.values())
    return asked and isinstance(how.to[0][0], str)


def _is_uuid(bound: BoundColumn) -> bool:
    return read_type(bound.type) == UUID and not bound.lookups


def _told(other: BoundColumn, choice: Choice, values: Values, here: Here) -> Sql:
    side = here.world.types.of_target(read_type(other.type))
    shown = tuple(dict.fromkeys(constants.constant(values[type], side) for type in choice.types))
    if other.type != other.wire:
        shown = tuple(cast(value, other.type) for value in shown)
    here_is = column("t", other.name)
    return Sql(f"{here_is} = {shown[0]}" if len(shown) == 1 else f"{here_is} IN ({join(', ', shown)})")


def _with(choice: Choice, told: Sql) -> Choice:
    return replace(choice, told=told)


def _untold(bound: BoundColumn, how: AnyReference) -> Diagnostic:
    listed = ", ".join(f"{type}: {choice.reference.table}" for choice in bound.choices for type in choice.types)
    message = f'nothing in the target would tell which table a row refers to by "{bound.name}"'
    hint = f"keep the type in a column of its own: {{from: {how.type}, map: {{{listed}}}}}"
    return Diagnostic("E507", message, bound.span, "to which table?", hint)
