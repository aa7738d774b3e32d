"""The rows of a chunk into their table; the rows that the server refuses are sifted out, and set aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.bind import Value
from runner.connect import Session
from runner.errors import SqlError, is_row_error, without_values
from runner.execute import Values, execute, located
from runner.journal import Counts
from runner.sections import Section, StepFile

MOST = 1000  # rows that are refused, between two looks at the budget
START = "(0,0)"  # no row of a table is there


@dataclass(slots=True)
class Placing:
    """Places one chunk; `values` are what its sections bind.

    `within_budget` raises where too many rows were set aside; it is told how many by this chunk.
    """

    session: Session
    file: StepFile
    values: Values
    within_budget: Callable[[int], None]

    def attempt(self, section: Section, place: Callable[[], int]) -> int | None:
        """The rows that `place` has loaded by a section; None where the server refuses one that sifting finds.

        Raises SqlError. A savepoint keeps what was done before.
        """
        try:
            with self.session.transaction():
                rows = place()
                self._settle(section)
                return rows
        except SqlError as error:
            if not is_row_error(error) or self.file.find("sift") is None:  # without a key rows cannot be told apart
                raise
            return None

    def load(self) -> int | None:
        """The INSERT of all of the chunk's rows, but for those that its guards leave out."""
        section = self.file.need("load")
        return self.attempt(section, lambda: execute(self.session, section, self.values).touched)

    def sift(self) -> Counts:
        """Load what is in the stage, and set aside what is refused; a map leaves that out: the load meets it again."""
        section, set_aside = self.file.need("sift"), self.file.find("set_aside")
        self._settle(section)
        counts = Counts()
        behind: str | None = START
        while behind is not None:
            values = {"behind": behind, "most": str(MOST)}
            *refused, (behind, _, _, _, loaded) = execute(self.session, section, values).rows
            counts += Counts(int(loaded or 0))
            if refused and set_aside is not None:
                counts += Counts(rejected=execute(self.session, set_aside, self._noted(refused)).touched)
                self.within_budget(counts.rejected)
        return counts

    def rest(self, counts: Counts, kept: int | None) -> Counts:
        """The rows that the guards have left out, `kept` with the others, and the references that lead nowhere."""
        if (reject := self.file.find("reject")) is not None and counts.read != kept:
            counts += Counts(rejected=execute(self.session, reject, self.values).touched)
        if (stay := self.file.find("left")) is not None and counts.read != kept:
            counts += Counts(filtered=int(execute(self.session, stay, self.values).rows[0][0] or 0))
        if (note := self.file.find("nulled")) is not None:
            counts += Counts(nulled=execute(self.session, note, self.values).touched)
        return counts

    def _settle(self, section: Section) -> None:
        """Deferred constraints from now on at once, where a refusal can be sifted out."""
        with located(section):
            self.session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _noted(self, refused: list[tuple[str | None, ...]]) -> dict[str, Value]:
        places, columns, reasons, states, _ = zip(*refused, strict=True)
        told = [without_values(reason or "", state or "") for reason, state in zip(reasons, states, strict=True)]
        names = [name or None for name in columns]
        return {**self.values, "places": places, "columns": names, "reasons": told, "sqlstates": states}
