"""A whole table goes: nothing refers to it any more, it waits in a schema of its own, and is dropped last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from compiler.plan import Lock, Section
from compiler.removals.base import AX, READ, SRE, RemovalStep
from compiler.removals.bound import BoundRemoval
from compiler.removals.deprecate import dependent_statements, forgotten
from compiler.removals.detach import Rebuild, interval
from compiler.render import render
from compiler.sql import Sql, fits, ident, join, literal


@dataclass(frozen=True)
class DescribeTable(RemovalStep):
    """What uses the table, and how that is made again."""

    kind: ClassVar[str] = "describe"
    undo: ClassVar[str] = "deletes what was written down"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified}: what uses it is named, and written down"

    @property
    def about(self) -> str:
        return self.removal.spec.because

    def forward(self) -> Iterator[Section]:
        named = [one.text for one in self.removal.dependents]
        yield Section("gate", "target", used(self.removal, named), prose="everything that uses it is named")
        statements = dependent_statements(self.removal)
        nothing = Sql("SELECT 'nothing uses it: there is nothing to write down';")
        yield Section("apply", "target", statements or nothing)

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", forgotten(self.removal))


@dataclass(frozen=True)
class RebuildTable(Rebuild):
    """What uses the table goes, or is made anew without it, in one transaction."""

    @property
    def what(self) -> str:
        names = ", ".join(one.text for one in self.removal.dependents if one.moves)
        return f"without {self.removal.relation.qualified}: {names}"


@dataclass(frozen=True)
class Quarantine(RemovalStep):
    """The table is where nobody looks for it: what still uses it fails as it will after the drop."""

    kind: ClassVar[str] = "quarantine"
    undo: ClassVar[str] = "moves it back"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified} -> schema {schema_of(self.removal)}"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "SET SCHEMA")

    def risks(self) -> Iterator[str]:
        yield f"what still uses {self.removal.relation.qualified} fails from here on"

    def forward(self) -> Iterator[Section]:
        kept = [one.text for one in self.removal.dependents if one.action == "keep"]
        yield Section("gate", "target", used(self.removal, kept), prose="nothing in the database needs it any more")
        schema = schema_of(self.removal)
        yield Section("apply", "target", Sql(
            f"CREATE SCHEMA {schema};\n\n-- {self.said(AX)}\nALTER TABLE {self.removal.table} SET SCHEMA {schema};"
        ))  # fmt: skip

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", Sql(
            f"ALTER TABLE {there(self.removal)} SET SCHEMA {self.removal.schema};\n"
            f"DROP SCHEMA {schema_of(self.removal)};"
        ))  # fmt: skip


@dataclass(frozen=True)
class GateTable(RemovalStep):
    """It has waited for long enough, and nothing has come to use it."""

    kind: ClassVar[str] = "gate"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified} has waited, and nothing uses it"

    def forward(self) -> Iterator[Section]:
        removal, phases = self.removal, self.removal.spec.phases
        soaked = render(
            "removal/soaked", what=literal("the table soaks until "), lasts=literal(interval(phases.soak)),
            identity=removal.identity, phase=Sql("2"),
        )  # fmt: skip
        yield Section("gate", "target", soaked, prose="by the server's clock")
        if phases.not_before:
            day = render("removal/not_before", day=literal(phases.not_before))
            yield Section("gate", "target", day, prose="the day has come")
        kept = [one.text for one in removal.dependents if one.action == "keep"]
        yield Section("gate", "target", used(removal, kept, hidden=True), prose="nothing uses it")


@dataclass(frozen=True)
class Seal(RemovalStep):
    """The table's own keys to others go, one by one, each of which it would lock when it is dropped."""

    kind: ClassVar[str] = "unlink"
    undo: ClassVar[str] = "adds the keys again"

    @property
    def what(self) -> str:
        names = ", ".join(key.name for key in self.removal.relation.foreign_keys)
        return f"{self.removal.relation.qualified}: without {names or 'keys to others, of which it has none'}"

    def locks(self) -> Iterator[Lock]:
        for key in self.removal.relation.foreign_keys:
            for on in (str(self.removal.relation.qualified), str(key.references)):
                yield Lock(AX, on, f"DROP CONSTRAINT {key.name}", old=True)

    def forward(self) -> Iterator[Section]:
        for key in self.removal.relation.foreign_keys:
            drop = f"ALTER TABLE {there(self.removal)} DROP CONSTRAINT {ident(key.name)};"
            lock = f"-- {self.said(AX)}, and on {key.references}\n"
            yield Section("build", "target", Sql(f"{lock}{drop}"), of=key.name)

    def revert(self) -> Iterator[Section]:
        keys = [
            Sql(
                f"-- {SRE} on the table, and on {key.references}\n"
                f"ALTER TABLE {there(self.removal)} ADD CONSTRAINT {ident(key.name)} {key.definition}"
                f"{'' if key.valid else ' NOT VALID'};"
            )
            for key in self.removal.relation.foreign_keys
        ]
        if keys:
            yield Section("revert", "target", join("\n", keys))


@dataclass(frozen=True)
class ExportTable(RemovalStep):
    """The table as a file, with its rows counted and its checksum in the journal."""

    kind: ClassVar[str] = "export"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified} -> a file, as CSV"

    def locks(self) -> Iterator[Lock]:
        yield Lock(READ, there(self.removal), "COPY")

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        lasts = literal(interval(removal.spec.phases.retain))
        kept = render(
            "removal/soaked", what=literal("the table is kept until "), lasts=lasts, identity=removal.identity,
            phase=Sql("3"),
        )  # fmt: skip
        yield Section("gate", "target", kept, prose="it was kept for long enough, by the server's clock")
        copy = f"COPY (SELECT t.* FROM {there(removal)} AS t) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8');"
        yield Section("export", "target", Sql(copy))


@dataclass(frozen=True)
class PurgeTable(RemovalStep):
    """The table is dropped."""

    kind: ClassVar[str] = "purge"
    reversible: ClassVar[bool] = False
    undo: ClassVar[str] = "none: the rows are in the exported file alone"

    @property
    def what(self) -> str:
        return f"{self.removal.relation.qualified} is dropped"

    def locks(self) -> Iterator[Lock]:
        yield Lock(AX, there(self.removal), "DROP TABLE", old=True)

    def risks(self) -> Iterator[str]:
        yield "after this the rows are in the exported file alone: the runner asks for the removal's name"

    def forward(self) -> Iterator[Section]:
        exported = render("removal/exported", identity=self.removal.identity)
        yield Section("gate", "target", exported, binds=("run",), prose="it was exported")
        table = there(self.removal)
        drop = f"-- {AX} on {table}\nDROP TABLE {table} RESTRICT;"
        drops = f"{drop}\nDROP SCHEMA {schema_of(self.removal)} RESTRICT;"
        yield Section("apply", "target", Sql(drops))


def schema_of(removal: BoundRemoval) -> Sql:
    """Where the table waits: a schema of its own, so that no name there can be taken."""
    return ident(fits(f"quarantine_{removal.project.name.text}_{removal.name}"))


def there(removal: BoundRemoval) -> Sql:
    """The table, where it waits."""
    return Sql(f"{schema_of(removal)}.{ident(removal.relation.name)}")


def used(removal: BoundRemoval, named: list[str], hidden: bool = False) -> Sql:
    """What uses the table and is not among `named`; `hidden`: where it waits."""
    table = there(removal) if hidden else removal.table
    reviewed = [f"{one.kind} {one.identity}" for one in removal.dependents if one.text in named]
    return render("removal/table_uses", table=literal(table), named=tuple(map(literal, reviewed)) or (literal(""),))
