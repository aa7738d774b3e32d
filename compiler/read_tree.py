"""`tree:` -> Tree, as it is written, and the mappings of the columns that it fills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from compiler.document import Map, Value
from compiler.reading import Reading, as_map, as_text, key_of, scalar
from compiler.spec import (
    Adjacency,
    Filled,
    Intervals,
    Mapping,
    Node,
    Parents,
    Paths,
    Placeholder,
    Replies,
    Tree,
    Word,
)

_FILLED: tuple[Filled, ...] = ("root", "depth", "position", "path")


def read_tree(reading: Reading, entry: Map) -> Tree:
    """The tree as it is written."""
    under = _under(reading, entry)
    deepest = as_map(entry.get("max_depth"))
    if "path" in as_map(entry.get("fill")) and not deepest:
        message, hint = "a path grows with every level, and nothing says where it ends", "add max_depth: {is: 12}"
        reading.refuse("E206", message, key_of(as_map(entry["fill"]), "path"), "needs max_depth", hint)
    return Tree(
        parents=_parents(reading, as_map(entry["parent"])),
        order=reading.words(entry.get("order")),
        orphan="under" if under else cast(Literal["root", "reject"], str(entry.get("orphan", "root"))),
        under=under,
        cycle=cast(Literal["break", "reject"], str(entry.get("cycle", "break"))),
        max_depth=int(as_text(deepest["is"])) if deepest else 0,
        deeper=cast(Literal["flatten", "reject"], str(deepest.get("deeper", "flatten"))),
        placeholder=_placeholder(reading, as_map(entry["placeholder"])) if "placeholder" in entry else None,
        span=reading.document.span(key_of(entry, "parent")),
    )


def _parents(reading: Reading, entry: Map) -> Parents:
    """Where the parents stand; `several` is said of a table beside the rows."""
    given = entry["from"]
    if "several" in entry and not (isinstance(given, Map) and "table" in given):
        message, hint = '"several" is said of a table of replies', "a column holds one parent"
        reading.refuse("E206", message, key_of(entry, "several"), "of which table?", hint)
    if not isinstance(given, Map):
        return Adjacency(reading.word(given))
    if "table" in given:
        several = cast(Literal["first", "reject"], str(entry.get("several", "reject")))
        child, parent = (reading.word(given[key]) for key in ("child", "parent"))
        return Replies(reading.relation(given["table"]), child, parent, several)
    if "path" in given:
        separator = str(given["separator"]) if "separator" in given else ""
        return Paths(reading.word(given["path"]), separator, int(str(given.get("steps", 0))))
    return Intervals(reading.word(given["left"]), reading.word(given["right"]), reading.optional(given, "tree"))


def filled(reading: Reading, entry: Map) -> Iterator[Mapping]:
    """The columns that the tree fills, the parent's first."""
    yield _mapping(reading, "parent", entry["parent"])
    fill = as_map(entry.get("fill"))
    for what in _FILLED:
        if what in fill:
            yield _mapping(reading, what, fill[what])


def _mapping(reading: Reading, what: Filled, value: Value) -> Mapping:
    to = value["to"] if isinstance(value, Map) else value
    type_ = reading.optional(value, "type") if isinstance(value, Map) else None
    return Mapping(reading.name(to), Node(what), type_, None, reading.document.span(to))


def _under(reading: Reading, entry: Map) -> Word | None:
    orphan = entry.get("orphan")
    return reading.word(orphan["under"]) if isinstance(orphan, Map) else None


def _placeholder(reading: Reading, entry: Map) -> Placeholder:
    sets = tuple(
        (reading.word(column), scalar(value), reading.document.span(value))
        for column, value in as_map(entry.get("set")).entries()
    )
    return Placeholder(reading.word(entry["when"]), sets)
