"""The rows that were set aside: written down, counted, listed."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row

from runner.connect import Session
from runner.journal import Keyset, Run
from runner.manifest import Table

# Rows, out of entries: a row has one for each reference that it lost. Without a key in the source it is named by its
# place in the target, which a later step may find another row at: of those taken away, the step is part of the name.
ROWS = "count(DISTINCT (table_id, key, CASE action WHEN 'reconciled' THEN step END))"


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was set aside, or (`nulled`) that lost a reference. `raw` is the row as far as it was read."""

    step: str
    table_id: str
    source: str
    key: list[str]
    raw: Any
    target_column: str | None
    reason: str
    sqlstate: str
    action: str
    rejected_at: datetime.datetime


def add_reject(
    session: Session, run: Run, step: str, chunk: int, table: Table, key: Keyset, reason: str, sqlstate: str
) -> None:
    """Set aside a row that cannot even be read: its key is all that is known."""
    query = """INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, reason, sqlstate, action)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'rejected')"""
    session.execute(query, (run.run, step, chunk, table.id, table.source, list(key), reason, sqlstate))


def set_aside(session: Session, run: Run) -> Mapping[str, Mapping[str, int]]:
    """How many rows were set aside: by table, then by action."""
    return set_aside_by(session, run, None)


def set_aside_by(session: Session, run: Run, step: str | None) -> Mapping[str, Mapping[str, int]]:
    """The same for the rows that one step has set aside; None for all steps."""
    query = f"""SELECT table_id, action, {ROWS} FROM transhume.reject
                WHERE run = %s AND (%s::text IS NULL OR step = %s) GROUP BY 1, 2 ORDER BY 1, 2"""
    found: dict[str, dict[str, int]] = {}
    for table, action, rows in session.execute(query.encode(), (run.run, step, step)):
        found.setdefault(table, {})[action] = rows
    return found


def rejected_keys(session: Session, run: Run, table: str) -> list[str]:
    """The keys of a table's rows that did not arrive, as text; a composite one as ROW(a, b) writes it."""
    return _keys(session, run, table, "action IN ('rejected', 'reconciled', 'left')", ())


def nulled_keys(session: Session, run: Run, table: str, column: str) -> list[str]:
    """The keys of a table's rows whose `column` was set to NULL."""
    return _keys(session, run, table, "action = 'nulled' AND target_column = %s", (column,))


def rooted_keys(session: Session, run: Run, table: str) -> list[str]:
    """The keys of a hierarchy's rows that had a parent and are roots now."""
    return _keys(session, run, table, "action IN ('rooted', 'broken')", ())


def left_keys(session: Session, run: Run, table: str) -> list[str]:
    """The keys of a hierarchy's placeholders that stayed behind."""
    return _keys(session, run, table, "action = 'left'", ())


def _keys(session: Session, run: Run, table: str, condition: str, values: tuple[str, ...]) -> list[str]:
    query = f"SELECT DISTINCT key FROM transhume.reject WHERE run = %s AND table_id = %s AND {condition} ORDER BY key"
    return [row_text(key) for (key,) in session.execute(query.encode(), (run.run, table, *values))]


def row_text(key: list[str]) -> str:
    """The text of a key: of its one column, or of ROW(...) as the server writes records."""
    return key[0] if len(key) == 1 else "(" + ",".join(map(_field, key)) + ")"


def _field(text: str) -> str:
    if text and not any(c in '"\\(),' or c in " \t\n\r\v\f" for c in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


def listed(session: Session, run: Run, table: str | None, limit: int) -> list[Reject]:
    """The rows that were set aside, in the order of tables and keys."""
    query = """SELECT step, table_id, source, key, raw, target_column, reason, sqlstate, action, rejected_at
               FROM transhume.reject WHERE run = %s AND (%s::text IS NULL OR table_id = %s)
               ORDER BY table_id, key, action, target_column LIMIT %s"""
    with session.cursor(row_factory=class_row(Reject)) as cursor:
        return cursor.execute(query, (run.run, table, table, limit)).fetchall()
