"""Resolved -> Ordered: what is referred to comes first, the same order every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import networkx as nx

from compiler.bound import BoundTable, Ordered, Resolved
from compiler.diagnostics import Diagnostic, SpecError

Graph = nx.DiGraph  # of table ids; an edge leads from what comes first to what comes after it


def order(resolved: Resolved) -> Ordered:
    """Sort the tables: parents before children, and what `after:` says; by name where neither decides.

    References never force an order, for none needs its parent's rows to be loaded: where they run in a circle, they
    give way to the names. `after:` does force one. Raises SpecError where it runs in a circle.
    """
    tables = {table.id: table for table in resolved.tables}
    referring = _graph(tables, ((reference, table.id) for table in resolved.tables for reference in _references(table)))
    waiting = _graph(tables, ((before, table.id) for table in resolved.tables for before in table.after))
    if found := sorted(_waiting_circles(waiting, tables), key=lambda circle: circle.message):
        raise SpecError(found)
    ids = tuple(_sorted(referring, waiting))
    return Ordered(resolved, tuple(tables[id] for id in ids), tuple(_circles(referring, ids)))


def _references(table: BoundTable) -> Iterator[str]:
    return (reference.table for column in table.columns for reference in column.references)


def _graph(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Graph[str]:
    graph: Graph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def _sorted(referring: Graph[str], waiting: Graph[str]) -> Iterator[str]:
    """Circles as wholes, in order; inside a circle only `after:` counts."""
    whole = nx.compose(referring, waiting)
    circles = nx.condensation(whole)
    members: Mapping[int, set[str]] = {number: circles.nodes[number]["members"] for number in circles}
    for circle in nx.lexicographical_topological_sort(circles, key=lambda number: min(members[number])):
        yield from nx.lexicographical_topological_sort(waiting.subgraph(members[circle]))


def _circles(referring: Graph[str], ids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The sets of tables that refer to each other, and the tables that refer to themselves, each in load order."""
    place = {id: number for number, id in enumerate(ids)}
    found = (
        tuple(sorted(members, key=place.__getitem__))
        for members in nx.strongly_connected_components(referring)
        if len(members) > 1 or any(referring.has_edge(id, id) for id in members)
    )
    yield from sorted(found, key=lambda circle: place[circle[0]])


def _waiting_circles(waiting: Graph[str], tables: Mapping[str, BoundTable]) -> Iterator[Diagnostic]:
    for members in nx.strongly_connected_components(waiting):
        if len(members) > 1 or any(waiting.has_edge(id, id) for id in members):
            yield _circle_error(_path(waiting, members), tables)


def _path(waiting: Graph[str], members: set[str]) -> tuple[str, ...]:
    """One circle among the members, from the first by name round to it again: each waits for the next."""
    first = min(members)
    inside = waiting.subgraph(members).reverse()
    back = min(sorted(inside.predecessors(first)), key=lambda id: len(nx.shortest_path(inside, first, id)))
    return (*nx.shortest_path(inside, first, back), first)


def _circle_error(path: tuple[str, ...], tables: Mapping[str, BoundTable]) -> Diagnostic:
    lines = "\n".join(f'"{one}" comes after "{other}" ({tables[one].span})' for one, other in pairwise(path))
    return Diagnostic(
        "E701",
        "tables wait for each other in a circle: " + " -> ".join(path),
        tables[path[0]].span,
        label="waits for itself in the end",
        hint=f"take one of these out of after:\n{lines}",
    )
