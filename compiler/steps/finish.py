"""finish: sequences behind the greatest key, triggers as they were; statistics, where no index step has made them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.kept import drops, working
from compiler.layout import relation_sql, tree_sql
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.sequences import Sequence, sequences
from compiler.sql import Sql, join, literal
from compiler.steps.base import TableStep
from compiler.triggers import Trigger, user_triggers

_STATES = {"": "O", "replica": "R", "always": "A"}


@dataclass(frozen=True)
class FinishTable(TableStep):
    """Leave a table as the application expects it."""

    kind: ClassVar[str] = "finish"

    @property
    def what(self) -> str:
        done = [f"sequence of {each.name}" for each in self._sequences]
        done += [f"trigger {each.name}" for each in self._triggers]
        done += ["statistics"] if self._analyzes else []
        done += ["its hierarchy's working tables go"] if self.table.tree else []
        return f"{self.table.target}: {', '.join(done)}"

    @property
    def undo(self) -> str:
        moved = "; the sequences stay where they are" if self._sequences else ""
        return f"{'disables the triggers again' if self._triggers else 'nothing to undo'}{moved}"

    def after(self) -> tuple[str, ...]:
        return (self.layout.constrained(self.table),)

    def locks(self) -> Iterator[Lock]:
        for trigger in self._triggers:
            yield Lock("SHARE ROW EXCLUSIVE", str(trigger.table), "ENABLE TRIGGER", old=True)
        if self._analyzes:
            yield self.lock("SHARE UPDATE EXCLUSIVE", "ANALYZE")

    def forward(self) -> Iterator[Section]:
        sql = render(
            "finish/apply", target=self.target, sequences=self._sequences, triggers=self._triggers,
            analyzes=self._analyzes, drops=tuple(self._drops()),
        )  # fmt: skip
        yield Section("apply", "target", sql)

    def verify(self) -> Iterator[Section]:
        parts = [behind(self.target, each) for each in self._sequences]
        if self._triggers:
            expected = tuple(_expected(trigger) for trigger in self._triggers)
            parts.append(render("finish/triggers", triggers=expected))
        if parts:
            yield Section("verify", "target", render("finish/verify", parts=parts))

    def revert(self) -> Iterator[Section]:
        if self._triggers:
            yield Section("revert", "target", join("\n", (trigger.disable for trigger in self._triggers)))

    def _drops(self) -> Iterator[Sql]:
        if self.table.tree is not None:
            yield from drops(working(self.table.id), (tree_sql(self.table.id),))

    @property
    def _analyzes(self) -> bool:
        return not self.layout.rebuilt(self.table) or not (self._sequences or self._triggers or self.table.tree)

    @cached_property
    def _sequences(self) -> tuple[Sequence, ...]:
        return sequences(self.table)

    @cached_property
    def _triggers(self) -> tuple[Trigger, ...]:
        return user_triggers(self.table, self.layout)


def behind(target: Sql, sequence: Sequence) -> Sql:
    """A query for a sequence that would give a key a second time."""
    problem = literal(f"the sequence of {sequence.name} is behind its greatest value, ")
    return render("finish/behind", target=target, sequence=sequence, problem=problem)


def _expected(trigger: Trigger) -> Sql:
    relation = literal(relation_sql(trigger.table))
    return Sql(f"({relation}, {literal(trigger.name)}, {literal(_STATES[trigger.state])})")
