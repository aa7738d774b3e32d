"""What can go wrong in a run: one sentence, its place in the plan, what to do, and the exit code."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg

FAILED = 1  # the plan failed, or a check is red
USAGE = 2
REFUSED = 4  # edited plan, changed catalog, lock held, another run's leftovers
INTERRUPTED = 130

DUPLICATES = "23505"

# Values of a row that the server repeats in messages of class 22: `invalid input syntax for type date: "31.02.1981"`.
_VALUE = re.compile(r'(?:: |(?<=value) )".*"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, as editors understand it; a column of 0 is left out."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


class RunnerError(Exception):
    """Something that the user can do something about; commands print it without a traceback."""

    def __init__(
        self,
        message: str,
        hint: str = "",
        exit_code: int = FAILED,
        place: Place | None = None,
        *,
        spec: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message, self.hint, self.exit_code, self.place, self.spec = message, hint, exit_code, place, spec
        self.notes = notes

    def __reduce__(self) -> tuple[object, ...]:
        """Errors travel between processes as what they say."""
        return _again, (type(self), self.__dict__)

    def __str__(self) -> str:
        """The sentence, then one line each for notes, place, spec and hint."""
        lines = [self.message, *(f"  | {note}" for note in self.notes)]
        lines += [f" --> {self.place}"] if self.place else []
        lines += [f" from {self.spec}"] if self.spec else []
        lines += [f"  = hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)


def _again(kind: type[RunnerError], state: dict[str, object]) -> RunnerError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    return error


class Refused(RunnerError):
    """The runner will not start, or not go on: nothing was changed by this command."""

    def __init__(
        self, message: str, hint: str = "", *, place: Place | None = None, notes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint, REFUSED, place, notes=notes)


class Fenced(Refused):
    """Another runner took the run over; this one must not write any more."""


class SnapshotLost(RunnerError):
    """The one view of the source that a range belongs to is gone; it goes on in another one, or starts anew."""


class Stopped(RunnerError):
    """The step ended between two transactions, because another step failed or the user asked for it."""


TOO_BIG = "54000"  # a message has 1 GB at most
HINTS = {  # where the server has none
    "42501": "GRANT it to the role that connects, then apply again",
    "53100": "make room, then apply again: it goes on from the last checkpoint",
    "55P03": "another session holds the lock: pg_catalog.pg_locks shows which; then apply again",
    "57014": "somebody cancelled it; apply again goes on",
}


class SqlError(RunnerError):
    """An error of the server, in a section of the plan. `message` holds names, never values of rows.

    `sqlstate` is empty for errors that the client found: a lost connection, a NUL byte in a text.
    `reason` is the message without it.
    """

    def __init__(self, error: psycopg.Error, place: Place | None = None) -> None:
        diag = error.diag
        self.sqlstate, self.reason = sqlstate(error), describe(error)
        message = f"{self.reason} [{self.sqlstate}]" if self.sqlstate else self.reason
        super().__init__(message, diag.message_hint or HINTS.get(self.sqlstate, ""), place=place)
        self.lost = is_lost(error)
        self.client_side = isinstance(error, psycopg.DataError) and not error.sqlstate
        self.column = diag.column_name or ""
        self.constraint = diag.constraint_name or ""


def sqlstate(error: psycopg.Error) -> str:
    """The SQLSTATE of a server's error, else an empty string."""
    return error.diag.sqlstate or ""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone; then the outcome of its last COMMIT is not known."""
    state = sqlstate(error)
    if state:
        return state.startswith("08") or state in ("57P01", "57P02", "57P03", "25P03")
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def describe(error: psycopg.Error) -> str:
    """One sentence about an error, without values of rows: neither the DETAIL nor the CONTEXT of the server is used."""
    state, primary = sqlstate(error), error.diag.message_primary
    if not primary:
        return first_line(error) if is_lost(error) else "the client cannot represent a value of this row"
    return without_values(primary, state)


def without_values(message: str, state: str) -> str:
    """The server's message of an SQLSTATE without the values of rows that it may hold."""
    return _VALUE.sub("", message) if state.startswith("22") else message


def first_line(error: BaseException) -> str:
    """The first line of an error's text that is not empty."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def is_row_error(error: SqlError) -> bool:
    """Whether one row can be the cause, so that halving finds it: data and integrity errors, a row too big to send."""
    return error.sqlstate[:2] in ("22", "23") or error.sqlstate == TOO_BIG or error.client_side
