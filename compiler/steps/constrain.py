"""constrain: adds the foreign keys of a table, first unchecked, which takes no time, then validates each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.layout import AddedKey, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.sql import Sql, ident, join, literal
from compiler.steps.base import TableStep


@dataclass(frozen=True)
class ConstrainTable(TableStep):
    """Add every foreign key that a table has in the end."""

    kind: ClassVar[str] = "constrain"
    undo: ClassVar[str] = "drops them"

    @property
    def what(self) -> str:
        return f"{self.table.target}: {', '.join(key.name for key in self._keys)}"

    def after(self) -> tuple[str, ...]:
        """No row of these tables goes away any more, and the referenced keys have their indexes."""
        found = (self.layout.migrated.get(key.references) for key in self._keys)
        parents = [other for other in found if other is not None]
        ready = (step for other in parents for step in (self.layout.indexed(other), self.layout.settled(other)))
        return unique((self.layout.settled(self.table), *ready))

    def locks(self) -> Iterator[Lock]:
        for key in self._keys:
            other = self.layout.migrated.get(key.references)
            referenced = str(key.references), other is None or not other.create
            yield self.lock("SHARE ROW EXCLUSIVE", "ADD FOREIGN KEY")
            yield Lock("SHARE ROW EXCLUSIVE", referenced[0], "ADD FOREIGN KEY", referenced[1])
            if key.valid and not key.whole:
                yield self.lock("SHARE UPDATE EXCLUSIVE", "VALIDATE CONSTRAINT")
                yield Lock("ROW SHARE", referenced[0], "VALIDATE CONSTRAINT", referenced[1])

    def risks(self) -> Iterator[str]:
        for key in self._keys:
            if not key.valid:
                yield f"{key.name} of {self.table.target} stays NOT VALID, as it is now: older rows may break it"
            elif key.whole:
                yield f"{key.name} of {self.table.target} is checked under its lock: the table is partitioned"

    def forward(self) -> Iterator[Section]:
        later = tuple(key for key in self._keys if not key.whole)
        if later:
            sql = render("constrain/apply", target=self.target, keys=later)
            yield Section("apply", "target", sql, prose="checked for new rows from here on")
        for key in self._keys:
            if key.whole:
                sql = Sql(f"ALTER TABLE {self.target} ADD CONSTRAINT {ident(key.name)} {key.definition};")
                yield Section("build", "target", sql, of=key.name)
            elif key.valid:
                sql = Sql(f"ALTER TABLE {self.target} VALIDATE CONSTRAINT {ident(key.name)};")
                yield Section("build", "target", sql, of=key.name)

    def verify(self) -> Iterator[Section]:
        keys = tuple(self._expected(key) for key in self._keys)
        yield Section("verify", "target", render("constrain/verify", table=literal(self.target), keys=keys))

    def revert(self) -> Iterator[Section]:
        statements = (
            Sql(f"ALTER TABLE {self.target} DROP CONSTRAINT IF EXISTS {ident(key.name)};") for key in self._keys
        )
        yield Section("revert", "target", join("\n", statements))

    @cached_property
    def _keys(self) -> tuple[AddedKey, ...]:
        return tuple(self.layout.added_keys(self.table))

    def _expected(self, key: AddedKey) -> Sql:
        definition = literal(key.definition if self.is_old else None)
        return Sql(f"({literal(key.name)}, {literal(key.valid)}, {definition})")
