"""Reconcile: set aside, or null, the rows whose references are missing, until none is left."""

from __future__ import annotations

from runner import budget
from runner.connect import Session
from runner.execute import execute
from runner.work import Work, demand_no_row

# What the server allows itself to check a foreign key, which is the same join.
AS_MUCH_MEMORY = b"SELECT pg_catalog.set_config('work_mem', pg_catalog.current_setting('maintenance_work_mem'), true)"


def carry_out(work: Work) -> None:
    """Ask the gate; settle every column, and what follows from that, in one transaction; prove it."""
    if not work.begun():
        for gate in work.file.all("gate"):
            demand_no_row(work, gate)
    work.change("settle", lambda session: _settle(session, work))
    for verify in work.file.all("verify"):
        demand_no_row(work, verify)


def _settle(session: Session, work: Work) -> int:
    """Run the sections again and again: a row that one takes away may be what a row of another refers to."""
    session.execute(AS_MUCH_MEMORY)
    total = 0
    while touched := sum(execute(session, section, work.values).touched for section in work.file.all("settle")):
        total += touched
    for section in work.file.all("apply"):
        execute(session, section, work.values)
    if total:
        for table in work.context.plan.tables:
            budget.check(session, work.context.plan, work.run, table)
    return total
