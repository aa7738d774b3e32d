"""Rows from one database into another: COPY into a stage on the target, and from there into the table."""

from __future__ import annotations

from dataclasses import dataclass

from runner.bisect import WHOLE_STAGE, stage_halves
from runner.connect import Session
from runner.copy import stream
from runner.execute import execute
from runner.failpoints import failpoint
from runner.journal import Counts
from runner.mover import Chunk, Mover, Rows


@dataclass(slots=True)
class MoveBetween(Mover):
    """Reads on the source while the target writes, then moves on within the target."""

    def place(self, session: Session, chunk: Chunk) -> tuple[Counts, Rows]:
        """Fill the stage, then the table from it."""
        file, source = self.work.file, self.work.context.sessions.source()
        execute(session, file.need("stage"))  # it is made once a session, and empty after each transaction
        before_where = None
        if (count := file.find("count")) is not None:
            before_where = int(execute(source, count, chunk.values).rows[0][0] or 0)
        copied = stream(source, file.need("extract"), session, file.need("fill"), chunk.values)
        failpoint("after-copy")
        counts = self.placing(session, chunk).place(WHOLE_STAGE, copied.rows, stage_halves)
        return counts, Rows(copied.rows if before_where is None else before_where, copied.rows, copied.bytes)
