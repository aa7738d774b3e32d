"""Phase 4, purge: after the retention the backup is written to a file, and goes. Nothing leads back from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from compiler.plan import Lock, Section
from compiler.removals.base import AX, READ, RemovalStep, truncate_triggers
from compiler.removals.detach import interval
from compiler.removals.drop import soak_triggers
from compiler.render import render
from compiler.sql import Sql, column, join, literal


@dataclass(frozen=True)
class Export(RemovalStep):
    """The backup as a file, with its rows counted and its checksum in the journal."""

    kind: ClassVar[str] = "export"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        return f"{self.removal.backup} -> a file, as CSV"

    def locks(self) -> Iterator[Lock]:
        yield Lock(READ, str(self.removal.backup), "COPY")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        lasts = literal(interval(removal.spec.phases.retain))
        kept = render(
            "removal/soaked",
            what=literal("the backup is kept until "),
            lasts=lasts,
            identity=removal.identity,
            phase=Sql("3"),
        )
        yield Section("gate", "target", kept, prose="it was kept for long enough, by the server's clock")
        keys = removal.keys("b")
        if removal.below:  # by its name: an oid means nothing outside of the database
            keys = Sql(f"{keys}::regclass AS {removal.member}")
        columns = join(", ", (keys, removal.values("b"), column("b", f"{removal.mark}born")))
        query = f"SELECT {columns} FROM {removal.backup} AS b WHERE b.{removal.present} ORDER BY {removal.keys('b')}"
        yield Section("export", "target", Sql(f"COPY (\n  {query}\n) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');"))


@dataclass(frozen=True)
class Purge(RemovalStep):
    """The backup goes, and what kept it exact."""

    kind: ClassVar[str] = "purge"
    reversible: ClassVar[bool] = False
    undo: ClassVar[str] = "none: the values are in the exported file alone"

    @property
    def what(self) -> str:
        return f"{self.removal.backup} is dropped, with its triggers"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "DROP TRIGGER")

    def risks(self) -> Iterator[str]:
        yield "after this the values are in the exported file alone: the runner asks for the removal's name"

    def forward(self) -> Iterator[Section]:
        exported = render("removal/exported", identity=self.removal.identity)
        yield Section("gate", "target", exported, binds=("run",), prose="it was exported")
        yield Section("apply", "target", join("\n", discarding(self)))


def discarding(step: RemovalStep) -> Iterator[Sql]:
    """The statements that take away the triggers of the soak, their functions, and the backup."""
    removal = step.removal
    yield Sql(f"-- {step.said(AX)}")
    yield from (one.drop for one in (*soak_triggers(step), *truncate_triggers(step, removal.own("truncated"))))
    functions = ", ".join(f"{removal.own(what)}()" for what in ("moving", "soak", "truncated"))
    yield Sql(f"DROP FUNCTION {functions};")
    yield Sql(f"DROP TABLE {removal.own('moved')}, {removal.backup};")
