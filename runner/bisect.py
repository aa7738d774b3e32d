"""The rows of a chunk into their table; the rows that the server refuses are found by halving, and set aside."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from runner.connect import Session
from runner.copy import Block, Outgoing, write
from runner.errors import SqlError, is_row_error
from runner.execute import TextRow, Values, execute, located
from runner.journal import Counts
from runner.sections import StepFile

CHECK_EVERY = 64  # rows found one by one, between two looks at the budget
WHOLE_STAGE: Values = {"first": "(0,1)", "last": "(4294967294,65535)"}


@dataclass(slots=True)
class Placing(abc.ABC):
    """Places one chunk. `session` is the target's, `source` gives the source's, where a part is read from there.

    `within_budget` raises where too many rows were set aside; it is told how many by this chunk: `aside`, those that
    were rolled back included.
    """

    session: Session
    source: Callable[[], Session]
    file: StepFile
    values: Values
    within_budget: Callable[[int], None]
    found: int = 0
    aside: int = 0

    load: ClassVar[str] = "load"  # the section that refuses rows

    @abc.abstractmethod
    def put(self, part: Values, kept: int | None) -> Counts:
        """Place the rows of a part, `kept` many where that is known. Raises SqlError."""

    @abc.abstractmethod
    def split(self, part: Values) -> tuple[Values, Values] | None:
        """Two parts instead of one; None where it is one row."""

    def place(self, part: Values, kept: int | None) -> Counts:
        """Place a part. A savepoint keeps what was placed before when the server refuses a row."""
        try:
            with self.session.transaction():
                counts = self.put(part, kept)
                self.settle()
                return counts
        except SqlError as error:
            if not is_row_error(error) or self.file.find("halve") is None:  # without a key rows cannot be told apart
                raise
            refused = error
        return self.refine(part, refused)

    def refine(self, part: Values, refused: SqlError) -> Counts:
        """Place a part that was refused: its halves, or all but its one row."""
        halves = self.split(part)
        if halves is None:
            return self._set_aside(part, refused)
        return self.place(halves[0], None) + self.place(halves[1], None)

    def settle(self) -> None:
        """Deferred constraints now, where a refusal can be halved."""
        with located(self.file.need(self.load)):
            self.session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def staged(self, part: Values) -> Values:
        """Where in the stage the one row of a part is."""
        return part

    def _set_aside(self, part: Values, error: SqlError) -> Counts:
        """One row is in the way. A map leaves it out without a word: the load meets it again."""
        if (section := self.file.find("set_aside")) is None:
            return Counts()
        values = {
            **self.values, **self.staged(part), "column": error.column or None, "reason": error.reason,
            "sqlstate": error.sqlstate,
        }  # fmt: skip
        rejected = execute(self.session, section, values).touched
        self.found += rejected
        self.aside += rejected
        if self.found % CHECK_EVERY == 0:
            self.within_budget(self.aside)
        return Counts(rejected=rejected)


class Inserting(Placing):
    """Inserts: the rows of the stage, or of the source table itself, which are in the same database."""

    def put(self, part: Values, kept: int | None) -> Counts:
        """The INSERT; the rows that its guards left out; the references that lead nowhere."""
        values = {**self.values, **part}
        loaded = execute(self.session, self.file.need("load"), values).touched
        rejected = nulled = left = 0
        if (reject := self.file.find("reject")) is not None and loaded != kept:
            rejected = execute(self.session, reject, values).touched
            self.aside += rejected
        if (stay := self.file.find("left")) is not None and loaded + rejected != kept:
            left = int(execute(self.session, stay, values).rows[0][0] or 0)
        if (note := self.file.find("nulled")) is not None:
            nulled = execute(self.session, note, values).touched
        return Counts(loaded, left, rejected, nulled)


class FromStage(Inserting):
    """A part is rows of the stage, from one place to another."""

    def split(self, part: Values) -> tuple[Values, Values] | None:
        """`halve` tells the last row of the first half and the first row of the second, as tid."""
        found = execute(self.session, self.file.need("halve"), {**self.values, **part}).rows
        if not found:
            return None
        last, first = found[0]
        return {"first": part["first"], "last": last}, {"first": first, "last": part["last"]}


class FromTable(Inserting):
    """A part is rows of the source table, from behind one keyset up to another."""

    def split(self, part: Values) -> tuple[Values, Values] | None:
        """`halve` tells the keyset that ends the first half."""
        found = execute(self.session, self.file.need("halve"), {**self.values, **part}).rows
        return keyset_halves(part, found[0]) if found else None


class Copying(Placing):
    """Copies what the source has mapped straight into the table. The stage is for single rows that are set aside."""

    load: ClassVar[str] = "receive"

    def put(self, part: Values, kept: int | None) -> Counts:
        """From COPY to COPY; the guards are the source's."""
        return Counts(write(self.session, self.file.need("receive"), self.read("direct", part)).rows)

    def split(self, part: Values) -> tuple[Values, Values] | None:
        """`halve` tells the keyset that ends the first half."""
        found = execute(self.source(), self.file.need("halve"), {**self.values, **part}).rows
        return keyset_halves(part, found[0]) if found else None

    def staged(self, part: Values) -> Values:
        """The row as the source has it, alone in the stage."""
        self._stage(self.read("extract", part))
        return WHOLE_STAGE

    def read(self, section: str, part: Values) -> Outgoing:
        """What the source sends for a part."""
        return Outgoing(self.source(), self.file.need(section), {**self.values, **part})

    def reject(self, blocks: Iterable[Block]) -> int:
        """Set aside the rows that fail a guard; how many."""
        self._stage(blocks)
        return execute(self.session, self.file.need("reject"), {**self.values, **WHOLE_STAGE}).touched

    def _stage(self, blocks: Iterable[Block]) -> None:
        execute(self.session, self.file.need("stage"))
        write(self.session, self.file.need("fill"), blocks)


def keyset_halves(part: Values, split: TextRow) -> tuple[Values, Values]:
    """Two parts of a range of keys: `split` is the keyset that ends the first."""
    middle = dict(enumerate(split, start=1))
    first = {**part, **{f"upto.{n}": value for n, value in middle.items()}}
    second = {**part, **{f"after.{n}": value for n, value in middle.items()}}
    return first, second
