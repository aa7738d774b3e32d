"""What moving a range has in common, whether between two databases or within one: chunks, retries, the checkpoint."""

from __future__ import annotations

import abc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from runner import budget, fence, journal
from runner.chunks import Chunk, Pace
from runner.connect import Session
from runner.errors import RunnerError, SnapshotLost, SqlError, is_row_error
from runner.failpoints import failpoint
from runner.feed import Head
from runner.journal import Counts, Position, Range
from runner.placing import Placing
from runner.rejects import add_reject
from runner.retry import CANCELLED, passing
from runner.throttle import wait_for_rate
from runner.work import Work

WITHOUT_REJECTS = ("map",)
CLAIMED = "23505"  # of transhume.chunk: another worker, given up for lost, has moved the chunk after all


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a chunk's rows, before the checkpoint: `rows` of the source, `kept` by `where`, `bytes` copied."""

    counts: Counts
    rows: int
    kept: int
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """A chunk that is committed."""

    chunk: Chunk
    counts: Counts


@dataclass(slots=True)
class Mover(abc.ABC):
    """Moves a range, one chunk after the other. `position` is what the journal says; None where it has to be asked."""

    work: Work
    part: Range
    pace: Pace
    position: Position | None = field(default=None, init=False)

    begin: ClassVar[bytes] = b""  # what a chunk's transaction starts with

    def advance(self) -> Moved | None:
        """Move the next chunk, whatever it takes; None where there is none. Raises RunnerError."""
        self.work.check_stop()
        with self.work.context.room.chunk(self.pace.width):
            moved = self.work.persist(self._once, worth=self._worth, failed=self._failed)
        if self.work.context.room.tight:
            self.close()
            self.work.context.sessions.forget()  # what libpq has grown to hold a wide row is given back
        return moved

    def close(self) -> None:  # noqa: B027 -- not every mover reads ahead
        """Nothing is to be read any more."""

    @abc.abstractmethod
    def head(self, position: Position) -> Head | None:
        """The next chunk; None where there is none."""

    @abc.abstractmethod
    def place(self, session: Session, head: Head) -> Placed:
        """Put the rows of a claimed chunk into their table."""

    def placing(self, session: Session, chunk: Chunk) -> Placing:
        """How the rows of a claimed chunk are placed."""
        values = {**self.work.values, **chunk.values}
        return Placing(session, self.work.file, values, lambda aside: self.check_budget(session, aside))

    def _once(self) -> Moved | None:
        wish = self.work.wish()
        if self.position is None:
            self.position = journal.position(self.work.target(), self.work.run, self.work.step.id, self.part)
        while (head := self.head(self.position)) is not None:
            last, self.position = (
                self.position,
                None,
            )  # whatever fails from here on, the journal knows what is committed
            started = time.monotonic()
            try:
                moved = self._move(head)
            except SqlError as error:
                if error.constraint == "chunk_range":
                    raise SnapshotLost(f"{self.work.step.id} was started anew without this range") from error
                if not is_row_error(error) or not self.work.by_key or _is_claim(error):
                    raise  # by its place a row cannot be told: no chunk is smaller than a block
                self.close()
                if head.chunk.rows > 1:  # it cannot even be read: in smaller pieces, down to the row
                    self.pace.rows, self.position = max(1, head.chunk.rows // 2), last
                    continue
                moved = self._give_up(head.chunk, error)
            self.position = Position(head.chunk.number, head.chunk.upto)
            self.work.pause(wait_for_rate(moved.counts.read, time.monotonic() - started, wish.rate))
            return moved
        return None

    def _move(self, head: Head) -> Moved:
        """One chunk, in one transaction on the target."""
        session, chunk = self.work.target(), head.chunk
        started = time.monotonic()
        with self._transaction(session, chunk):
            placed = self.place(session, head)
            moved = Moved(chunk, self._accounted(chunk, placed))
            seconds = time.monotonic() - started
            self._settle(session, moved, placed.bytes, seconds)
        self.pace.succeeded(moved.counts.read, placed.bytes, seconds)
        return moved

    def _give_up(self, chunk: Chunk, error: SqlError) -> Moved:
        """Set one row aside that could not even be read; a map leaves it out without a word."""
        session, table = self.work.target(), self.work.table
        aside = 0 if self.work.step.kind in WITHOUT_REJECTS else 1
        with self._transaction(session, chunk):
            if aside:
                run, step, key = self.work.run, self.work.step.id, chunk.upto or ()
                add_reject(session, run, step, chunk.number, table, key, error.reason, error.sqlstate)
            moved = Moved(chunk, self._accounted(chunk, Placed(Counts(rejected=aside), 1, 1)))
            self._settle(session, moved, 0, 0)
        return moved

    def _worth(self, error: SqlError) -> bool:
        return passing(error) or _is_claim(error) or (error.sqlstate == CANCELLED and not self.pace.smallest)

    def _failed(self, error: SqlError) -> None:
        self.close()
        if not error.lost and not _is_claim(error):
            self.pace.shrink()

    @contextmanager
    def _transaction(self, session: Session, chunk: Chunk) -> Iterator[None]:
        """The one transaction of a chunk; its claim is the first change."""
        failpoint("before-fence")
        with session.transaction():
            if self.begin:
                session.execute(self.begin)
            fence.hold(session, self.work.run)
            failpoint("after-fence")
            journal.claim_chunk(session, self.work.run, self.work.step.id, chunk.number, chunk.after, chunk.upto)
            failpoint("after-claim")
            yield
            failpoint("before-commit")
        failpoint("after-commit")

    def _accounted(self, chunk: Chunk, placed: Placed) -> Counts:
        """All the chunk's rows. Raises RunnerError where one is neither loaded nor set aside."""
        counts = placed.counts
        if self.work.step.kind in WITHOUT_REJECTS:  # rows that cannot move are left out: the load meets them again
            return replace(counts, filtered=placed.rows - counts.loaded)
        missing = placed.kept - counts.read
        if missing:
            raise RunnerError(
                f"{self.work.step.id}, chunk {chunk.number}: of {placed.kept:,} rows {counts.loaded:,} were loaded and "
                f"{counts.rejected:,} set aside: {missing:,} are unaccounted for",
                "a rule or a trigger of the target may have taken them, or a join of the plan is wrong",
                place=self.work.file.sections[0].place(),
            )
        return replace(counts, filtered=counts.filtered + placed.rows - placed.kept)

    def _settle(self, session: Session, moved: Moved, size: int, seconds: float) -> None:
        """The checkpoint, the last change of the transaction. Raises RunnerError where too many rows were set aside."""
        failpoint("after-load")
        if moved.counts.rejected:
            self.check_budget(session, moved.counts.rejected)
        run, step = self.work.run, self.work.step.id
        journal.checkpoint(session, run, step, moved.chunk.number, moved.counts, size, seconds)

    def check_budget(self, session: Session, fresh: int) -> None:
        """Raise RunnerError where too many rows were set aside, `fresh` of them at most by this transaction."""
        budget.check(session, self.work.context.plan, self.work.run, self.work.table, fresh)


def _is_claim(error: SqlError) -> bool:
    return error.sqlstate == CLAIMED and error.constraint == "chunk_pkey"
