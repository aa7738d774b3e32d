"""The chunks of a range as the source gives them, read ahead of the target that writes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
from psycopg.pq import TransactionStatus

from runner.chunks import Chunk, Pace
from runner.connect import Session
from runner.copy import Block, Outgoing
from runner.errors import RunnerError
from runner.execute import execute
from runner.journal import Position, Range
from runner.prefetch import Prefetch
from runner.work import Work


@dataclass(frozen=True, slots=True)
class Head:
    """What a chunk begins with: how many rows of the source it has, before and after `where`; None: not known."""

    chunk: Chunk
    rows: int | None
    kept: int | None


@dataclass(frozen=True, slots=True)
class Tail:
    """What ends one stream of a chunk; `rows` is what the source has sent."""

    rows: int


Item = Head | Block | Tail


class Feed:
    """Reads one range, from a position on, with one session, in a thread of its own."""

    def __init__(self, work: Work, source: Session, part: Range, position: Position, pace: Pace) -> None:
        self.rows = 0  # that the last stream had
        self._source = source
        self._prefetch: Prefetch[Item] = Prefetch(
            _read(work, source, part, position, pace), _size, lambda: work.context.room.ahead
        )

    def next(self) -> Head | None:
        """The head of the next chunk; None where the range has no more. Raises SqlError."""
        item = self._prefetch.take()
        if item is None or isinstance(item, Head):
            return item
        raise RunnerError("a chunk was not read to its end")

    def blocks(self) -> Iterator[Block]:
        """The blocks of the next stream of the chunk. Raises SqlError."""
        while isinstance(item := self._prefetch.take(), Block):
            yield item
            del item
        if isinstance(item, Tail):
            self.rows = item.rows

    def close(self) -> None:
        """Read no further; afterwards the session is free for others, if need be in a new transaction."""
        self._prefetch.close(self._interrupt)

    def _interrupt(self) -> None:
        if self._source.info.transaction_status == TransactionStatus.ACTIVE:
            with contextlib.suppress(psycopg.Error):
                self._source.cancel_safe(timeout=5)


def next_chunk(
    work: Work, source: Session, part: Range, position: Position, rows: int
) -> tuple[Chunk, int | None] | None:
    """The chunk of a range behind a position, and how many rows it has, None if that is not known; None: no more."""
    number, width = position.chunk + 1, work.file.width
    if not width:
        return None if position.chunk > part.first_chunk else (Chunk(number, None, None, 0, 0), None)
    asked = Chunk(number, position.upto, part.upto, rows, width)
    found = execute(source, work.file.need("bound"), {**asked.values, "rows": str(rows)}).rows
    if not found:
        return None
    *key, size = found[0]
    return replace(asked, upto=tuple(value or "" for value in key)), None if size is None else int(size)


def counted(work: Work, session: Session, chunk: Chunk, rows: int | None) -> Head:
    """The chunk with its rows, asked for where the plan says so."""
    if (section := work.file.find("count")) is None:
        return Head(chunk, rows, rows)
    before, kept = execute(session, section, chunk.values).rows[0]
    return Head(chunk, int(before or 0), int(kept or 0))


def _read(work: Work, source: Session, part: Range, position: Position, pace: Pace) -> Iterator[Item]:
    """Heads, blocks and tails, chunk after chunk."""
    main = work.file.find("direct") or work.file.need("extract")
    failing = work.file.find("failing")
    while (found := next_chunk(work, source, part, position, pace.rows)) is not None:
        head = counted(work, source, *found)
        yield head
        outgoing = Outgoing(source, main, head.chunk.values)
        yield from outgoing
        yield Tail(outgoing.rows)
        if failing is not None and outgoing.rows != head.kept:
            aside = Outgoing(source, failing, head.chunk.values)
            yield from aside
            yield Tail(aside.rows)
        position = Position(head.chunk.number, head.chunk.upto)


def _size(item: Item) -> int:
    return len(item) if isinstance(item, Block) else 0
