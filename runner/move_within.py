"""Rows from one table into another of the same database: an INSERT ... SELECT a chunk, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runner.connect import Session
from runner.execute import execute
from runner.feed import Head, counted, next_chunk
from runner.journal import Counts, Position
from runner.mover import Mover, Placed


@dataclass(slots=True)
class MoveWithin(Mover):
    """All of a chunk sees the same rows of the source, even where an application still writes to it."""

    begin: ClassVar[bytes] = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

    def head(self, position: Position) -> Head | None:
        """Where the next chunk ends; its rows are counted in its transaction."""
        session = self.work.session(self.work.file.need("size"))
        found = next_chunk(self.work, session, self.part, position, self.pace.rows)
        return Head(found[0], None, None) if found else None

    def place(self, session: Session, head: Head) -> Placed:
        """Count the rows of the source, then fill the table from it; through a stage where that is refused."""
        known = counted(self.work, session, head.chunk, None)
        rows, kept = known.rows or 0, known.kept or 0
        placing = self.placing(session, head.chunk)
        if (loaded := placing.load()) is not None:
            counts = Counts(loaded)
        else:
            execute(session, self.work.file.need("stage"))
            execute(session, self.work.file.need("fill"), head.chunk.values)
            counts = placing.sift()
        return Placed(placing.rest(counts, kept), rows, kept)
