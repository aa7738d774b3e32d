"""What uses columns of a table in a live database: the rows of dependents.sql, sorted out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg

Entry = dict[str, Any]

# in the order in which people should read them, each with what it means
EFFECTS: Mapping[str, str] = {
    "forbids": "the server never drops the column here",
    "refuses": "the server refuses to drop the column while it is there",
    "rebuilt": "built on what refuses: dropped and made again with it",
    "vanishes": "goes with the column, without a word",
    "breaks": "stays, names the column in its text, and fails when it next runs",
    "changes": "stays, and changes its shape or its meaning",
    "perhaps": "names a column so called, of another table for all that is known",
    "lost": "the column's own, and goes with it",
}
TO_BE_NAMED = ("refuses", "rebuilt", "vanishes", "breaks", "changes")  # by a removal, under dependents:


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses a column; `level`: of what the server refuses for, the greatest is dropped first.

    `digest` is that of its definition, where it has one. Of what is the column's own, `dependent` says what it is.
    """

    effect: str
    dependent: str
    level: int = 0
    digest: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Uses:
    """All that uses one column."""

    column: str
    all: tuple[Use, ...]

    def of(self, *effects: str) -> tuple[Use, ...]:
        """Those with one of the effects, in the order of `all`."""
        return tuple(use for use in self.all if use.effect in effects)


def read_uses(
    conn: psycopg.Connection[Any], schema: str, table: str, columns: Sequence[str]
) -> tuple[Uses, ...]:  # fmt: skip
    """What uses the columns, in the order asked; nothing of one that is not there. Raises psycopg.Error."""
    found: dict[str, list[Use]] = {column: [] for column in columns}
    with psycopg.RawCursor(conn) as cursor:
        rows = cursor.execute(_query(), [schema, table, list(columns)]).fetchall()
    for column, *fields in rows:
        found[column].append(Use(*fields))
    return tuple(Uses(column, tuple(sorted(uses, key=_place))) for column, uses in found.items())


def _place(use: Use) -> tuple[int, int, str]:
    """By effect; what is dropped first comes first."""
    return list(EFFECTS).index(use.effect), -use.level, use.dependent


def uses_entry(uses: Uses, code: Mapping[str, tuple[int, int]]) -> Entry:
    """What a catalog keeps of it; `code`: for each folder how many uses are in how many files."""
    entry: Entry = {
        "dependents": {use.dependent: _dependent(use) for use in uses.of(*TO_BE_NAMED)},
        "forbids": [use.dependent for use in uses.of("forbids")],
        "lost": [use.dependent for use in uses.of("lost")],
        "perhaps": len(uses.of("perhaps")),
        "code": {folder: {"uses": count, "files": files} for folder, (count, files) in code.items()},
    }
    return {key: value for key, value in entry.items() if value}


def _dependent(use: Use) -> Entry:
    entry = {"effect": use.effect, "level": use.level if use.level > 1 else None, "definition": use.digest}
    return {key: value for key, value in entry.items() if value is not None}


@cache
def _query() -> str:
    return (files("runner") / "dependents.sql").read_text(encoding="utf-8")
