"""reconcile: finds the rows whose reference is missing, and sets them aside or takes the reference from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundColumn, BoundReference, BoundTable
from compiler.layout import map_sql, relation_sql, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import identity_of, reject_columns, source_key
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
            f"{table.target}.{link.name} -> {link.reference.table}" for table in self._tables for link in _links(table)
        ]
        maps = [f"map of {table.id}" for table in self._tables if table.map_table is not None]
        return ", ".join((*links, *maps))

    def after(self) -> tuple[str, ...]:
        """The duplicates of these tables are gone, and the tables that they refer to lose no row any more.

        Nor does a load still look up in their maps: rows that are gone leave them here, and whether a row that refers
        to such a one is set aside before or after duplicates are must not depend on who is faster.
        """
        members = {table.id for table in self._tables}
        others = (link.reference.table for table in self._tables for link in _links(table))
        parents = (self.layout.settled(self.layout.tables[other]) for other in others if other not in members)
        readers = {reader for member in members for reader in self.layout.readers.get(member, ())} - members
        own = (self.layout.indexed(table) for table in self._tables)
        return unique((*own, *parents, *(f"load.{reader}" for reader in sorted(readers))))

    def locks(self) -> Iterator[Lock]:
        for table in self._tables:
            if _links(table):
                yield Lock("ROW EXCLUSIVE", str(table.target), "DELETE, UPDATE", old=not table.create)

    def risks(self) -> Iterator[str]:
        for table in self._tables:
            for link in _links(table):
                if link.reference.missing == "null":
                    yield f"{table.target}.{link.name} becomes NULL where {link.reference.table} has no such row"
                if not link.reference.constrained:
                    yield f"{table.target}.{link.name} has no foreign key: {link.reference.why_not}"

    def forward(self) -> Iterator[Section]:
        gates = tuple(
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
                           if not link.reference.constrained)  # fmt: skip
        if references:
            yield Section("verify", "target", render("reconcile/verify", references=references))

    @cached_property
    def _tables(self) -> tuple[BoundTable, ...]:
        return tuple(self.layout.tables[member] for member in self.layout.circle(self.table))

    def _missing(self, link: "_Link") -> tuple[Sql, ...]:
        """The row refers to something, and that is not there."""
        value, reference = column("t", link.name), link.reference
        other = relation_sql(self.layout.tables[reference.table].target)
        there = f"SELECT FROM {other} AS r WHERE {column('r', reference.column)} = {value}"
        return Sql(f"{value} IS NOT NULL"), Sql(f"NOT EXISTS ({there})")

    def _settle(self, table: BoundTable, link: "_Link") -> Section:
        reference, key = link.reference, source_key(table, "t")
        target = self.layout.tables[reference.table].target
        sql = render(
            "reconcile/settle", column=ident(link.name), key=key.array, target=relation_sql(table.target),
            joins=key.joins, conditions=self._missing(link), nulls=reference.missing == "null",
            identity=identity_of(table), text=literal(link.name), reject=reject_columns(),
            reason=literal(f"{target} has no row with {reference.column} = "),
            action=literal(_ACTIONS[reference.missing]),
        )  # fmt: skip
        of = link.name if len(self._tables) == 1 else f"{table.id}.{link.name}"
        return Section("settle", "target", sql, of=of, binds=("run", "step"), prose=_PROSE[reference.missing])

    def _gates(self, table: BoundTable, link: "_Link") -> Iterator[Sql]:
        """Rows that did not find what they refer to, and those whose found one is gone."""
        reference, key = link.reference, source_key(table, "t")
        start = literal(f"{table.target}.{link.name} of row ")
        if not reference.derived:
            text, id = literal(link.name), literal(table.id)
            yield render("reconcile/gate_looked_up", start=start, table=id, text=text)
        target = self.layout.tables[reference.table].target
        yield render(
            "reconcile/gate_derived", start=start, key=key.array, column=ident(link.name),
            reason=literal(f": {target} has no row with {reference.column} = "), target=relation_sql(table.target),
            joins=key.joins, conditions=self._missing(link), order=join(", ", key.values),
        )  # fmt: skip

    def _unheld(self, table: BoundTable, link: "_Link") -> dict[str, object]:
        problem = f" rows of {table.target} refer by {link.name} to rows that {link.reference.table} does not have"
        return {
            "problem": literal(problem), "target": relation_sql(table.target), "conditions": self._missing(link),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Link:
    """A column that is a reference."""

    name: str
    reference: BoundReference


_PROSE = {"reject": "sets aside the rows without a parent", "null": "takes a reference that leads nowhere away"}


def _links(table: BoundTable, *missing: str) -> list[_Link]:
    """The references of a table; only those with one of these policies, if any is named."""
    return [
        _Link(bound.name, bound.reference) for bound in table.columns if _is_link(bound, missing) and bound.reference
    ]


def _is_link(bound: BoundColumn, missing: tuple[str, ...]) -> bool:
    return bound.reference is not None and (not missing or bound.reference.missing in missing)


def _kept(table: BoundTable) -> dict[str, object]:
    keys = table.map_table.key if table.map_table else ()
    match = tuple(Sql(f"{column('t', key)} = {column('k', key)}") for key in keys)
    return {"name": map_sql(table.id), "target": relation_sql(table.target), "match": match}
