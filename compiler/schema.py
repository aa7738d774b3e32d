"""The JSON schemas of the specs, and what jsonschema finds in a document.

Scalars are what the schema wants them to be, not what YAML guesses: `no` is a text where a text belongs.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from compiler.document import Map, Text, Value

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

SchemaName = Literal["project", "table", "removal"]
SCHEMAS: tuple[SchemaName, ...] = ("project", "table", "removal")

Schema = Mapping[str, Any]


@cache
def schema_text(name: SchemaName) -> str:
    """The schema's file."""
    return (files("compiler") / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")


@cache
def schema(name: SchemaName) -> Schema:
    """The schema as data."""
    data: Schema = json.loads(schema_text(name))
    return data


def resolved(part: Schema, defs: Schema) -> Schema:
    """`part` with what its `$ref` names filled in; its own words come first."""
    if "$ref" not in part:
        return part
    return {**resolved(defs[part["$ref"].removeprefix("#/$defs/")], defs), **part}


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that does not fit a keyword of the schema.

    `wanted` is what the keyword says, `part` the part of the schema that it stands in, `path` leads from the top to
    `value`. `branches` of an `anyOf`: what speaks against each of its forms.
    """

    keyword: str
    wanted: Any
    part: Schema
    value: Value
    path: tuple[str | int, ...]
    branches: tuple[tuple["Violation", ...], ...] = ()


def violations(name: SchemaName, value: Value) -> Iterator[Violation]:
    """What jsonschema finds in a document; each value is the Text, Map or Seq itself, which knows its place."""
    return map(_violation, _validator(name).iter_errors(value))


def _violation(error: Any) -> Violation:
    branches: list[list[Violation]] = [[] for _ in error.schema["anyOf"]] if error.validator == "anyOf" else []
    for inner in error.context:
        branches[inner.relative_schema_path[0]].append(_violation(inner))
    return Violation(
        error.validator,
        error.validator_value,
        error.schema,
        error.instance,
        tuple(error.absolute_path),
        tuple(map(tuple, branches)),
    )


# What a value is. A text is whatever is written, but for nothing at all; the other types are texts without quotes.


def _is_integer(value: object) -> bool:
    return isinstance(value, Text) and type(value.typed()) is int


def _is_boolean(value: object) -> bool:
    return isinstance(value, Text) and value.plain and value in ("true", "false")


def _is_null(value: object) -> bool:
    return isinstance(value, Text) and value.is_null


def _is_string(value: object) -> bool:
    return isinstance(value, Text) and not value.is_null


TYPES: Mapping[str, Callable[[object], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": _is_boolean,
    "integer": _is_integer,
    "null": _is_null,
    "object": lambda value: isinstance(value, dict),  # a Map, or a part of the schema: jsonschema asks of both
    "string": _is_string,
}


def is_one_of(value: object, allowed: Iterable[object]) -> bool:
    """Whether a text is listed: as written, or as what it stands for without quotes (`3`, `true`, `null`)."""
    return isinstance(value, Text) and any(
        value == item if isinstance(item, str) else _is_typed(value, item) for item in allowed
    )


def _is_typed(value: Text, item: object) -> bool:
    typed = value.typed()
    return value != "" and typed == item and type(typed) is type(item)


def _in_range(value: object, least: float, most: float) -> bool:
    typed = value.typed() if isinstance(value, Text) else None
    return type(typed) is not int or least <= typed <= most


# The keywords of jsonschema that compare a value with native data; and `required`, one error for all that is missing.
COMPARISONS: Mapping[str, Callable[[object, Any], bool]] = {
    "required": lambda value, wanted: not isinstance(value, Map) or value.keys() >= set(wanted),
    "enum": is_one_of,
    "const": lambda value, wanted: is_one_of(value, [wanted]),
    "pattern": lambda value, wanted: not isinstance(value, Text) or re.fullmatch(wanted, value) is not None,
    "minimum": lambda value, wanted: _in_range(value, wanted, float("inf")),
    "maximum": lambda value, wanted: _in_range(value, float("-inf"), wanted),
}


def _keyword(fits: Callable[[object, Any], bool]) -> Callable[..., "Iterator[ValidationError]"]:
    from jsonschema import ValidationError

    def check(validator: object, wanted: Any, value: object, part: Schema) -> Iterator[ValidationError]:
        if not fits(value, wanted):
            yield ValidationError("")  # `violations` makes the words

    return check


def _type(fits: Callable[[object], bool]) -> Callable[[object, object], bool]:
    return lambda checker, value: fits(value)


@cache
def _validator(name: SchemaName) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({kind: _type(fits) for kind, fits in TYPES.items()})
    keywords = {keyword: _keyword(fits) for keyword, fits in COMPARISONS.items()}
    make: type[Draft202012Validator] = extend(Draft202012Validator, keywords, type_checker=types)  # type: ignore[no-untyped-call]  # the stubs lack its types
    return make(schema(name))
