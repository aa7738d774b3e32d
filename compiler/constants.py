"""Constants that a spec writes, as values of a column's type: checked when the plan is made, not at two at night."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from uuid import UUID

from compiler.casts import RANGES, Side
from compiler.spec import Scalar
from compiler.sql import Sql, cast, literal, typed
from compiler.types import BIGINT, BOOLEAN, INTEGER, TEXT, TypeName

_NUMBER = re.compile(r"[+-]?(\d+)(?:\.(\d*))?")


def constant(value: Scalar, side: Side) -> Sql:
    """`'draft'::text`. Raises ValueError with a sentence where the type does not have the value."""
    if value is None:
        return typed(None, str(side.type))
    text = value if isinstance(value, str) else str(value).lower()
    if side.labels is not None:
        if text not in side.labels:
            raise ValueError(f'"{text}" is none of the labels of {side.shown}')
    elif not side.opaque and (problem := _problem(text, side.type)):
        raise ValueError(problem)
    return _literal(text, side.type)


def type_of(values: Iterable[Scalar]) -> TypeName | None:
    """The type that constants of one kind are of; None for none, or for several kinds."""
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return BOOLEAN
    if kinds == {int}:
        return INTEGER if all(abs(int(value or 0)) < 2**31 for value in known) else BIGINT
    return TEXT if kinds == {str} else None


def _literal(text: str, type: TypeName) -> Sql:
    """Numbers and truth values as people write them."""
    if type.family == "integer":
        return literal(int(text)) if type == INTEGER else cast(literal(int(text)), str(type))
    return literal(text == "true") if type == BOOLEAN else typed(text, str(type))


def _problem(text: str, type: TypeName) -> str:
    """Why the text is no value of the type; "" where it is one, or where only the server can tell."""
    match type.family:
        case "text" if type.length is not None and len(text) > type.length:
            return f'"{text}" is longer than {type.length} characters'
        case "integer":
            least, most = RANGES[type.base]
            fine = re.fullmatch(r"-?\d{1,19}", text) is not None and least <= int(text) <= most
        case "numeric":
            return _numeric(text, type)
        case "float":
            fine = re.fullmatch(r"[+-]?\d+(\.\d*)?(e[+-]?\d{1,2})?", text) is not None
        case "boolean":
            fine = text in ("true", "false")
        case "uuid":
            fine = _is_read(UUID, text)
        case "date":
            fine = _is_read(date.fromisoformat, text)
        case "time":
            fine = _is_read(time.fromisoformat, text)
        case "timestamp" | "timestamptz":
            fine = _is_read(datetime.fromisoformat, text)
            if fine and (datetime.fromisoformat(text).tzinfo is None) == (type.family == "timestamptz"):
                return f'"{text}" has {"no" if type.family == "timestamptz" else "a"} time zone'
        case _:
            fine = type.base not in ("json", "jsonb") or type.array or _is_read(json.loads, text)
    return "" if fine else f'"{text}" is no {type}'


def _numeric(text: str, type: TypeName) -> str:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return f'"{text}" is no number'
    if type.scale is None or type.whole_digits is None:
        return ""
    whole, decimals = found[1].lstrip("0"), (found[2] or "").rstrip("0")
    fits = len(whole) <= type.whole_digits and len(decimals) <= type.scale
    return "" if fits else f'"{text}" does not fit {type}'


def _is_read(read: object, text: str) -> bool:
    assert callable(read)
    try:
        read(text)
    except ValueError:
        return False
    return True
