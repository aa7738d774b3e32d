"""What of each row a hierarchy is made of, how it leaves the source, and which rows have no place in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler.bound import BoundColumn, BoundTable, BoundTree, Guard, Lookup, SourceColumn, legacy_name
from compiler.layout import Layout, tree_sql
from compiler.references import MISSING
from compiler.render import render
from compiler.rows import wired
from compiler.sql import Sql, column, ident, join, literal
from compiler.tree_walk import Walk

_CHECK = "23514"  # check_violation


@dataclass(frozen=True, slots=True)
class Narrow:
    """The columns of the narrow copy: `values` as the source gives them, `definitions` as the target keeps them.

    `conditions` are guards that the source evaluates: a row that fails one will not move. `guards` are those that need
    what the target looks up, by `looked_up`; `kept` are the columns that they read, as of a row `s`. `nowhere`: the
    target finds the parents, and says in a column of that name why there is none.
    """

    columns: tuple[tuple[str, Sql, str], ...]
    extra: tuple[SourceColumn, ...]
    conditions: tuple[Sql, ...]
    guards: tuple[Sql, ...]
    looked_up: tuple[BoundColumn, ...]
    nowhere: bool = False

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The lookups of `looked_up`."""
        return tuple(found for bound in self.looked_up for found in bound.lookups)

    @property
    def values(self) -> tuple[Sql, ...]:
        """The columns as they leave the source."""
        own = (Sql(f"{value} AS {ident(name)}") for name, value, _ in self.columns)
        return (*own, *(Sql(f"{wired(each)} AS {ident(legacy_name(each.name))}") for each in self.extra))

    @property
    def names(self) -> Sql:
        """Their names."""
        return join(", ", (ident(name) for name in self._names))

    @property
    def _names(self) -> Iterator[str]:
        yield from (name for name, _, _ in self.columns)
        yield from (legacy_name(each.name) for each in self.extra)

    @property
    def definitions(self) -> tuple[Sql, ...]:
        """The narrow copy's columns; `lost` and `fate` are for parents that are mended."""
        own = [Sql(f"{ident(name)} {type}{' NOT NULL' if name == 'key' else ''}") for name, _, type in self.columns]
        extra = [Sql(f"{ident(legacy_name(each.name))} {each.wire}") for each in self.extra]
        nowhere = (Sql("nowhere text"),) if self.nowhere else ()
        return (*own, *extra, Sql(f"lost {self.columns[0][2]}"), Sql("fate text"), *nowhere)

    @property
    def kept(self) -> tuple[Sql, ...]:
        """What guards read, as they call it."""
        extra = (Sql(f"{column('l', legacy_name(each.name))} AS {ident(each.name)}") for each in self.extra)
        return (Sql("l.ctid AS place"), *extra)


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
    reads = {each.name: each for each in (*table.keyset, *table.reads)}
    looked_up = tuple(bound for bound in table.columns if bound.lookups and any(_names(ok, bound) for ok in there))
    texts = [*there, *(value for bound in looked_up for found in bound.lookups for _, value in found.match)]
    extra = tuple(each for each in reads.values() if any(_reads(text, each.name) for text in texts))
    return Narrow(tuple(own), extra, here, there, looked_up)


def to_find(found: Narrow, kept: tuple[Sql, ...]) -> Narrow:
    """The narrow copy in which parents are still to be found: of all rows, with whether each can move."""
    conditions = (*kept, *found.conditions)
    columns = [(name, Sql(f"NULL::{type}") if name == "parent" else value, type) for name, value, type in found.columns]
    if conditions:
        columns.append(("fits", Sql(f"({join(' AND ', conditions)}) IS TRUE"), "boolean"))
    return replace(found, columns=tuple(columns), conditions=(), nowhere=True)


def node_join(table: BoundTable) -> tuple[Sql, ...]:
    """The row of the hierarchy that is that of a row `s`; nothing where the table is no tree."""
    if table.tree is None:
        return ()
    return (render("tree/node", tree=tree_sql(table.id), key=column("s", table.tree.key.name)),)


def tree_guards(table: BoundTable) -> tuple[tuple[str, Sql, str, str], ...]:
    """What the hierarchy asks of a row, after its own guards: a place. Column, condition, reason, SQLSTATE."""
    tree = table.tree
    if tree is None:
        return ()
    name = next(bound.name for bound in table.columns if bound.node == "parent")
    by = tree.links.name
    asked = (
        ("several", f"there is more than one {by}", _CHECK),
        ("orphan", f"{by} has no row that moves", MISSING),
        ("below", f"hangs by {by} from a row that is set aside", MISSING),
        ("cycle", f"{by} leads back to the row itself", _CHECK),
        ("deep", f"deeper than {tree.max_depth}", _CHECK),
    )
    stops = Walk(table.id, tree).stops
    found = [
        (name, Sql(f"node.fate IS DISTINCT FROM {literal(fate)}"), reason, sqlstate)
        for fate, reason, sqlstate in asked if fate in stops
    ]  # fmt: skip
    return (*found, (name, Sql("node.key IS NOT NULL"), "was not there when the hierarchy was computed", MISSING))


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


def _reads(text: Sql, name: str) -> bool:
    return re.search(rf'(?<![\w".]){re.escape(column("s", name))}(?![\w"])', text) is not None


def _reads_node(text: Sql) -> bool:
    return re.search(r'(?<![\w".])node\.', text) is not None
