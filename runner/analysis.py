"""Columns -> everything that uses them, in a database and in folders of code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from runner.catalog_entries import qualified
from runner.code_uses import Folder, scan
from runner.connect import Address, open_source, unreachable
from runner.errors import USAGE, RunnerError, SqlError
from runner.uses import Uses, read_uses

TABLE = "*"  # in the place of a column: the table itself
KINDS = {"v": "view", "m": "materialized view", "S": "sequence", "i": "index", "I": "index", "c": "type"}
LIMITS = (
    "a name that is put together from pieces ('legacy_' || 'id'), in a function or in code, is not found",
    "a name that is a part of a longer word (getLegacyId, legacy_ids) is not counted as a use",
    "other databases that read this one, reports, and whatever is in no folder that was named are not seen",
)
RELATION = """
SELECT c.relkind::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""
TABLES = """
SELECT c.relname::text
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'f')
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns of one table."""

    schema: str
    table: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        return qualified(self.schema, self.table)

    def called(self, column: str) -> str:
        """What code calls it: a column by its name, the table itself by the table's."""
        return self.table if column == TABLE else column


@dataclass(frozen=True, slots=True)
class Analysis:
    """What uses the columns of a table in one database; `place` is that, for people."""

    wanted: Wanted
    place: str
    uses: tuple[Uses, ...]


class NotThere(RunnerError):
    """The database has no such table, or the table no such column."""


def analyse(where: Address, wanted: Sequence[Wanted]) -> list[Analysis]:
    """What uses the columns in the database. Raises RunnerError; NotThere for the first table that is not as asked."""
    try:
        session = open_source(where, "transhume analyse")
    except psycopg.Error as error:
        raise unreachable(where, error) from None
    try:
        with session, session.transaction():
            for one in wanted:
                _check(session, one, where)
            return [Analysis(one, str(where), read_uses(session, one.schema, one.table, one.columns)) for one in wanted]
    except psycopg.Error as error:
        raise SqlError(error) from None


def _check(session: psycopg.Connection[Any], wanted: Wanted, where: Address) -> None:
    row = session.execute(RELATION, [wanted.schema, wanted.table]).fetchone()
    if row is None:
        tables = [name for (name,) in session.execute(TABLES, [wanted.schema]).fetchall()]
        hint = _close(wanted.table, tables) or f'the schema "{wanted.schema}" has {len(tables)} tables'
        raise NotThere(f'there is no table "{wanted}" in {where}', hint, USAGE)
    kind, columns = row
    if kind in KINDS:
        raise NotThere(f'"{wanted}" is a {KINDS[kind]}: only columns of tables are analysed', "", USAGE)
    for column in wanted.columns:
        if column not in (*columns, TABLE):
            hint = _close(column, columns) or f"it has {', '.join(columns)}"
            raise NotThere(f'table "{wanted}" has no column "{column}" in {where}', hint, USAGE)


def _close(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f'did you mean "{close[0]}"?' if close else ""


def search(folders: Iterable[tuple[str, Path]], columns: Sequence[str]) -> list[Folder]:
    """What the code folders have of the columns' names. Raises RunnerError for one that is not there."""
    return [scan(path, columns, shown) for shown, path in dict(folders).items()]
