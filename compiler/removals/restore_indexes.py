"""Restore, after phase 3: the indexes and constraints that went with the columns are built again beside the writers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from compiler.catalog import IndexEntry, Key
from compiler.names import Name
from compiler.plan import Lock, Section
from compiler.removals.base import AX, SHARE, SRE, SUE, again
from compiler.removals.bound import BoundRemoval, Gone, over
from compiler.removals.detach import altered
from compiler.removals.restore import RestoreStep
from compiler.render import render
from compiler.sql import Sql, fits, ident, join, literal, qname

_UNIQUE = re.compile(
    r"UNIQUE(?P<nulls> NULLS NOT DISTINCT)? (?P<columns>\([^()]*\))(?P<include> INCLUDE \([^()]*\))?"
    r"(?P<with> WITH \(.*\))?(?P<deferred> DEFERRABLE.*)?"
)


@dataclass(frozen=True)
class Narrow(RestoreStep):
    """From here on rows come with a value again; those that came without one meanwhile are filled after that."""

    kind: ClassVar[str] = "narrow"

    @property
    def what(self) -> str:
        names = dict.fromkeys(gone.name for one in self.removal.members for gone in strict(one))
        return f"{self.removal.relation.qualified}: rows come with {', '.join(names)} again"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "ADD CHECK NOT VALID")

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", join("\n\n", (
            altered(one, AX, checks) for one in self.members if (checks := self._checks(one.removal))
        )))  # fmt: skip

    def _checks(self, removal: BoundRemoval) -> tuple[Sql, ...]:
        return tuple(
            Sql(f"ADD CONSTRAINT {check_name(gone)} CHECK ({ident(gone.name)} IS NOT NULL) NOT VALID")
            for gone in strict(removal)
        )


@dataclass(frozen=True)
class Index(RestoreStep):
    """The indexes that went with the columns, built while the application reads and writes."""

    kind: ClassVar[str] = "index"

    @property
    def what(self) -> str:
        names = [name for one in self.removal.members for name, _ in rebuilt(one)]
        names += [index.name for _, index in self.removal.lone]
        return f"{self.removal.relation.qualified}: {', '.join(names)}"

    def locks(self) -> Iterator[Lock]:
        if self.removal.partitioned:
            yield Lock(SHARE, str(self.removal.relation.qualified), "CREATE INDEX ON ONLY", old=True)
        for one in self.members:
            if rebuilt(one.removal) or one.removal.lone:
                yield one.lock_here(SUE, "CREATE INDEX CONCURRENTLY, outside of a transaction")

    def risks(self) -> Iterator[str]:
        for index in self.removal.indexes if self.removal.partitioned else ():
            if copies(index, self.removal) is None:
                yield f"{index.name} is not built concurrently: the catalog does not say what its partitions have of it"

    def forward(self) -> Iterator[Section]:
        removal = self.removal
        if not removal.partitioned:
            for one in self.members:
                for name, definition in rebuilt(one.removal):
                    yield from one._outside(one.removal.relation.qualified, name, definition)
            return
        for index in removal.indexes:
            found = copies(index, removal)
            if found is None:
                yield self._whole(index, self.said(SHARE))
            else:
                yield from self._partitioned(index, found)
        for part, index in removal.lone:
            if part.kind == "partitioned table":
                yield self._whole(index, Sql(f"{SHARE} on {part.qualified}"))
            else:
                yield from self._outside(part.qualified, index.name, Sql(index.definition))

    def _whole(self, index: IndexEntry, said: Sql) -> Section:
        """One of a partitioned table with all that its partitions have of it, while writers wait."""
        whole = index.definition.replace(" ON ONLY ", " ON ", 1)
        return Section("build", "target", Sql(f"-- {said}\n{whole};"), of=index.name)

    def _partitioned(self, index: IndexEntry, found: Mapping[Name, IndexEntry]) -> Iterator[Section]:
        """The table's own, which holds nothing; each partition's, concurrently; then each is attached upwards."""
        table = self.removal.relation.qualified
        own = f"-- {SHARE} on {table}\n{index.definition};"
        yield Section("build", "target", Sql(own), of=index.name)
        for part in self.removal.parts:
            copy = found[part.qualified]
            if part.kind == "partitioned table":
                sql = Sql(f"-- {SHARE} on {part.qualified}\n{copy.definition};")
                yield Section("build", "target", sql, of=copy.name)
            else:
                yield from self._outside(part.qualified, copy.name, Sql(copy.definition))
        for part in reversed(self.removal.parts):
            above = found.get(part.parents[0], index)
            parent = qname(part.parents[0].schema, above.name)
            copy_name = qname(part.schema, found[part.qualified].name)
            sql = Sql(f"-- no lock that a reader or a writer meets\nALTER INDEX {parent} ATTACH PARTITION {copy_name};")
            yield Section("build", "target", sql, of=f"{above.name} <- {found[part.qualified].name}")

    def _outside(self, table: Name, name: str, definition: Sql) -> Iterator[Section]:
        """One that is built outside of a transaction."""
        qualified, said = qname(table.schema, name), f"-- {SUE} on {table}"
        other = literal(f"{name} is there, and is another table's")
        on = literal(qname(table.schema, table.name))
        probe = render("removal/built", name=literal(qualified), table=on, other=other)
        called = self.called(name)
        yield Section("probe", "target", probe, of=called)
        yield Section("clear", "target", Sql(f"{said}\nDROP INDEX CONCURRENTLY {qualified};"), of=called)
        concurrently = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        yield Section("build", "target", Sql(f"{said}\n{concurrently};"), of=called, prose="outside")


@dataclass(frozen=True)
class Constrain(RestoreStep):
    """NOT NULL, unique and foreign keys, checks: added without a look at the rows, which are validated after it."""

    kind: ClassVar[str] = "constrain"

    @property
    def what(self) -> str:
        names = [f"{gone.name} NOT NULL" for one in self.removal.members for gone in strict(one)]
        names += [lost.name for one in self.removal.members for lost in one.constraints]
        return f"{self.removal.relation.qualified}: {', '.join([*dict.fromkeys(names), 'checks'])}"

    def locks(self) -> Iterator[Lock]:
        yield self.lock(AX, "ADD CONSTRAINT NOT VALID, USING INDEX, SET NOT NULL")
        yield self.lock(SUE, "VALIDATE CONSTRAINT")
        for key in (key for one in self.removal.members for key in one.foreign_keys):
            yield Lock(SRE, str(key.references), f"ADD CONSTRAINT {key.name}", old=True)

    def forward(self) -> Iterator[Section]:
        removal, members = self.removal, self.members
        for one in members:
            for gone in strict(one.removal):
                yield from one._not_null(gone)
        if any(strict(one) for one in removal.members):
            yield self._build("names of NOT NULL", again(removal, "null"))
        for one in members:
            yield from one._indexed()
        yield self._build("checks", again(removal, "check"))
        for one in members:
            yield from one._foreign()
        yield self._build("checks, validated", again(removal, "validate"))

    def _indexed(self) -> Iterator[Section]:
        removal = self.removal
        for key in removal.unique:
            yield self._build(key.name, self._altered(AX, f"ADD CONSTRAINT {ident(key.name)} {_adopted(key, removal)}"))
        for one in removal.exclusions:
            yield self._build(one.name, self._altered(AX, f"ADD CONSTRAINT {ident(one.name)} {one.definition}"))

    def _foreign(self) -> Iterator[Section]:
        for key in self.removal.foreign_keys:
            loose = "" if key.definition.endswith(" NOT VALID") or self.removal.partitioned else " NOT VALID"
            add = f"ADD CONSTRAINT {ident(key.name)} {key.definition}{loose}"
            yield self._build(key.name, self._altered(SRE, add, f", and on {key.references}"))
            if key.valid and loose:
                validate = self._altered(SUE, f"VALIDATE CONSTRAINT {ident(key.name)}")
                yield self._build(f"{key.name}, validated", validate)

    def _not_null(self, gone: Gone) -> Iterator[Section]:
        """With a validated check the server need not look at the rows again. Children get all of it too."""
        check, name = check_name(gone), ident(gone.name)
        validate = Sql(f"-- {self.said(SUE)}\nALTER TABLE {self.removal.table}\n  VALIDATE CONSTRAINT {check};")
        yield self._build(f"{gone.name} NOT NULL, validated", validate)
        sets = altered(self, AX, (Sql(f"ALTER COLUMN {name} SET NOT NULL"),))
        drop = altered(self, AX, (Sql(f"DROP CONSTRAINT {check}"),))
        yield self._build(f"{gone.name} NOT NULL", join("\n", (sets, drop)))

    def _build(self, of: str, sql: Sql) -> Section:
        return Section("build", "target", sql, of=self.called(of))

    def _altered(self, level: str, change: str, more: str = "") -> Sql:
        return Sql(f"-- {self.said_here(level)}{more}\nALTER TABLE {self.removal.table}\n  {change};")


def strict(removal: BoundRemoval) -> tuple[Gone, ...]:
    """The columns that are NOT NULL, and not because a parent's are."""
    return tuple(gone for gone in removal.columns if not gone.column.null and gone.name not in removal.above)


def check_name(gone: Gone) -> Sql:
    """A check that stands in for NOT NULL while the rows are validated."""
    return ident(fits(f"transhume_{gone.name}_not_null"))


def copies(index: IndexEntry, removal: BoundRemoval) -> Mapping[Name, IndexEntry] | None:
    """What each partition has of an index, by partition: the one over the same; None where the catalog lacks any."""
    found: dict[Name, IndexEntry] = {}
    for part in removal.parts:
        alike = [
            one for one in part.indexes if over(one) == over(index) and one.unique == index.unique
        ]  # fmt: skip
        if len(alike) != 1:
            return None
        found[part.qualified] = alike[0]
    return found if len(found) == len(removal.children) else None


def rebuilt(removal: BoundRemoval) -> tuple[tuple[str, Sql], ...]:
    """The indexes to build, and how: those of unique constraints too, which are adopted after that."""
    indexes = [(one.name, Sql(one.definition)) for one in removal.indexes]
    for key in removal.unique:
        found = None if removal.partitioned else _UNIQUE.fullmatch(key.definition)
        if found is not None:
            index = f"CREATE UNIQUE INDEX {ident(key.name)} ON {removal.table} {found['columns']}"
            more = f"{found['include'] or ''}{found['nulls'] or ''}{found['with'] or ''}"
            indexes.append((key.name, Sql(index + more)))
    return tuple(indexes)


def _adopted(key: Key, removal: BoundRemoval) -> str:
    found = None if removal.partitioned else _UNIQUE.fullmatch(key.definition)
    if found is None:
        return key.definition
    return f"UNIQUE USING INDEX {ident(key.name)}{found['deferred'] or ''}"
