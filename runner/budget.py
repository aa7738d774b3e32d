"""The error budget: how many rows may be set aside, counted from the journal, so that a restart does not reset it."""

from __future__ import annotations

from runner.connect import Session
from runner.errors import RunnerError
from runner.journal import Run
from runner.manifest import Plan, Table

HINT = "mend the rows in the source and apply again; or roll back, raise `rejected:` in {}, plan and apply"
COUNTED = "run = %s AND action IN ('rejected', 'reconciled')"


def check(session: Session, plan: Plan, run: Run, table: Table) -> None:
    """Raise RunnerError where the table, or the whole run, has set more rows aside than it may.

    Called inside the transaction that sets rows aside: what goes beyond the budget is rolled back with it.
    """
    if table.rejected is not None:
        rows, sizes = _set_aside(session, run, table.id), _sizes(session, plan, run)
        if rows > table.rejected.allowed(sizes[table.id]):
            _stop(session, run, table.id, f"table {table.id}", rows, table.rejected.text, sizes[table.id])
    if plan.limits.rejected is not None:
        rows, total = _set_aside(session, run, None), sum(_sizes(session, plan, run).values())
        if rows > plan.limits.rejected.allowed(total):
            _stop(session, run, None, f"project {plan.project}", rows, plan.limits.rejected.text, total)


def _set_aside(session: Session, run: Run, table: str | None) -> int:
    query = f"""SELECT count(DISTINCT (table_id, key)) FROM transhume.reject
                WHERE {COUNTED} AND (%s::text IS NULL OR table_id = %s)"""
    row = session.execute(query, (run.run, table, table)).fetchone()
    return row[0] if row else 0


def _sizes(session: Session, plan: Plan, run: Run) -> dict[str, int]:
    """The rows of each table's source: counted where its load has begun, else as the catalog estimates."""
    query = "SELECT step, size FROM transhume.step WHERE run = %s AND size IS NOT NULL"
    counted: dict[str, int] = dict(session.execute(query, (run.run,)).fetchall())
    sizes = {table.id: table.rows for table in plan.tables}
    for step in plan.steps:
        if step.kind == "load" and step.id in counted:
            sizes[step.table] = counted[step.id]
    return sizes


def _stop(session: Session, run: Run, table: str | None, whose: str, rows: int, limit: str, total: int) -> None:
    query = f"""SELECT count(*), step, coalesce(target_column, ''), reason, sqlstate, min(key)
                FROM transhume.reject WHERE {COUNTED} AND (%s::text IS NULL OR table_id = %s)
                GROUP BY step, target_column, reason, sqlstate ORDER BY count(*) DESC LIMIT 5"""
    notes = tuple(
        f"{count:,} x {step} {column} {reason} [{sqlstate}], {', '.join(key)} for one"
        for count, step, column, reason, sqlstate, key in session.execute(query, (run.run, table, table))
    )
    message = f"{rows:,} of {total:,} rows of {whose} would be set aside: the limit is {limit}"
    raise RunnerError(message, HINT.format("the table's spec" if table else "project.yaml"), notes=notes)
