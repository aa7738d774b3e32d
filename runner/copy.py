"""A chunk from the source into the stage on the target: binary COPY to binary COPY, in blocks of bounded size."""

from __future__ import annotations

import select
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import errors, pq

from runner.connect import Session
from runner.execute import Values, bound_text, located
from runner.failpoints import failpoint
from runner.sections import Section

BLOCK = 128 * 1024  # bytes a write; 64 to 256 KiB are equally fast, a write for each row takes twice as long


@dataclass(frozen=True, slots=True)
class Copied:
    """What went through: rows as the target counted them, bytes."""

    rows: int
    bytes: int


def stream(source: Session, extract: Section, target: Session, fill: Section, values: Values) -> Copied:
    """Copy what `extract` reads to where `fill` writes. At most two blocks and a row are in memory. Raises SqlError."""
    size = 0
    blocks = _blocks(source, extract, values)
    bound = bound_text(fill, values)
    with located(fill, bound), target.cursor() as cursor:
        with cursor.copy(bound.text.encode()) as copy:
            for block in blocks:
                copy.write(block)
                size += len(block)
                failpoint("mid-copy")
        return Copied(cursor.rowcount, size)


def _blocks(source: Session, extract: Section, values: Values) -> Iterator[bytes]:
    """What the source sends, joined into blocks: the server sends a message for each row."""
    bound = bound_text(extract, values)
    rows: list[memoryview] = []
    size = 0
    with located(extract, bound):
        for row in _messages(source.pgconn, bound.text.encode()):
            rows.append(row)
            size += len(row)
            if size >= BLOCK:
                yield b"".join(rows)
                rows, size = [], 0
    if rows:
        yield b"".join(rows)


def _messages(connection: pq.abc.PGconn, query: bytes) -> Iterator[memoryview]:
    """The messages of a COPY TO STDOUT. With libpq itself: psycopg's iterator takes twice the time for each row."""
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
        result = _result(connection, poll)


def _copy_data(connection: pq.abc.PGconn, poll: select.poll) -> Iterator[memoryview]:
    while True:
        size, data = connection.get_copy_data(1)
        if size > 0:
            yield data
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
