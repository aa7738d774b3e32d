"""Rows from one database into another: COPY into a stage on the target, and from there into the table."""

from __future__ import annotations

from dataclasses import dataclass

from runner.bisect import WHOLE_STAGE, stage_halves
from runner.connect import Session
from runner.copy import Copied, stream
from runner.errors import SqlError, is_row_error
from runner.execute import execute
from runner.failpoints import failpoint
from runner.journal import Counts, Position
from runner.mover import Chunk, Mover, Rows, next_chunk
from runner.rejects import add_reject


@dataclass(slots=True)
class MoveBetween(Mover):
    """Reads on the source, then one transaction on the target."""

    def move(self, session: Session, last: Position) -> Position | None:
        """Halve a chunk that cannot be read or staged, down to the row, which is then known by its key alone."""
        chunk = self._chunk(last)
        if chunk is None:
            return None
        try:
            counts = self._move(session, chunk)
        except SqlError as error:
            if not is_row_error(error) or not self.work.table.keyset:
                raise
            if not self.pace.smallest:
                self.pace.shrink()
                return self.move(session, last)
            counts = self._give_up(session, chunk, error)
        return Position(chunk.number, chunk.upto, last.counts + counts)

    def _chunk(self, last: Position) -> Chunk | None:
        if not self.work.table.keyset:
            return next_chunk(last, None)
        upto = self.bound(self.work.context.sessions.source(), last)
        return None if upto is None else next_chunk(last, upto)

    def _move(self, session: Session, chunk: Chunk) -> Counts:
        execute(session, self.work.file.need("stage"))
        before_where = self._count(chunk)
        with self.transaction(session):
            self.claim(session, chunk)
            copied = self._copy(session, chunk)
            counts = self.placing(session, chunk).place(WHOLE_STAGE, copied.rows, stage_halves)
            rows = Rows(copied.rows if before_where is None else before_where, copied.rows, copied.bytes)
            counts = self.settle(session, chunk, counts, rows)
        self.pace.succeeded(counts.read, copied.bytes, chunk.seconds)
        return counts

    def _copy(self, session: Session, chunk: Chunk) -> Copied:
        file = self.work.file
        source = self.work.context.sessions.source()
        copied = stream(source, file.need("extract"), session, file.need("fill"), chunk.values)
        failpoint("after-copy")
        return copied

    def _count(self, chunk: Chunk) -> int | None:
        """The chunk's rows before `where`; None where there is none."""
        if (section := self.work.file.find("count")) is None:
            return None
        source = self.work.context.sessions.source()
        return int(execute(source, section, chunk.values).rows[0][0] or 0)

    def _give_up(self, session: Session, chunk: Chunk, error: SqlError) -> Counts:
        """Set one row aside that could not even be read; a map leaves it out without a word."""
        run, step, table = self.work.run, self.work.step, self.work.table
        aside = 0 if step.kind == "map" else 1
        with self.transaction(session):
            self.claim(session, chunk)
            if aside:
                add_reject(session, run, step.id, chunk.number, table, chunk.upto or (), error.reason, error.sqlstate)
            counts = self.settle(session, chunk, Counts(rejected=aside), Rows(1, 1))
        self.pace.succeeded(1, 1, chunk.seconds)
        return counts
