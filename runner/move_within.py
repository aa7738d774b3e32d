"""Rows from one table into another of the same database: an INSERT ... SELECT a chunk, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runner.bisect import keyset_halves
from runner.connect import Session
from runner.execute import execute
from runner.journal import Position
from runner.mover import Mover, Rows, next_chunk


@dataclass(slots=True)
class MoveWithin(Mover):
    """All of a chunk sees the same rows of the source, even where an application still writes to it."""

    begin: ClassVar[bytes] = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

    def move(self, session: Session, last: Position) -> Position | None:
        """Find the chunk's end, count its rows, load them."""
        with self.transaction(session):
            upto = self.bound(session, last) if self.work.table.keyset else None
            if upto is None and self.work.table.keyset:
                return None
            chunk = next_chunk(last, upto)
            self.claim(session, chunk)
            rows = self._count(session, chunk.values)
            counts = self.placing(session, chunk).place(chunk.values, rows.staged, keyset_halves)
            counts = self.settle(session, chunk, counts, rows)
        self.pace.succeeded(counts.read, 0, chunk.seconds)
        return Position(chunk.number, upto, last.counts + counts)

    def _count(self, session: Session, values: dict[str, str | None]) -> Rows:
        """The chunk's rows before `where`, and those that pass it."""
        row = execute(session, self.work.file.need("count"), values).rows[0]
        return Rows(int(row[0] or 0), int(row[1] or 0))
