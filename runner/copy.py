"""A chunk from the source to the target: binary COPY to binary COPY, in blocks of bounded size."""

from __future__ import annotations

import io
import select
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from psycopg import errors, pq

from runner.connect import Session
from runner.execute import Values, bound_text, located
from runner.failpoints import failpoint
from runner.sections import Section

Block = bytes | memoryview
BLOCK = 128 * 1024  # bytes a write; 64 to 256 KiB are equally fast, a write for each row takes twice as long


@dataclass(frozen=True, slots=True)
class Copied:
    """What went through: rows as the target counted them, bytes."""

    rows: int
    bytes: int


@dataclass(slots=True)
class Outgoing:
    """What the source sends for a COPY TO STDOUT, in blocks; behind the last one `rows` says how many rows it was."""

    source: Session
    section: Section
    values: Values
    rows: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Block]:
        """The blocks. The server sends a message for each row: they are joined. Raises SqlError.

        A wide row is not copied, and nothing of one is kept here when the next is asked for.
        """
        bound = bound_text(self.section, self.values)
        connection = self.source.pgconn
        poll = select.poll()
        poll.register(connection.socket, select.POLLIN)
        with located(self.section, bound):
            connection.send_query(bound.text.encode())
            while connection.flush():
                connection.consume_input()
            if (result := _result(connection, poll)) is not None and result.status == pq.ExecStatus.COPY_OUT:
                yield from _blocks(connection, poll)
                result = _result(connection, poll)
            while result is not None:
                if result.status != pq.ExecStatus.COMMAND_OK:
                    _raise(connection, poll, result)
                self.rows = result.command_tuples or 0
                result = _result(connection, poll)


def _blocks(connection: pq.abc.PGconn, poll: select.poll) -> Iterator[Block]:
    """What a COPY TO STDOUT sends, with libpq itself: psycopg's iterator takes twice the time for each row.

    Rows go into one buffer at once. A list of them to be joined takes 0.6 us a row more, most of it for the garbage
    collector, which looks at every row that waits.
    """
    buffer, size = io.BytesIO(), 0
    while True:
        length, row = connection.get_copy_data(1)
        if length > 0:
            wide = length >= BLOCK
            if not wide:
                buffer.write(row)
                size += length
            if size and (wide or size >= BLOCK):
                yield _taken(buffer, size)
                size = 0
            if wide:
                yield row
            del row
        elif length == 0:
            poll.poll()
            connection.consume_input()
        else:
            break
    if size:
        yield _taken(buffer, size)


def _taken(buffer: io.BytesIO, size: int) -> bytes:
    """The first bytes of a buffer, which is filled from its beginning again."""
    with buffer.getbuffer() as view:
        block = view[:size].tobytes()
    buffer.seek(0)
    return block


def write(target: Session, section: Section, blocks: Iterable[Block]) -> Copied:
    """Send blocks into a COPY FROM STDIN. Raises SqlError, and what `blocks` raises."""
    size = 0
    bound = bound_text(section, {})
    with located(section, bound), target.cursor() as cursor:
        with cursor.copy(bound.text.encode()) as copy:
            for block in blocks:
                copy.write(block)
                size += len(block)
                del block
                failpoint("mid-copy")
        return Copied(cursor.rowcount, size)


def abandon(source: Session) -> None:
    """End a COPY TO STDOUT that nobody reads any more, so that the session can be used again. Raises psycopg.Error."""
    source.cancel_safe(timeout=5)
    connection = source.pgconn
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    while (result := _result(connection, poll)) is not None:
        if result.status == pq.ExecStatus.COPY_OUT:
            for _ in _blocks(connection, poll):
                continue


def _result(connection: pq.abc.PGconn, poll: select.poll) -> pq.abc.PGresult | None:
    while connection.is_busy():
        poll.poll()
        connection.consume_input()
    return connection.get_result()


def _raise(connection: pq.abc.PGconn, poll: select.poll, result: pq.abc.PGresult) -> None:
    while _result(connection, poll) is not None:  # the connection is usable again only behind its last result
        continue
    raise errors.error_from_result(result)
