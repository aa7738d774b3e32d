"""prepare: takes from an existing table what would slow its load down or refuse it; it all comes back afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundIndex
from compiler.catalog import ForeignKey
from compiler.layout import relation_sql, unique
from compiler.names import Name
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.sql import Sql, ident, literal
from compiler.steps.base import TableStep
from compiler.steps.create import expected_columns
from compiler.triggers import Trigger, user_triggers


@dataclass(frozen=True)
class PrepareTable(TableStep):
    """Drop the indexes and keys of an empty table, and the keys of migrated tables that refer to it; stop its triggers.

    Its own keys to other tables of the plan are dropped by their preparation, so that each is dropped once.
    """

    kind: ClassVar[str] = "prepare"
    undo: ClassVar[str] = "puts everything back as the catalog has it"

    @property
    def what(self) -> str:
        return f"{self.table.target} is empty; its indexes, keys and triggers make way for the load"

    def after(self) -> tuple[str, ...]:
        return unique(self.layout.required(self.table))

    def locks(self) -> Iterator[Lock]:
        if self._indexes:
            yield self.lock("ACCESS EXCLUSIVE", "DROP INDEX, DROP CONSTRAINT")
        for owner, key in self._keys:
            for relation in (owner, key.references):
                yield Lock("ACCESS EXCLUSIVE", str(relation), "DROP FOREIGN KEY", old=True)
        for trigger in self._triggers:
            yield Lock("SHARE ROW EXCLUSIVE", str(trigger.table), "DISABLE TRIGGER", old=True)

    def risks(self) -> Iterator[str]:
        for trigger in self._triggers:
            yield f"trigger {trigger.name} of {trigger.table} does not fire for the rows that are loaded"
        for name, why in self.layout.kept(self.table).items():
            yield f"{name} of {self.table.target} stays during the load ({why}): slower, and duplicates fail row by row"

    def forward(self) -> Iterator[Section]:
        yield Section(
            "gate",
            "target",
            render("prepare/gate", target=self.target, problem=literal(f"{self.table.target} is not empty")),
        )
        sql = render(
            "prepare/apply", keys=tuple(_Dropped.of(owner, key) for owner, key in self._keys),
            indexes=tuple(index.drop for index in reversed(self._indexes)), triggers=self._triggers,
        )  # fmt: skip
        if sql:
            yield Section("apply", "target", sql)

    def verify(self) -> Iterator[Section]:
        yield Section("verify", "target", expected_columns(self))

    def revert(self) -> Iterator[Section]:
        sql = render(
            "prepare/revert", keys=tuple(_Dropped.of(owner, key) for owner, key in self._keys),
            indexes=tuple(index.definition for index in self._indexes), triggers=self._triggers,
        )  # fmt: skip
        if sql:
            yield Section("revert", "target", sql)

    @cached_property
    def _indexes(self) -> tuple[BoundIndex, ...]:
        return self.layout.rebuilt(self.table)

    @cached_property
    def _triggers(self) -> tuple[Trigger, ...]:
        return user_triggers(self.table, self.layout)

    @cached_property
    def _keys(self) -> tuple[tuple[Name, ForeignKey], ...]:
        """The keys that this step drops, with the relations that own them."""
        incoming = (
            (relation.qualified, key)
            for relation, key in self.layout.incoming(self.table) if self.layout.is_migrated(relation)
        )  # fmt: skip
        own = self.table.existing.foreign_keys if self.table.existing else ()
        outgoing = ((self.table.target, key) for key in own if key.references not in self.layout.migrated)
        return (*incoming, *outgoing)


@dataclass(frozen=True, slots=True)
class _Dropped:
    """A foreign key that goes, as the templates print it."""

    table: Sql
    name: Sql
    definition: Sql

    @classmethod
    def of(cls, owner: Name, key: ForeignKey) -> "_Dropped":
        definition = key.definition if key.valid else f"{key.definition} NOT VALID"
        return cls(relation_sql(owner), ident(key.name), Sql(definition))
