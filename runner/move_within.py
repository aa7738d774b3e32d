"""Rows from one table into another of the same database: an INSERT ... SELECT a chunk, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from runner.bisect import keyset_halves
from runner.connect import Session
from runner.execute import execute
from runner.journal import Counts
from runner.mover import Chunk, Mover, Rows


@dataclass(slots=True)
class MoveWithin(Mover):
    """All of a chunk sees the same rows of the source, even where an application still writes to it."""

    begin: ClassVar[bytes] = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

    def place(self, session: Session, chunk: Chunk) -> tuple[Counts, Rows]:
        """Count the rows of the source, then fill the table from it."""
        before_where, staged = execute(session, self.work.file.need("count"), chunk.values).rows[0]
        rows = Rows(int(before_where or 0), int(staged or 0))
        return self.placing(session, chunk).place(chunk.values, rows.staged, keyset_halves), rows
