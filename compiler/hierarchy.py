"""What of each row a hierarchy is made of, how it leaves the source, and which rows have no place in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from compiler.bound import BoundColumn, BoundTable, BoundTree, Guard, Lookup, SourceColumn
from compiler.layout import Layout
from compiler.references import MISSING
from compiler.rows import wired
from compiler.sql import Sql, column, ident, literal
from compiler.tree_walk import Walk

_CHECK = "23514"  # check_violation


@dataclass(frozen=True, slots=True)
class Narrow:
    """What a hierarchy is made of: name, value as the source gives it, and type.

    `conditions` are guards that the source evaluates: a row that fails one will not move. `guards` are those that need
    what the target looks up, by `looked_up`.
    """

    columns: tuple[tuple[str, Sql, str], ...]
    conditions: tuple[Sql, ...]
    guards: tuple[Sql, ...]
    looked_up: tuple[BoundColumn, ...]

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The lookups of `looked_up`."""
        return tuple(found for bound in self.looked_up for found in bound.lookups)


def narrow(table: BoundTable, tree: BoundTree, layout: Layout) -> Narrow:
    """What the hierarchy of a table is made of."""
    own = [("key", _as(column("s", tree.key.name), tree.key, tree.type), tree.type)]
    own.append(("parent", Sql(f"nullif({tree.links.parent}, {own[0][1]})"), tree.type))
    own += [(f"order_{n}", wired(each), each.wire) for n, each in enumerate(tree.order, 1)]
    own += tree.links.raw
    if tree.id is not None:
        own.append(("id", tree.id.value if layout.one_database else tree.id.raw, tree.id.type))
    if tree.gone is not None:
        own.append(("gone", tree.gone, "boolean"))
    here, there = _guards(table, layout)
    looked_up = tuple(bound for bound in table.columns if bound.lookups and any(_names(ok, bound) for ok in there))
    return Narrow(tuple(own), here, there, looked_up)


def tree_guards(table: BoundTable, walk: Walk) -> tuple[tuple[str, Sql, str, str], ...]:
    """What the hierarchy asks of a row, after its own guards: a place. Column, condition, reason, SQLSTATE."""
    tree = walk.tree
    name = next(bound.name for bound in table.columns if bound.node == "parent")
    by = tree.links.name
    asked = (
        ("unfit", "could not move when the hierarchy was computed", _CHECK),
        ("several", f"there is more than one {by}", _CHECK),
        ("orphan", f"{by} has no row that moves", MISSING),
        ("below", f"hangs by {by} from a row that is set aside", MISSING),
        ("cycle", f"{by} leads back to the row itself", _CHECK),
        ("deep", f"deeper than {tree.max_depth}", _CHECK),
    )
    return tuple(
        (name, Sql(f"node.fate IS DISTINCT FROM {literal(fate)}"), reason, sqlstate)
        for fate, reason, sqlstate in asked if fate in walk.stops
    )  # fmt: skip


def _as(value: Sql, source: SourceColumn, type: str) -> Sql:
    return value if source.type == type else Sql(f"{value}::{type}")


def _guards(table: BoundTable, layout: Layout) -> tuple[tuple[Sql, ...], tuple[Sql, ...]]:
    """What rows must satisfy to be loaded: what the source evaluates, and what needs the target's maps."""
    here, there = list[Sql](), list[Sql]()
    for bound in table.columns:
        for guard in bound.guards if bound.node is None else ():
            if _reads_node(guard.ok):
                continue
            own = bound.comparable is not None and not any(_names(guard.ok, each) for each in table.columns)
            (here if own and _means_the_same(bound, guard, layout) else there).append(Sql(f"({guard.ok})"))
    return tuple(here), tuple(there)


def _means_the_same(bound: BoundColumn, guard: Guard, layout: Layout) -> bool:
    """Both databases agree on what the guard says of a row."""
    source, target = layout.ordered.resolved.source, layout.ordered.resolved.target
    same = source.encoding == target.encoding and len({source.collation, target.collation} - {""}) < 2
    return layout.one_database or same or not (bound.written or guard.sqlstate == _CHECK)


def _names(text: Sql, bound: BoundColumn) -> bool:
    """The text reads the row that the column looks up."""
    return any(f"{ident(found.alias)}." in text for found in bound.lookups)


def _reads_node(text: Sql) -> bool:
    return re.search(r'(?<![\w".])node\.', text) is not None
