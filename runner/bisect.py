"""The rows of a chunk into their table; the rows that the server refuses are found by halving, and set aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.connect import Session
from runner.errors import SqlError, is_row_error
from runner.execute import TextRow, Values, execute, located
from runner.journal import Counts
from runner.sections import StepFile

CHECK_EVERY = 64  # rows found one by one, between two looks at the budget

Halves = Callable[[Values, TextRow], tuple[Values, Values]]
WHOLE_STAGE: Values = {"first": "(0,1)", "last": "(4294967294,65535)"}


@dataclass(slots=True)
class Placing:
    """Places one chunk; `within_budget` raises where too many rows were set aside."""

    session: Session
    file: StepFile
    values: Values
    within_budget: Callable[[], None]
    found: int = 0

    def place(self, part: Values, staged: int | None, halves: Halves) -> Counts:
        """Load a part, of `staged` rows where that is known. A savepoint keeps the stage when the server refuses a row.

        `halves` makes the values of two parts out of those of one and the row of `halve`.
        """
        try:
            with self.session.transaction():
                return self._load(part, staged)
        except SqlError as error:
            if not is_row_error(error):
                raise
            if self.file.find("halve") is None:  # one database, no key: rows cannot be told apart
                raise
            refused = error
        split = execute(self.session, self.file.need("halve"), {**self.values, **part}).rows
        if not split:
            return self._set_aside(part, refused)
        first, second = halves(part, split[0])
        return self.place(first, None, halves) + self.place(second, None, halves)

    def _load(self, part: Values, staged: int | None) -> Counts:
        """The INSERT; the rows that its guards left out; deferred constraints now, where a refusal can be halved."""
        values = {**self.values, **part}
        loaded = execute(self.session, self.file.need("load"), values).touched
        rejected = nulled = 0
        if (reject := self.file.find("reject")) is not None and loaded != staged:
            rejected = execute(self.session, reject, values).touched
        if (note := self.file.find("nulled")) is not None:
            nulled = execute(self.session, note, values).touched
        with located(self.file.need("load")):
            self.session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return Counts(loaded, 0, rejected, nulled)

    def _set_aside(self, part: Values, error: SqlError) -> Counts:
        """One row is in the way. A map leaves it out without a word: the load meets it again."""
        if (section := self.file.find("set_aside")) is None:
            return Counts()
        values = {
            **self.values, **part, "column": error.column or None, "reason": error.reason,
            "sqlstate": error.sqlstate,
        }  # fmt: skip
        rejected = execute(self.session, section, values).touched
        self.found += rejected
        if self.found % CHECK_EVERY == 0:
            self.within_budget()
        return Counts(rejected=rejected)


def stage_halves(part: Values, split: TextRow) -> tuple[Values, Values]:
    """Two parts of a stage: `halve` tells the last row of the first and the first row of the second, as tid."""
    return {"first": part["first"], "last": split[0]}, {"first": split[1], "last": part["last"]}


def keyset_halves(part: Values, split: TextRow) -> tuple[Values, Values]:
    """Two parts of a chunk of the source table itself: `halve` tells the keyset that ends the first."""
    middle = dict(enumerate(split, start=1))
    first = {**part, **{f"upto.{n}": value for n, value in middle.items()}}
    second = {**part, **{f"after.{n}": value for n, value in middle.items()}}
    return first, second
