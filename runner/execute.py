"""One section of the plan, run: its values bound, its rows as text, its errors with their place in the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from runner.bind import Bound, Value, bind
from runner.connect import Session
from runner.errors import Refused, SqlError
from runner.sections import Section

Values = Mapping[str, Value]
TextRow = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a section's last query, as text, and how many rows its statements touched.

    `changed` are those of its last statement alone.
    """

    columns: tuple[str, ...]
    rows: tuple[TextRow, ...]
    touched: int
    changed: int = 0


def execute(session: Session, section: Section, values: Values | None = None) -> Result:
    """Run a section as one simple query. Raises SqlError."""
    bound = bound_text(section, values or {})
    with located(section, bound), session.cursor() as cursor:
        cursor.execute(bound.text.encode())
        return _result(cursor)


def bound_text(section: Section, values: Values) -> Bound:
    """The section's text with its values in it. Raises Refused where the section is given no such value."""
    if unknown := [name for name in section.binds if name not in values]:
        raise Refused(f'"{unknown[0]}" is not bound in {section.title}', place=section.place())
    part = values["part"] if "part" in section.binds else None
    return bind(section.text, [values[name] for name in section.binds], part)


@contextmanager
def located(section: Section, bound: Bound | None = None) -> Iterator[None]:
    """Give an error of the server its place in the plan: the character it points at, else the section."""
    try:
        yield
    except psycopg.Error as error:
        position = error.diag.statement_position
        offset = bound.origin(int(position) - 1) if bound and position and position.isdigit() else None
        raise SqlError(error, section.place(offset)) from error


def _result(cursor: psycopg.Cursor[tuple[object, ...]]) -> Result:
    touched = 0
    columns: tuple[str, ...] = ()
    rows: tuple[TextRow, ...] = ()
    while True:
        changed = max(0, cursor.rowcount)
        touched += changed
        if (found := cursor.pgresult) is not None and cursor.description is not None:
            columns = tuple(column.name for column in cursor.description)
            rows = tuple(_row(found, row) for row in range(found.ntuples))
        if not cursor.nextset():
            return Result(columns, rows, touched, changed)


def _row(found: psycopg.pq.abc.PGresult, row: int) -> TextRow:
    """A row as the server wrote it: psycopg has no Python value for a date in the year 20000, or infinity."""
    values = (found.get_value(row, column) for column in range(found.nfields))
    return tuple(None if value is None else value.decode() for value in values)
