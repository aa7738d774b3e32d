"""reconcile: finds the rows whose reference is missing, and sets them aside or takes the reference from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundColumn, BoundReference, BoundTable
from compiler.layout import map_sql, relation_sql, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import as_type, identity_of, reject_columns, source_key
from compiler.spec import Missing
from compiler.sql import Sql, column, ident, join, literal
from compiler.steps.base import TableStep

_ACTIONS = {"reject": "reconciled", "null": "nulled"}


@dataclass(frozen=True)
class ReconcileTables(TableStep):
    """Settle the references of a table, or of all tables that refer to each other in a circle; `table` is the first."""

    kind: ClassVar[str] = "reconcile"
    undo: ClassVar[str] = "nothing of its own: what it took away comes back with a new load"

    @property
    def name(self) -> str:
        return self.layout.circle_name(self.table)

    @property
    def what(self) -> str:
        links = [
            f"{table.target}.{link.name} -> {' or '.join(link.tables)}"
            for table in self._tables for link in _links(table)
        ]  # fmt: skip
        maps = [f"map of {table.id}" for table in self._tables if table.map_table is not None]
        return ", ".join((*links, *maps))

    def after(self) -> tuple[str, ...]:
        """The duplicates of these tables are gone, and the tables that they refer to lose no row any more.

        Nor does a load still look up in their maps: rows that are gone leave them here, and whether a row that refers
        to such a one is set aside before or after duplicates are must not depend on who is faster.
        """
        members = {table.id for table in self._tables}
        others = (other for table in self._tables for link in _links(table) for other in link.tables)
        parents = (self.layout.settled(self.layout.tables[other]) for other in others if other not in members)
        readers = {reader for member in members for reader in self.layout.readers.get(member, ())} - members
        own = (self.layout.indexed(table) for table in self._tables)
        return unique((*own, *parents, *(f"load.{reader}" for reader in sorted(readers))))

    def locks(self) -> Iterator[Lock]:
        for table in self._tables:
            if _links(table):
                yield Lock("ROW EXCLUSIVE", str(table.target), "DELETE, UPDATE", old=not table.create)

    def risks(self) -> Iterator[str]:
        yield from unique(self._risks())

    def _risks(self) -> Iterator[str]:
        for table in self._tables:
            for link in _links(table):
                if link.missing == "null":
                    none = " nor ".join(link.tables)
                    yield f"{table.target}.{link.name} becomes NULL where {none} has no such row"
                for reference in link.references:
                    if not reference.constrained:
                        yield f"{table.target}.{link.name} has no foreign key: {reference.why_not}"

    def forward(self) -> Iterator[Section]:
        gates = unique(
            gate for table in self._tables for link in _links(table, "fail") for gate in self._gates(table, link)
        )
        if gates:
            yield Section("gate", "target", render("reconcile/gate", parts=gates), binds=("run",))
        for table in self._tables:
            for link in _links(table, "reject", "null"):
                yield self._settle(table, link)
        maps = tuple(_kept(table) for table in self._tables if table.map_table is not None)
        if maps:
            yield Section("apply", "target", render("reconcile/apply", maps=maps))

    def verify(self) -> Iterator[Section]:
        references = tuple(self._unheld(table, link) for table in self._tables for link in _links(table)
                           if not link.references[0].constrained)  # fmt: skip
        if references:
            yield Section("verify", "target", render("reconcile/verify", references=references))

    @cached_property
    def _tables(self) -> tuple[BoundTable, ...]:
        return tuple(self.layout.tables[member] for member in self.layout.circle(self.table))

    def _missing(self, link: "_Link") -> tuple[Sql, ...]:
        """The row refers to something, and that is not there."""
        value = column("t", link.name)
        told = (link.told,) if link.told is not None else ()
        return (Sql(f"{value} IS NOT NULL"), *told, *(self._not_there(link, each) for each in link.references))

    def _not_there(self, link: "_Link", reference: BoundReference) -> Sql:
        other = self.layout.tables[reference.table]
        type = next(bound.type for bound in other.columns if bound.name == reference.column)
        key = as_type(column("r", reference.column), type, link.type)
        there = f"SELECT FROM {relation_sql(other.target)} AS r WHERE {key} = {column('t', link.name)}"
        return Sql(f"NOT EXISTS ({there})")

    def _problem(self, link: "_Link") -> str:
        """What is wrong with a row; the key that it has follows."""
        targets = [str(self.layout.tables[other].target) for other in link.tables]
        none = f"{targets[0]} has no row" if len(targets) == 1 else f"none of {', '.join(targets)} has a row"
        return f"{none} with {link.references[0].column} = "

    def _settle(self, table: BoundTable, link: "_Link") -> Section:
        key = source_key(table, "t")
        sql = render(
            "reconcile/settle", column=ident(link.name), key=key.array, target=relation_sql(table.target),
            joins=key.joins, conditions=self._missing(link), nulls=link.missing == "null",
            identity=identity_of(table), text=literal(link.name), reject=reject_columns(),
            reason=literal(self._problem(link)), action=literal(_ACTIONS[link.missing]),
        )  # fmt: skip
        of = link.of if len(self._tables) == 1 else f"{table.id}.{link.of}"
        return Section("settle", "target", sql, of=of, binds=("run", "step"), prose=_PROSE[link.missing])

    def _gates(self, table: BoundTable, link: "_Link") -> Iterator[Sql]:
        """Rows that did not find what they refer to, and those whose found one is gone."""
        key, start = source_key(table, "t"), literal(f"{table.target}.{link.name} of row ")
        if not all(reference.derived for reference in link.references):
            text, id = literal(link.name), literal(table.id)
            yield render("reconcile/gate_looked_up", start=start, table=id, text=text)
        yield render(
            "reconcile/gate_derived", start=start, key=key.array, column=ident(link.name),
            reason=literal(f": {self._problem(link)}"), target=relation_sql(table.target),
            joins=key.joins, conditions=self._missing(link), order=join(", ", key.values),
        )  # fmt: skip

    def _unheld(self, table: BoundTable, link: "_Link") -> dict[str, object]:
        have = f"{link.tables[0]} does not have" if len(link.tables) == 1 else f"none of {', '.join(link.tables)} has"
        problem = f" rows of {table.target} refer by {link.name} to rows that {have}"
        return {
            "problem": literal(problem), "target": relation_sql(table.target), "conditions": self._missing(link),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Link:
    """A column that is a reference; of a generic one each table that it may refer to, of those rows that do.

    `told` says which rows do; None for all. Where the target does not tell, a row refers to any of `references`.
    """

    name: str
    type: str
    references: tuple[BoundReference, ...]
    told: Sql | None = None

    @property
    def missing(self) -> Missing:
        return self.references[0].missing

    @property
    def tables(self) -> tuple[str, ...]:
        return unique(reference.table for reference in self.references)

    @property
    def of(self) -> str:
        """What a section about it is called."""
        return self.name if self.told is None else f"{self.name} -> {self.tables[0]}"


_PROSE = {"reject": "sets aside the rows without a parent", "null": "takes a reference that leads nowhere away"}


def _links(table: BoundTable, *missing: str) -> list[_Link]:
    """The references of a table; only those with one of these policies, if any is named."""
    links = (link for bound in table.columns for link in _of_column(bound))
    return [link for link in links if not missing or link.missing in missing]


def _of_column(bound: BoundColumn) -> Iterator[_Link]:
    told = [choice for choice in bound.choices if choice.told is not None]
    if bound.references and not told:
        yield _Link(bound.name, bound.type, bound.references)
    yield from (_Link(bound.name, bound.type, (choice.reference,), choice.told) for choice in told)


def _kept(table: BoundTable) -> dict[str, object]:
    keys = table.map_table.key if table.map_table else ()
    match = tuple(Sql(f"{column('t', key)} = {column('k', key)}") for key in keys)
    return {"name": map_sql(table.id), "target": relation_sql(table.target), "match": match}
