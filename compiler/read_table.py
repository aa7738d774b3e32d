"""tables/<name>.yaml -> Table, as it is written; `check_table` looks at it as a whole."""

import re
from collections.abc import Iterator
from typing import Literal, cast

from compiler.document import Map, Text, Value
from compiler.read_tree import filled, read_tree
from compiler.reading import Reading, as_list, as_map, as_text, flag, key_of, scalar
from compiler.spec import (
    AnyReference,
    Check,
    Comparison,
    Constant,
    Copy,
    Derived,
    Duplicates,
    Expression,
    How,
    Identity,
    Index,
    Json,
    Mapping,
    Missing,
    Partition,
    Query,
    Recode,
    Reference,
    Scalar,
    Table,
    Word,
)

_DATES = re.compile(r"\s*(?:date|time|timestamp)", re.IGNORECASE)

CHUNK = (2000, 50000)  # rows to begin with, and at most; the runner adapts between the two


def read_table(reading: Reading) -> Table:
    """The table as it is written."""
    entry = as_map(reading.document.data)
    name, key = reading.relation(entry["table"]), entry.get("key")
    return Table(
        name=name,
        source=_source(reading, entry["from"]),
        key=tuple(reading.name(column) for column, _ in key.entries()) if isinstance(key, Map) else reading.words(key),
        mappings=tuple(_mappings(reading, entry)),
        drop=reading.reasons(entry.get("drop")),
        where=reading.optional(entry, "where"),
        after=reading.words(entry.get("after")),
        indexes=tuple(_index(reading, as_map(item)) for item in as_list(entry.get("indexes"))),
        checks=tuple(Check(reading.name(k), reading.word(v)) for k, v in as_map(entry.get("checks")).entries()),
        partition=_partition(reading, as_map(entry["partition"])) if "partition" in entry else None,
        verify=tuple(_comparison(reading, as_map(item)) for item in as_list(entry.get("verify"))),
        chunk=_chunk(reading, as_map(entry.get("chunk"))),
        rejected=str(entry["rejected"]) if "rejected" in entry else None,
        create=flag(entry, "create") is not False,
        map_table=flag(entry, "map_table") is True,
        span=name.span,
        about=str(entry.get("about", "")),
        direct=flag(entry, "direct") is not False,
        tree=read_tree(reading, as_map(entry["tree"])) if "tree" in entry else None,
    )


def _source(reading: Reading, value: Value) -> Word | Query:
    if isinstance(value, Map):
        return Query(reading.word(value["sql"]), reading.words(value.get("key")))
    return reading.relation(value)


def _mappings(reading: Reading, entry: Map) -> Iterator[Mapping]:
    """Those under `key` first, then `columns`, then `same`, then what the tree fills."""
    key = entry.get("key")
    for column, value in as_map(key if isinstance(key, Map) else None).entries():
        yield _mapping(reading, column, value, _key(reading, as_map(value)))
    for column, value in as_map(entry.get("columns")).entries():
        yield _mapping(reading, column, value, _column(reading, value))
    for column in map(as_text, as_list(entry.get("same"))):
        yield Mapping(reading.name(column), Copy(reading.word(column)), None, None, reading.document.span(column))
    if "tree" in entry:
        yield from filled(reading, as_map(entry["tree"]))


def _mapping(reading: Reading, column: Text, value: Value, how: How) -> Mapping:
    entry = value if isinstance(value, Map) else Map()
    type_ = reading.optional(entry, "type")
    return Mapping(reading.name(column), how, type_, flag(entry, "null"), reading.document.span(value))


def _key(reading: Reading, entry: Map) -> How:
    if "uuid" in entry:
        return Derived(reading.words(entry["uuid"]))
    if "same" in entry:
        return Copy(reading.word(entry["same"]))
    if "identity" in entry:
        return Identity()
    return _reference(reading, entry) if "ref" in entry else Expression(reading.word(entry["sql"]))


def _column(reading: Reading, value: Value) -> How:
    if not isinstance(value, Map):
        return Copy(reading.word(value))
    if "ref" in value:
        return _reference(reading, value)
    if "ref_any" in value:
        return _any_reference(reading, value)
    if "sql" in value:
        return Expression(reading.word(value["sql"]))
    if "value" in value:
        return Constant(scalar(value["value"]))
    if "json" in value:
        return Json(tuple((str(key), reading.word(column)) for key, column in as_map(value["json"]).items()))
    if "map" in value:
        return _recode(reading, value)
    if "otherwise" in value:
        hint = "map: {...} says what becomes of each value, and otherwise what of all others"
        reading.refuse("E206", '"otherwise" needs a "map"', key_of(value, "otherwise"), "of what?", hint)
    return Copy(reading.word(value["from"]), _format(reading, value))


def _format(reading: Reading, entry: Map) -> Word | None:
    """How a text writes a date; it has to become one."""
    if "format" in entry and "map" in entry:
        hint = "take one of the two out"
        reading.refuse("E206", '"format" does not go with "map"', key_of(entry, "format"), "", hint)
    elif "format" in entry and "type" in entry and not _DATES.match(as_text(entry["type"])):
        hint = "a format is for date, time, timestamp or timestamptz"
        reading.refuse("E206", f'a format says nothing about "{entry["type"]}"', key_of(entry, "format"), "", hint)
    return reading.optional(entry, "format")


def _reference(reading: Reading, entry: Map) -> Reference:
    by, on = reading.words(entry["by"]), reading.words(entry.get("on"))
    if on and len(by) != len(on):
        message = f'"by" and "on" are matched one by one, and there are {len(by)} and {len(on)}'
        reading.refuse("E206", message, entry["on"], "not as many", "name as many columns in both")
    return Reference(reading.relation(entry["ref"]), by, on, cast(Missing, _choice(entry, "missing", "reject")))


def _any_reference(reading: Reading, entry: Map) -> AnyReference:
    given, missing = as_map(entry["ref_any"]), cast(Missing, _choice(entry, "missing", "reject"))
    id = reading.word(given["id"])
    to = tuple(
        (_listed(reading, key), _meant(reading, value, id, missing), reading.document.span(key))
        for key, value in as_map(given["to"]).entries()
    )
    otherwise = cast(Literal["reject", "null"], _choice(entry, "otherwise", "reject"))
    return AnyReference(reading.word(given["type"]), id, to, missing, otherwise)


def _meant(reading: Reading, value: Value, id: Word, missing: Missing) -> Reference:
    """The table that a type means, and by which of its source's columns."""
    if not isinstance(value, Map):
        return Reference(reading.relation(value), (id,), (), missing)
    return Reference(reading.relation(value["ref"]), (id,), (reading.word(value["on"]),), missing)


def _recode(reading: Reading, entry: Map) -> Recode:
    _format(reading, entry)
    values = tuple(
        (_listed(reading, key), scalar(value), reading.document.span(key))
        for key, value in as_map(entry["map"]).entries()
    )
    otherwise = entry.get("otherwise")
    if isinstance(otherwise, Map):
        return Recode(reading.word(entry["from"]), values, "constant", scalar(otherwise["value"]))
    kind = cast(Literal["reject", "null", "keep"], _choice(entry, "otherwise", "reject"))
    return Recode(reading.word(entry["from"]), values, kind)


def _listed(reading: Reading, key: Text) -> Scalar:
    if key.is_null:
        hint = "a NULL stays NULL; say what it becomes with `sql: coalesce(...)`"
        reading.refuse("E206", "a map lists values, and NULL is none", key, "not a value", hint)
    return key.typed()


def _choice(entry: Map, key: str, default: str) -> str:
    """One of a few words; `null` is one of them, however it is written."""
    value = as_text(entry[key]) if key in entry else None
    return default if value is None else "null" if value.is_null else str(value)


def _index(reading: Reading, entry: Map) -> Index:
    return Index(
        columns=reading.words(entry["columns"]),
        name=reading.name(entry["name"]) if "name" in entry else None,
        unique=flag(entry, "unique") is True,
        duplicates=cast(Duplicates, _choice(entry, "duplicates", "reject")),
        using=reading.optional(entry, "using"),
        where=reading.optional(entry, "where"),
        concurrently=reading.document.span(entry["concurrently"]) if flag(entry, "concurrently") else None,
        span=reading.document.span(entry["columns"]),
    )


def _partition(reading: Reading, entry: Map) -> Partition:
    return Partition(
        by=cast(Literal["range", "list", "hash"], str(entry["by"])),
        on=reading.word(entry["on"]),
        every=cast(Literal["day", "month", "quarter", "year"], str(entry["every"])) if "every" in entry else None,
        start=reading.optional(entry, "from"),
        until=reading.optional(entry, "until"),
        values=tuple(
            (reading.name(name), tuple(map(scalar, as_list(values))))
            for name, values in as_map(entry.get("values")).entries()
        ),
        parts=int(as_text(entry["parts"])) if "parts" in entry else None,
        default=flag(entry, "default") is True,
        span=reading.document.span(entry["by"]),
    )


def _chunk(reading: Reading, entry: Map) -> tuple[int, int]:
    rows = int(str(entry.get("rows", CHUNK[0])))
    most = int(str(entry.get("max", max(rows, CHUNK[1]))))
    if rows > most:
        message = f"a chunk begins with {rows} rows and has at most {most}"
        reading.refuse("E206", message, entry["max"], f"less than {rows}", "write more, or begin with fewer")
    return rows, most


def _comparison(reading: Reading, entry: Map) -> Comparison:
    return Comparison(reading.word(entry["name"]), reading.word(entry["source"]), reading.word(entry["target"]))
