"""Load: the rows of a table, chunk by chunk; each chunk one transaction with its checkpoint. Map tables too."""

from __future__ import annotations

from runner import journal
from runner.move_between import MoveBetween
from runner.move_within import MoveWithin
from runner.steps.sectioned import build, gated
from runner.work import Work, demand_no_row


def carry_out(work: Work) -> None:
    """Move what is not moved yet, then prove it."""
    gated(work)
    size = _size(work)
    mover = MoveWithin(work) if work.context.plan.databases == 1 else MoveBetween(work)
    while mover.advance():
        work.context.progress.moved(work.step, mover.counts, size)
    work.persist(lambda: mover.check_budget(work.target()))
    for section in work.file.all("build"):
        build(work, section)
    for verify in work.file.all("verify"):
        demand_no_row(work, verify)


def _size(work: Work) -> int:
    """The rows of the source, counted once for the whole run."""
    known = work.persist(lambda: journal.size(work.target(), work.run, work.step.id))
    if known is not None:
        return known
    size = int(work.ask(work.file.need("size")).rows[0][0] or 0)
    work.record("counted", lambda session: journal.set_size(session, work.run, work.step.id, size), f"{size} rows")
    return size
