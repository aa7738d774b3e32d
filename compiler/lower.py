"""Ordered -> Plan: PASSES, one function for each stage of the plan, each for all tables in load order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import networkx as nx

from compiler.bound import NewType, Ordered, Resolved
from compiler.layout import EXTENSIONS, Layout
from compiler.plan import Kind, Plan, Step
from compiler.removals.plans import removal_plans
from compiler.steps.constrain import ConstrainTable
from compiler.steps.create import CreateTable
from compiler.steps.finish import FinishTable
from compiler.steps.index import BuildIndexes
from compiler.steps.load import LoadTable
from compiler.steps.map import FillMap
from compiler.steps.prepare import PrepareTable
from compiler.steps.reconcile import ReconcileTables
from compiler.steps.require import RequireExtension, RequireSchema, RequireType
from compiler.steps.tree import HangRows
from compiler.steps.verify import VerifyTable
from compiler.summary import summarise

Pass = Callable[[Layout], Iterator[Kind]]


def lower(ordered: Ordered) -> Plan:
    """The steps of the plan, each after those that it comes after, and what a reviewer must know of the whole."""
    layout = Layout(ordered)
    steps = tuple(Step.of(kind) for run in PASSES for kind in run(layout))
    phases = tuple(plan for removal in ordered.resolved.removals for plan in removal_plans(removal))
    return replace(summarise(layout, in_order(steps)), removals=phases)


def require(layout: Layout) -> Iterator[Kind]:
    """Make what tables are made in and of."""
    resolved = layout.ordered.resolved
    span = resolved.project.span
    for schema in resolved.schemas:
        yield RequireSchema(span, schema)
    for word in resolved.project.extensions:
        yield RequireExtension(word.span, word.text, _extension_schema(resolved, word.text))
    for place, new in enumerate(resolved.types):
        yield RequireType(span, new, tuple(_needs(resolved, new, place)))


def create(layout: Layout) -> Iterator[Kind]:
    """Create every target before any row moves; its constraints come after the rows."""
    for table in layout.ordered.tables:
        if table.create:
            yield CreateTable(table, layout)


def prepare(layout: Layout) -> Iterator[Kind]:
    """Clear the way into the tables that are there already."""
    for table in layout.ordered.tables:
        if not table.create:
            yield PrepareTable(table, layout)


def map_keys(layout: Layout) -> Iterator[Kind]:
    """Fill every map table before the first row moves, so that references never order the loads."""
    for table in layout.ordered.tables:
        if table.map_table is not None:
            yield FillMap(table, layout, table.map_table)


def hang(layout: Layout) -> Iterator[Kind]:
    """Keep the rows of every hierarchy, and compute it over the keys alone, before they are loaded."""
    for table in layout.ordered.tables:
        if table.tree is not None:
            yield HangRows(table, layout, table.tree)


def load(layout: Layout) -> Iterator[Kind]:
    """Move the rows."""
    for table in layout.ordered.tables:
        yield LoadTable(table, layout)


def index(layout: Layout) -> Iterator[Kind]:
    """Build indexes when the rows are there: three times faster than keeping them up to date (docs/design.md)."""
    for table in layout.ordered.tables:
        if layout.rebuilt(table):
            yield BuildIndexes(table, layout)


def reconcile(layout: Layout) -> Iterator[Kind]:
    """Settle missing references, parents first; a circle of tables at once, where its first stands."""
    for table in layout.ordered.tables:
        if layout.reconciles(table) and layout.circle(table)[0] == table.id:
            yield ReconcileTables(table, layout)


def constrain(layout: Layout) -> Iterator[Kind]:
    """Add the foreign keys."""
    for table in layout.ordered.tables:
        if layout.has_keys(table):
            yield ConstrainTable(table, layout)


def finish(layout: Layout) -> Iterator[Kind]:
    """Leave every table as the application expects it."""
    for table in layout.ordered.tables:
        if layout.finishes(table):
            yield FinishTable(table, layout)


def verify(layout: Layout) -> Iterator[Kind]:
    """Prove that everything arrived."""
    for table in layout.ordered.tables:
        yield VerifyTable(table, layout)


PASSES: tuple[Pass, ...] = (
    require, create, prepare, map_keys, hang, load, index, reconcile, constrain, finish, verify,
)  # fmt: skip


def _extension_schema(resolved: Resolved, name: str) -> str | None:
    """Where an extension is created; None where it is there already."""
    return None if name in resolved.target.extensions else EXTENSIONS


def _needs(resolved: Resolved, new: NewType, place: int) -> Iterator[str]:
    """What a type is made in and of: its schema, and those types before it that its definition names."""
    if new.name.schema in resolved.schemas:
        yield f"require.schema-{new.name.schema}"
    for other in resolved.types[:place]:
        if str(other.name) in new.definition:
            yield f"require.type-{other.name}"


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps as they are, but for those that stand before a step that they come after."""
    place = {step.id: number for number, step in enumerate(steps)}
    if all(place[before] < number for number, step in enumerate(steps) for before in step.after):
        return steps
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(steps)))
    graph.add_edges_from((place[before], number) for number, step in enumerate(steps) for before in step.after)
    return tuple(steps[number] for number in nx.lexicographical_topological_sort(graph))
