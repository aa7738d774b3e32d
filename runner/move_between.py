"""Rows from one database into another: read ahead on the source, copied straight into the table or through a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runner.connect import Session
from runner.copy import Block, Copied, Outgoing, write
from runner.errors import SnapshotLost
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
        return self._direct(session, head) if self.work.file.find("direct") else self._staged(session, head)

    @property
    def _blocks(self) -> Iterator[Block]:
        """The next stream of the chunk that was read ahead."""
        assert self.feed is not None  # it gave the head
        return self.feed.blocks()

    def _staged(self, session: Session, head: Head) -> Placed:
        """Fill the stage, then the table from it."""
        copied = self._stage(session, self._blocks)
        failpoint("after-copy")
        placing = self.placing(session, head.chunk)
        loaded = placing.load()
        counts = placing.sift() if loaded is None else Counts(loaded)
        return _placed(head, placing.rest(counts, copied.rows), copied)

    def _direct(self, session: Session, head: Head) -> Placed:
        """Copy what the source has mapped into the table; then set aside what its guards have left out."""
        assert self.feed is not None  # it gave the head
        receive, placing = self.work.file.need("receive"), self.placing(session, head.chunk)
        copied: list[Copied] = []

        def receiving() -> int:
            copied.append(write(session, receive, self._blocks))
            return copied[0].rows

        if (rows := placing.attempt(receive, receiving)) is None:
            return self._sifted(session, head)
        failpoint("after-copy")
        counts = Counts(rows)
        if self.work.file.find("failing") is not None and self.feed.rows != head.kept:
            self._stage(session, self._blocks)
            counts = placing.rest(counts, None)
        kept = head.kept or 0
        return Placed(counts, kept if head.rows is None else head.rows, kept, copied[0].bytes)

    def _sifted(self, session: Session, head: Head) -> Placed:
        """A chunk that cannot be copied as it is: its rows as they are, through the stage."""
        self.close()
        extract = Outgoing(self.source(), self.work.file.need("extract"), head.chunk.values)
        copied = self._stage(session, extract)
        failpoint("after-copy")
        placing = self.placing(session, head.chunk)
        return _placed(head, placing.rest(placing.sift(), copied.rows), copied)

    def _stage(self, session: Session, blocks: Iterable[Block]) -> Copied:
        """The rows of a stream in the stage, alone."""
        execute(session, self.work.file.need("stage"))  # it is made once a session, and empty after each transaction
        return write(session, self.work.file.need("fill"), blocks)


def _placed(head: Head, counts: Counts, copied: Copied) -> Placed:
    """Rows that were not counted before are those that were copied."""
    kept = copied.rows if head.kept is None else head.kept
    return Placed(counts, kept if head.rows is None else head.rows, kept, copied.bytes)
