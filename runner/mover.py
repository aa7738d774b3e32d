"""What moving rows has in common, whether between two databases or within one: chunks, retries, the checkpoint."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from runner import budget, fence, journal
from runner.bisect import Placing
from runner.chunks import Pace
from runner.connect import Session
from runner.errors import RunnerError, SqlError, is_row_error
from runner.execute import TextRow, Values, execute
from runner.failpoints import failpoint
from runner.journal import Counts, Keyset, Position
from runner.lanes import Lanes
from runner.rejects import add_reject
from runner.retry import CANCELLED, passing
from runner.work import Work

Turn = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows behind one keyset, up to and with another, None for no bound; `rows` is how many were asked for."""

    number: int
    after: Keyset | None
    upto: Keyset | None
    rows: int

    @property
    def values(self) -> dict[str, str | None]:
        """What its sections bind."""
        width = len(self.after or self.upto or ())
        values: dict[str, str | None] = {"chunk": str(self.number)}
        for n in range(width):
            values[f"after.{n + 1}"] = self.after[n] if self.after else None
            values[f"upto.{n + 1}"] = self.upto[n] if self.upto else None
        return values


@dataclass(frozen=True, slots=True)
class Rows:
    """What a chunk has: rows of the source, those of them that pass `where`, and the bytes that were copied."""

    before_where: int
    staged: int
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """A chunk that is committed: what became of its rows, its bytes, the seconds without waiting for its turn."""

    counts: Counts
    bytes: int
    seconds: float


@dataclass(slots=True)
class Mover(abc.ABC):
    """Moves one chunk after the other. `position` is what the journal says; None where it has to be asked."""

    work: Work
    pace: Pace = field(init=False)
    lanes: Lanes[Chunk, Moved] = field(init=False)
    position: Position | None = field(default=None, init=False)

    begin: ClassVar[bytes] = b""  # what a chunk's transaction starts with

    def __post_init__(self) -> None:
        self.pace = Pace(*self.work.table.chunk)
        self.lanes = Lanes(self.work.context.slots.pool, self.move)

    @property
    def counts(self) -> Counts:
        """All rows that were moved so far, in this run."""
        return self.position.counts if self.position else Counts()

    def advance(self) -> bool:
        """Move the next chunk, whatever it takes; False where there is none."""
        try:
            self.work.check_stop()
            return self.work.persist(self._once, worth=self._worth, failed=self._failed)
        except BaseException:
            self.lanes.drain()
            raise

    @abc.abstractmethod
    def place(self, session: Session, chunk: Chunk) -> tuple[Counts, Rows]:
        """Put the rows of a claimed chunk into their table."""

    def move(self, chunk: Chunk, turn: Turn) -> Moved:
        """One chunk, in one transaction on the target."""
        session = self.work.target()
        started = time.monotonic()
        with self._transaction(session, chunk):
            counts, rows = self.place(session, chunk)
            seconds = time.monotonic() - started
            turn()
            moved = Moved(self._accounted(chunk, counts, rows), rows.bytes, seconds)
            self._settle(session, chunk, moved)
        return moved

    def _once(self) -> bool:
        if self.position is None:
            self.position = journal.position(self.work.target(), self.work.run, self.work.step.id)
        self._start()
        if not self.lanes.flight:
            return False
        last, self.position = self.position, None  # whatever fails from here on, the journal knows what is committed
        try:
            chunk, moved = self._first()
        except Smaller:
            self.position = last  # the server has rolled it back
            return True
        self.pace.succeeded(moved.counts.read, moved.bytes, moved.seconds)
        self.position = Position(chunk.number, chunk.upto, last.counts + moved.counts)
        return True

    def _start(self) -> None:
        """Put the next chunks to work: one, and one more for each job that has nothing to do.

        A map may number its rows, so its chunks come one after the other.
        """
        most = 1 if self.work.step.kind == "map" else 1 + self.work.context.slots.spare
        while len(self.lanes.flight) < most and (chunk := self._next()) is not None:
            self.lanes.start(chunk)

    def _next(self) -> Chunk | None:
        """The chunk behind all that are at work or committed; None where there are no more rows."""
        assert self.position is not None  # _once has asked for it
        last = self.lanes.flight[-1][0] if self.lanes.flight else None
        number, after = (last.number, last.upto) if last else (self.position.chunk, self.position.upto)
        if not self.work.table.keyset:  # without a key there is one chunk
            return None if number else Chunk(1, None, None, 0)
        names = range(1, len(self.work.table.keyset) + 1)
        values = {f"after.{n}": after[n - 1] if after else None for n in names}
        section = self.work.file.need("bound")
        found = execute(self.work.session(section), section, {"rows": str(self.pace.rows), **values}).rows
        return Chunk(number + 1, after, keyset(found[0]), self.pace.rows) if found else None

    def _first(self) -> tuple[Chunk, Moved]:
        """The oldest chunk at work. One that cannot be read is halved, down to the row, which is set aside."""
        chunk = self.lanes.flight[0][0]
        try:
            return self.lanes.first()
        except SqlError as error:
            if not is_row_error(error) or not self.work.table.keyset:
                raise
            if chunk.rows > 1:
                self.pace.rows = max(1, chunk.rows // 2)
                raise Smaller from error
            return chunk, self._give_up(chunk, error)

    def _give_up(self, chunk: Chunk, error: SqlError) -> Moved:
        """Set one row aside that could not even be read; a map leaves it out without a word."""
        session, table = self.work.target(), self.work.table
        aside = 0 if self.work.step.kind == "map" else 1
        with self._transaction(session, chunk):
            if aside:
                run, step, key = self.work.run, self.work.step.id, chunk.upto or ()
                add_reject(session, run, step, chunk.number, table, key, error.reason, error.sqlstate)
            moved = Moved(self._accounted(chunk, Counts(rejected=aside), Rows(1, 1)), 0, 0)
            self._settle(session, chunk, moved)
        return moved

    def _worth(self, error: SqlError) -> bool:
        return passing(error) or (error.sqlstate == CANCELLED and not self.pace.smallest)

    def _failed(self, error: SqlError) -> None:
        if not error.lost:
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

    def placing(self, session: Session, chunk: Chunk) -> Placing:
        """What puts the chunk's rows into their table."""
        values: Values = {**self.work.values, **chunk.values}
        return Placing(session, self.work.file, values, lambda: self.check_budget(session))

    def _accounted(self, chunk: Chunk, counts: Counts, rows: Rows) -> Counts:
        """All the chunk's rows. Raises RunnerError where one is neither loaded nor set aside."""
        if self.work.step.kind == "map":  # rows without a key are left out: the load meets them again
            return replace(counts, filtered=rows.before_where - counts.loaded)
        missing = rows.staged - counts.loaded - counts.rejected
        if missing:
            raise RunnerError(
                f"{self.work.step.id}, chunk {chunk.number}: of {rows.staged:,} rows {counts.loaded:,} were loaded and "
                f"{counts.rejected:,} set aside: {missing:,} are unaccounted for",
                "a rule or a trigger of the target may have taken them, or a join of the plan is wrong",
                place=self.work.file.need("load").place(),
            )
        return replace(counts, filtered=rows.before_where - rows.staged)

    def _settle(self, session: Session, chunk: Chunk, moved: Moved) -> None:
        """The checkpoint, the last change of the transaction. Raises RunnerError where too many rows were set aside."""
        failpoint("after-load")
        if moved.counts.rejected:
            self.check_budget(session)
        run, step = self.work.run, self.work.step.id
        journal.checkpoint(session, run, step, chunk.number, moved.counts, moved.bytes, moved.seconds)

    def check_budget(self, session: Session) -> None:
        """Raise RunnerError where too many rows were set aside."""
        budget.check(session, self.work.context.plan, self.work.run, self.work.table)


class Smaller(Exception):
    """A chunk is to be tried again in smaller pieces."""


def keyset(row: TextRow) -> Keyset:
    """The columns of a keyset, which are never NULL."""
    return tuple(value or "" for value in row)
