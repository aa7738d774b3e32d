"""The account of a table, to the row: where every row of its source is now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner import journal
from runner.connect import Session
from runner.journal import Counts, Run
from runner.manifest import Plan, Table
from runner.rejects import set_aside


@dataclass(frozen=True, slots=True)
class Account:
    """Rows of a table. `source` and `target` are counted in the databases, None where they were not; the rest is the
    journal's: `loaded` and not refused, `filtered` by `where`, `rejected` by the load, `reconciled` away after it.
    `listed` are the rejected rows that can be looked up, `nulled` those that moved without a reference.
    """

    table: str
    source: int | None
    target: int | None
    loaded: int
    filtered: int
    rejected: int
    reconciled: int
    listed: int
    nulled: int

    def problems(self) -> Iterator[str]:
        """What does not add up, a line each; empty for a table whose every row is accounted for."""
        read = self.loaded + self.filtered + self.rejected
        if self.source is not None and self.source != read:
            yield f"the source has {self.source:,} rows, {read:,} were loaded, filtered or rejected"
        if self.target is not None and self.target != self.moved:
            yield f"the target has {self.target:,} rows, {self.moved:,} were loaded and not reconciled away"
        if self.listed != self.rejected:
            yield f"{self.rejected:,} rows were rejected, transhume.reject has {self.listed:,}"

    @property
    def moved(self) -> int:
        """The rows that are in the target now."""
        return self.loaded - self.reconciled


def account_of(
    session: Session, plan: Plan, run: Run, table: Table, source: int | None = None, target: int | None = None
) -> Account:
    """The account of one table, from the journal and two counts."""
    counts = sum(
        (
            journal.loaded(session, run, step.id)
            for step in plan.steps
            if step.kind == "load" and step.table == table.id
        ),
        Counts(),
    )
    aside = set_aside(session, run).get(table.id, {})
    return Account(
        table.id, source, target, counts.loaded, counts.filtered, counts.rejected, aside.get("reconciled", 0),
        aside.get("rejected", 0), aside.get("nulled", 0),
    )  # fmt: skip
