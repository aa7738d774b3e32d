"""A chunk from the source to the target: binary COPY to binary COPY, in blocks of bounded size."""

from __future__ import annotations

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
        rows: list[memoryview] = []
        size = 0
        with located(self.section, bound):
            for row in self._messages(bound.text.encode()):
                size += len(row)
                rows.append(row)
                del row
                if size >= BLOCK:
                    whole, rows, size = rows, [], 0
                    yield _joined(whole)
        if rows:
            yield _joined(rows)

    def _messages(self, query: bytes) -> Iterator[memoryview]:
        """With libpq itself: psycopg's iterator takes twice the time for each row."""
        connection = self.source.pgconn
        poll = select.poll()
        poll.register(connection.socket, select.POLLIN)
        connection.send_query(query)
        while connection.flush():
            connection.consume_input()
        if (result := _result(connection, poll)) is not None and result.status == pq.ExecStatus.COPY_OUT:
            yield from _copy_data(connection, poll)
            result = _result(connection, poll)
        while result is not None:
            if result.status != pq.ExecStatus.COMMAND_OK:
                _raise(connection, poll, result)
            self.rows = result.command_tuples or 0
            result = _result(connection, poll)


def _joined(rows: list[memoryview]) -> Block:
    """The rows as one block; the list is empty afterwards."""
    block = rows[0] if len(rows) == 1 else b"".join(rows)
    rows.clear()
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
            for _ in _copy_data(connection, poll):
                continue


def _copy_data(connection: pq.abc.PGconn, poll: select.poll) -> Iterator[memoryview]:
    while True:
        size, data = connection.get_copy_data(1)
        if size > 0:
            yield data
            del data
        elif size == 0:
            poll.poll()
            connection.consume_input()
        else:
            return


def _result(connection: pq.abc.PGconn, poll: select.poll) -> pq.abc.PGresult | None:
    while connection.is_busy():
        poll.poll()
        connection.consume_input()
    return connection.get_result()


def _raise(connection: pq.abc.PGconn, poll: select.poll, result: pq.abc.PGresult) -> None:
    while _result(connection, poll) is not None:  # the connection is usable again only behind its last result
        continue
    raise errors.error_from_result(result)
