"""The account of a table, to the row: where every row of its source is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    session: Session,
    plan: Plan,
    run: Run,
    table: Table,
    aside: Mapping[str, int],
    source: int | None,
    target: int | None = None,
) -> Account:
    """The account of one table; `aside` are the rows set aside by action (runner/rejects.py)."""
    load, reader = (steps.get(table.id) for steps in (plan.load, plan.reader))
    counts = journal.loaded(session, run, load.id) if load else Counts()
    if reader is not None and reader != load:  # the load has only met the rows that it has kept
        kept = journal.loaded(session, run, reader.id)
        counts += Counts(filtered=kept.filtered, rejected=kept.rejected)
    return Account(
        table.id, source, target, counts.loaded, counts.filtered, counts.rejected, aside.get("reconciled", 0),
        aside.get("rejected", 0), aside.get("nulled", 0),
    )  # fmt: skip


def accounts(session: Session, plan: Plan, run: Run) -> tuple[Account, ...]:
    """The account of every table, as the journal has it."""
    sizes, aside = journal.steps(session, run), set_aside(session, run)
    found = []
    for table in plan.tables:
        reader = plan.reader.get(table.id)
        size = sizes[reader.id].size if reader and reader.id in sizes else None
        found.append(account_of(session, plan, run, table, aside.get(table.id, {}), size))
    return tuple(found)
