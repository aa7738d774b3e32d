"""Checks of a created table as guards of its load: a row that breaks one is set aside at once, not found by halving."""

from __future__ import annotations

from dataclasses import replace

from compiler.bound import BoundColumn, Guard
from compiler.expressions import Scalar, Scope, scalar
from compiler.spec import Check
from compiler.sql import Sql, join, tight

# Guards that say nothing of the cast: a value that passes them may raise all the same.
_NOT_OF_CASTS = frozenset(["23502", "23503", "23514"])


def with_guard(columns: tuple[BoundColumn, ...], check: Check, found: Scalar, scope: Scope) -> tuple[BoundColumn, ...]:
    """The columns, the last one that the check names with a guard for it; `found` is the check, read in `scope`.

    Without a guard where the check, or a value in it, could raise: then the table's own CHECK finds such rows.
    """
    used = [column for column in columns if column.name in found.columns]
    if not found.total or not used or len(used) < len(found.columns) or not all(map(_never_raises, used)):
        return columns
    values = {column.name: tight(column.value) for column in used}
    held = scalar(check.sql, replace(scope, values=values)).sql
    guard = Guard(used[-1].name, _where_cast(used, Sql(f"({held}) IS NOT FALSE")), f"breaks {check.name}", "23514")
    return tuple(_guarded(column, guard) if column is used[-1] else column for column in columns)


def _never_raises(column: BoundColumn) -> bool:
    """The value is of a built-in type, and kept as it is, or cast behind a guard."""
    return column.type == column.wire and bool(column.copies or _of_cast(column))


def _of_cast(column: BoundColumn) -> list[Sql]:
    return [guard.ok for guard in column.guards if guard.sqlstate not in _NOT_OF_CASTS]


def _where_cast(used: list[BoundColumn], held: Sql) -> Sql:
    """Only a row whose casts succeed is asked; the others fail the guards of the casts."""
    tests = [Sql(f"({test})") for column in used for test in _of_cast(column)]
    return Sql(f"CASE WHEN {join(' AND ', tests)} THEN {held} ELSE true END") if tests else held


def _guarded(column: BoundColumn, guard: Guard) -> BoundColumn:
    return replace(column, guards=(*column.guards, guard))
