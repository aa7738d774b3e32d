"""What moving rows has in common, whether between two databases or within one: chunks, retries, the checkpoint."""

from __future__ import annotations

import abc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from runner import budget, fence, journal
from runner.bisect import Placing
from runner.chunks import Pace
from runner.connect import Session
from runner.errors import RunnerError, SqlError
from runner.execute import TextRow, Values, execute
from runner.failpoints import failpoint
from runner.journal import Counts, Keyset, Position
from runner.retry import CANCELLED, passing
from runner.work import Work


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows behind one keyset, up to and with another; None for no bound. `started` is of the monotonic clock."""

    number: int
    after: Keyset | None
    upto: Keyset | None
    started: float

    @property
    def seconds(self) -> float:
        """How long it has taken up to now."""
        return time.monotonic() - self.started

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


@dataclass(slots=True)
class Mover(abc.ABC):
    """Moves one chunk after the other. `position` is what the journal says; None where it has to be asked."""

    work: Work
    pace: Pace = field(init=False)
    position: Position | None = field(default=None, init=False)

    begin: ClassVar[bytes] = b""  # what a chunk's transaction starts with

    def __post_init__(self) -> None:
        self.pace = Pace(*self.work.table.chunk)

    @property
    def counts(self) -> Counts:
        """All rows that were moved so far, in this run."""
        return self.position.counts if self.position else Counts()

    def advance(self) -> bool:
        """Move the next chunk, whatever it takes; False where there is none."""
        self.work.check_stop()
        return self.work.persist(self._once, worth=self._worth, failed=self._failed)

    @abc.abstractmethod
    def move(self, session: Session, last: Position) -> Position | None:
        """Move the chunk behind `last` in one transaction: the new position; None where there are no more rows."""

    def _once(self) -> bool:
        session = self.work.target()
        last = self.position or journal.position(session, self.work.run, self.work.step.id)
        if last.chunk and not self.work.table.keyset:
            return False  # without a key there is one chunk
        self.position = None  # whatever fails from here on, the journal knows what was committed
        moved = self.move(session, last)
        self.position = moved or last
        return moved is not None

    def _worth(self, error: SqlError) -> bool:
        return passing(error) or (error.sqlstate == CANCELLED and not self.pace.smallest)

    def _failed(self, error: SqlError) -> None:
        if not error.lost:
            self.pace.shrink()

    def bound(self, session: Session, last: Position) -> Keyset | None:
        """The keyset that ends the next chunk; None where there are no more rows."""
        names = range(1, len(self.work.table.keyset) + 1)
        after = {f"after.{n}": last.upto[n - 1] if last.upto else None for n in names}
        found = execute(session, self.work.file.need("bound"), {"rows": str(self.pace.rows), **after}).rows
        return keyset(found[0]) if found else None

    @contextmanager
    def transaction(self, session: Session) -> Iterator[None]:
        """The one transaction of a chunk."""
        failpoint("before-fence")
        with session.transaction():
            if self.begin:
                session.execute(self.begin)
            fence.hold(session, self.work.run)
            failpoint("after-fence")
            yield
            failpoint("before-commit")
        failpoint("after-commit")

    def claim(self, session: Session, chunk: Chunk) -> None:
        """The first change of the transaction."""
        journal.claim_chunk(session, self.work.run, self.work.step.id, chunk.number, chunk.after, chunk.upto)
        failpoint("after-claim")

    def placing(self, session: Session, chunk: Chunk) -> Placing:
        """What puts the chunk's rows into their table."""
        values: Values = {**self.work.values, **chunk.values}
        return Placing(session, self.work.file, values, lambda: self._check_budget(session))

    def settle(self, session: Session, chunk: Chunk, counts: Counts, rows: Rows) -> Counts:
        """The checkpoint, the last change of the transaction: what became of all the rows.

        Raises RunnerError where a row is unaccounted for, or too many were set aside.
        """
        failpoint("after-load")
        if self.work.step.kind == "map":  # rows without a key are left out: the load meets them again
            counts = replace(counts, filtered=rows.before_where - counts.loaded)
        else:
            self._account(chunk, counts, rows)
            counts = replace(counts, filtered=rows.before_where - rows.staged)
        if counts.rejected:
            self._check_budget(session)
        run, step = self.work.run, self.work.step.id
        journal.checkpoint(session, run, step, chunk.number, counts, rows.bytes, chunk.seconds)
        return counts

    def _account(self, chunk: Chunk, counts: Counts, rows: Rows) -> None:
        missing = rows.staged - counts.loaded - counts.rejected
        if missing:
            raise RunnerError(
                f"{self.work.step.id}, chunk {chunk.number}: of {rows.staged:,} rows {counts.loaded:,} were loaded and "
                f"{counts.rejected:,} set aside: {missing:,} are unaccounted for",
                "a rule or a trigger of the target may have taken them, or a join of the plan is wrong",
                place=self.work.file.need("load").place(),
            )

    def _check_budget(self, session: Session) -> None:
        budget.check(session, self.work.context.plan, self.work.run, self.work.table)


def keyset(row: TextRow) -> Keyset:
    """The columns of a keyset, which are never NULL."""
    return tuple(value or "" for value in row)


def next_chunk(last: Position, upto: Keyset | None) -> Chunk:
    """The chunk behind a position."""
    return Chunk(last.chunk + 1, last.upto, upto, time.monotonic())
