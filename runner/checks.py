"""What is verified of a table: its account, its checksums, the spec's own queries, what must have no row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from runner.accounting import Account, account_of
from runner.bind import Value
from runner.connect import Session
from runner.errors import RunnerError
from runner.execute import Result, TextRow, Values, execute
from runner.rejects import left_keys, nulled_keys, rejected_keys, rooted_keys, set_aside
from runner.sections import Section, Side
from runner.work import Work, lines

NULLED = "nulled."
Sums = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified. `problems` are lines for people; none where it is green."""

    step: str
    table: str
    name: str
    problems: tuple[str, ...]

    @property
    def green(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Checking:
    """Verifies one step, in one view of each database; the source is asked for only where it is needed.

    `summed` is what the sums of both sides were, by the name of their sections.
    """

    work: Work
    source: Callable[[], Session]
    target: Session
    summed: dict[str, tuple[Sums, Sums]] = field(default_factory=dict)

    def all(self) -> Iterator[tuple[Check, Account | None]]:
        """Every check of the step's file; the account comes with the check of it."""
        file = self.work.file
        if self.work.step.kind == "verify" and file.find("count", "source") is not None:
            account = self._account()
            yield self._check("rows", tuple(account.problems())), account
        if file.find("checksum", "source") is not None:
            yield self._check("checksums", tuple(self._checksums())), None
        for section in file.all("query", "source"):
            yield self._check(section.title, tuple(self._query(section))), None
        for section in file.all("verify"):
            yield self._check("rules", lines(self._run(section))), None

    def _check(self, name: str, problems: tuple[str, ...]) -> Check:
        return Check(self.work.step.id, self.work.step.table, name, problems)

    def _account(self) -> Account:
        context, table = self.work.context, self.work.table
        source, target = self._count("source"), self._count("target")
        aside = set_aside(self.target, context.run).get(table.id, {})
        return account_of(self.target, context.plan, context.run, table, aside, source, target)

    def _count(self, side: Side) -> int:
        """The rows of a side; where the plan has no count of the target, its checksum has counted them."""
        if side == "source" or self.work.file.find("count", side) is not None:
            return int(self._run(self.work.file.need("count", side)).rows[0][0] or 0)
        _, there = self._both("checksum")
        return int(there["rows"] or 0)

    def _checksums(self) -> Iterator[str]:
        """What differs: columns, where the plan can tell; asked for only where something does."""
        problems = list(self._sums("checksum"))
        if not problems or self.work.file.find("columns", "source") is None:
            yield from problems
            return
        columns = list(self._sums("columns"))
        yield from columns or problems

    def _sums(self, title: str) -> Iterator[str]:
        """The sums of both sides that are not equal, by their names."""
        here, there = self._both(title)
        for name in dict.fromkeys([*here, *there]):
            if name not in here or name not in there:
                yield f"column {name} is summed on one side only"
            elif here[name] != there[name]:
                yield f"column {name} differs: {here[name]} in the source, {there[name]} in the target"

    def _both(self, title: str) -> tuple[Sums, Sums]:
        """The sums of the source and of the target, asked for once."""
        if title not in self.summed:
            source, target = self.work.file.need(title, "source"), self.work.file.need(title, "target")
            here, there = self._of_both(source, target)
            self.summed[title] = _one_row(here, source), _one_row(there, target)
        return self.summed[title]

    def _of_both(self, source: Section, target: Section) -> tuple[Result, Result]:
        """A section of each side; the two servers work at the same time."""
        values = self._values(source)
        with ThreadPoolExecutor(1, "source") as side:
            asked = side.submit(execute, self.source(), source, values)
            there = self._run(target)
            return asked.result(), there

    def _query(self, section: Section) -> Iterator[str]:
        twin = self.work.file.need("query", "target", of=section.of)
        here, there = (found.rows for found in self._of_both(section, twin))
        if len(here) != len(there):
            yield f"{len(here):,} rows in the source, {len(there):,} in the target"
        for number, (left, right) in enumerate(zip(here, there, strict=False), start=1):
            if left != right:
                yield f"row {number} differs: {_text(left)} in the source, {_text(right)} in the target"
                return

    def _run(self, section: Section) -> Result:
        session = self.source() if section.side == "source" else self.target
        return execute(session, section, self._values(section))

    def _values(self, section: Section) -> Values:
        """What a section may bind, with the keys of the rows that it is to leave out."""
        values: dict[str, Value] = {**self.work.values}
        for name in section.binds:
            if name == "rejected":
                values[name] = rejected_keys(self.target, self.work.run, self.work.table.id)
            elif name == "rooted":
                values[name] = rooted_keys(self.target, self.work.run, self.work.table.id)
            elif name == "left":
                values[name] = left_keys(self.target, self.work.run, self.work.table.id)
            elif name.startswith(NULLED):
                column = json.loads(name.removeprefix(NULLED))
                values[name] = nulled_keys(self.target, self.work.run, self.work.table.id, column)
        return values


def _one_row(found: Result, section: Section) -> Sums:
    if len(found.rows) != 1:
        raise RunnerError(f"{section.title} has {len(found.rows)} rows, not one", place=section.place())
    return dict(zip(found.columns, found.rows[0], strict=True))


def _text(row: TextRow) -> str:
    return " ".join("NULL" if value is None else value for value in row)
