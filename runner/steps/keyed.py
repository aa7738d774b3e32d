"""Backfill and refill: one database, a table and its backup, chunk by chunk by the key; each chunk one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass

from runner import fence, journal
from runner.chunks import Chunk, Pace
from runner.connect import Session
from runner.errors import SqlError
from runner.execute import execute
from runner.failpoints import failpoint
from runner.journal import Counts, Position, Range
from runner.retry import CANCELLED, passing
from runner.work import Work, demand_no_row

ROWS = (5_000, 50_000)  # of a chunk, at first and at most: it holds its rows' locks for as long as it takes
SECONDS = 0.25  # a chunk's: a writer that meets it waits no longer


def backfill(work: Work) -> None:
    """Once over the table."""
    _pass(work, 0)
    _verify(work)


def refill(work: Work) -> None:
    """Pass after pass, until one has found nothing to do: keys may have moved behind it."""
    number = 0
    while _pass(work, number):
        number += 1
    _verify(work)


def _verify(work: Work) -> None:
    for section in work.file.all("verify"):
        demand_no_row(work, section)


def _pass(work: Work, number: int) -> int:
    """What is left of a pass; how many rows all of it has changed."""
    size = _size(work)
    part = Range(number)
    work.persist(lambda: journal.add_ranges(work.target(), work.run, work.step.id, (part,)))
    mover = _Mover(work, part, Pace(ROWS[0], ROWS[1]))
    while True:
        work.check_stop()
        if not work.persist(mover.advance, worth=_worth, failed=mover.failed):
            break
        counts = work.persist(lambda: journal.loaded(work.target(), work.run, work.step.id))
        work.context.progress.moved(work.step, counts, max(size, counts.read))
    return work.persist(lambda: _changed(work, part))


def _size(work: Work) -> int:
    known = work.persist(lambda: journal.size(work.target(), work.run, work.step.id))
    if known is not None:
        return known
    found = int(work.ask(work.file.need("size")).rows[0][0] or 0)
    work.record("counted", lambda session: journal.set_size(session, work.run, work.step.id, found), f"{found} rows")
    return found


def _changed(work: Work, part: Range) -> int:
    query = """SELECT coalesce(sum(loaded), 0)::bigint FROM transhume.chunk
               WHERE run = %s AND step = %s AND range = %s"""
    return int(journal.scalar(work.target(), query, (work.run.run, work.step.id, part.number)))


def _worth(error: SqlError) -> bool:
    return passing(error) or error.sqlstate == CANCELLED


@dataclass(slots=True)
class _Mover:
    """Moves one pass over the keys; the journal says where it is."""

    work: Work
    part: Range
    pace: Pace

    def failed(self, error: SqlError) -> None:
        """Somebody was in the way: the next try takes less."""
        if not error.lost:
            self.pace.shrink()

    def advance(self) -> bool:
        """The next chunk; whether there was one."""
        session = self.work.target()
        self.work.wish()
        position = journal.position(session, self.work.run, self.work.step.id, self.part)
        chunk = self._next(session, position)
        if chunk is None:
            return False
        started = time.monotonic()
        failpoint("before-fence")
        with session.transaction():
            fence.hold(session, self.work.run)
            failpoint("after-fence")
            run, step = self.work.run, self.work.step.id
            journal.claim_chunk(session, run, step, chunk.number, chunk.after, chunk.upto)
            failpoint("after-claim")
            touched = execute(session, self.work.file.need("copy"), {**self.work.values, **chunk.values}).changed
            failpoint("after-load")
            seconds = time.monotonic() - started
            counts = Counts(touched, max(0, chunk.rows - touched))
            journal.checkpoint(session, run, step, chunk.number, counts, 0, seconds)
            failpoint("before-commit")
        failpoint("after-commit")
        self._adapt(chunk.rows, time.monotonic() - started)
        return True

    def _next(self, session: Session, position: Position) -> Chunk | None:
        width = self.work.file.width
        after = Chunk(position.chunk + 1, position.upto, None, self.pace.rows, width)
        found = execute(session, self.work.file.need("bound"), {**after.values, "rows": str(self.pace.rows)}).rows
        if not found:
            return None
        *key, rows = found[0]
        upto = tuple(value or "" for value in key)
        return Chunk(position.chunk + 1, position.upto, upto, int(rows or 0), width)

    def _adapt(self, rows: int, seconds: float) -> None:
        """Aim at SECONDS; at most twice as many rows as before."""
        wanted = int(rows * SECONDS / max(seconds, 0.001))
        self.pace.rows = max(100, min(wanted, 2 * self.pace.rows, self.pace.most))
