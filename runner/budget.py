"""The error budget: how many rows may be set aside, counted from the journal, so that a restart does not reset it."""

from __future__ import annotations

from runner.connect import Session
from runner.errors import RunnerError
from runner.journal import Run, scalar
from runner.manifest import Plan, Table
from runner.rejects import ROWS

HINT = "mend the rows in the source and apply again; or roll back, raise `rejected:` in {}, plan and apply"
COUNTED = "run = %s AND action IN ('rejected', 'reconciled')"


def check(session: Session, plan: Plan, run: Run, table: Table, fresh: int | None = None) -> None:
    """Raise RunnerError where the table, or the whole run, has set more rows aside than it may.

    Called inside the transaction that sets rows aside: what goes beyond the budget is rolled back with it. `fresh` is
    how many it has set aside, at most; None where that is not known.
    """
    sizes = _sizes(session, plan, run)
    for budget, id, whose, total in (
        (table.rejected, table.id, f"table {table.id}", sizes[table.id]),
        (plan.limits.rejected, None, f"project {plan.project}", sum(sizes.values())),
    ):
        if budget is None:
            continue
        allowed = budget.allowed(total)
        if fresh is not None and _at_most(session, plan, run, id) + fresh <= allowed:
            continue  # the usual case, at each chunk: not all that was set aside so far is counted again
        if (rows := _set_aside(session, run, id)) > allowed:
            _stop(session, run, id, whose, rows, budget.text, total)


def _at_most(session: Session, plan: Plan, run: Run, table: str | None) -> int:
    """No fewer rows than were set aside and committed: the sums of chunks and parts, of which there are few.

    The parts of a hierarchy are rows that have found their place.
    """
    trees = [each.id for each in plan.steps if each.kind == "tree"]
    steps = [each.id for each in plan.steps if table is None or each.table == table or each.kind == "reconcile"]
    query = """SELECT coalesce(sum(c.rows), 0)::bigint FROM (
                   SELECT rejected AS rows FROM transhume.chunk WHERE run = %(run)s AND step = ANY (%(steps)s)
                   UNION ALL SELECT rows FROM transhume.part WHERE run = %(run)s AND step = ANY (%(steps)s)
                                                                  AND step <> ALL (%(trees)s)) AS c"""
    return int(scalar(session, query, {"run": run.run, "steps": steps, "trees": trees}))


def _set_aside(session: Session, run: Run, table: str | None) -> int:
    query = f"""SELECT {ROWS} FROM transhume.reject
                WHERE {COUNTED} AND (%s::text IS NULL OR table_id = %s)"""
    return int(scalar(session, query, (run.run, table, table)))


def _sizes(session: Session, plan: Plan, run: Run) -> dict[str, int]:
    """The rows of each table's source: counted where it is being read, else as the catalog estimates."""
    query = "SELECT step, size FROM transhume.step WHERE run = %s AND size IS NOT NULL"
    counted: dict[str, int] = dict(session.execute(query, (run.run,)).fetchall())
    sizes = {table.id: table.rows for table in plan.tables}
    for table, step in plan.reader.items():
        if step.id in counted:
            sizes[table] = counted[step.id]
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
