"""Rows from one database into another: read ahead on the source, copied straight into the table or through a stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.bisect import WHOLE_STAGE, Copying, FromStage
from runner.connect import Session
from runner.copy import Copied, write
from runner.errors import SnapshotLost, SqlError, is_row_error
from runner.execute import execute
from runner.failpoints import failpoint
from runner.feed import Feed, Head
from runner.journal import Counts, Position
from runner.mover import Mover, Placed


@dataclass(slots=True)
class MoveBetween(Mover):
    """Reads on the source while the target writes. `snapshot` is the view of the source that the range holds for."""

    snapshot: str | None = None
    feed: Feed | None = field(default=None, init=False)

    def close(self) -> None:
        """End the reading ahead."""
        if self.feed is not None:
            self.feed.close()
            self.feed = None

    def head(self, position: Position) -> Head | None:
        """The next chunk that was read ahead."""
        if self.feed is None:
            self.feed = Feed(self.work, self._entered(), self.part, position, self.pace)
        return self.feed.next()

    def source(self) -> Session:
        """This lane's session on the source. Raises SnapshotLost where it is in another view than the range's."""
        session = self.work.source()
        if self.snapshot not in (None, self.work.context.sessions.view):
            raise SnapshotLost(
                f"{self.work.step.id}: the view of the source that the places of its rows hold for is gone"
            )
        return session

    def _entered(self) -> Session:
        try:
            return self.source()
        except SnapshotLost:  # or the lane is in one from before, which it can leave
            self.work.context.sessions.forget()
            return self.source()

    def place(self, session: Session, head: Head) -> Placed:
        """The direct path where the plan has it, else by the stage."""
        assert self.feed is not None  # it gave the head
        return (
            self._direct(session, head, self.feed)
            if self.work.file.find("direct")
            else self._staged(session, head, self.feed)
        )

    def _staged(self, session: Session, head: Head, feed: Feed) -> Placed:
        """Fill the stage, then the table from it."""
        file = self.work.file
        execute(session, file.need("stage"))  # it is made once a session, and empty after each transaction
        copied = write(session, file.need("fill"), feed.blocks())
        failpoint("after-copy")
        values = {**self.work.values, **head.chunk.values}
        placing = FromStage(session, self.source, file, values, lambda aside: self.check_budget(session, aside))
        counts = placing.place(WHOLE_STAGE, copied.rows)
        return _placed(head, counts, copied)

    def _direct(self, session: Session, head: Head, feed: Feed) -> Placed:
        """Copy what the source has mapped into the table; then set aside what its guards have left out."""
        file, part = self.work.file, head.chunk.values
        values = {**self.work.values, **part}
        placing = Copying(session, self.source, file, values, lambda aside: self.check_budget(session, aside))
        try:
            with session.transaction():
                copied = write(session, file.need("receive"), feed.blocks())
                placing.settle()
        except SqlError as error:
            if not is_row_error(error):
                raise
            self.close()
            counts, size, sent = placing.refine(part, error), 0, None
        else:
            counts, size, sent = Counts(copied.rows), copied.bytes, feed.rows
        failpoint("after-copy")
        if file.find("failing") is not None and (counts.read if sent is None else sent) != head.kept:
            blocks = placing.read("failing", part) if sent is None else feed.blocks()
            counts += Counts(rejected=placing.reject(blocks))
        kept = head.kept or 0
        return Placed(counts, kept if head.rows is None else head.rows, kept, size)


def _placed(head: Head, counts: Counts, copied: Copied) -> Placed:
    """Rows that were not counted before are those that were copied."""
    kept = copied.rows if head.kept is None else head.kept
    return Placed(counts, kept if head.rows is None else head.rows, kept, copied.bytes)
