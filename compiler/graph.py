"""What comes before what, for people: the tables of a project, or all steps of its plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from compiler.bound import BoundTable, Ordered
from compiler.plan import Plan

Graph = Mapping[str, Sequence[str]]  # what -> what it comes after; in order
Format = Literal["text", "mermaid", "dot"]


def of_tables(ordered: Ordered) -> Graph:
    """The tables in load order; a table comes after those it refers to and those in its `after:`."""
    return {table.id: _before(table) for table in ordered.tables}


def _before(table: BoundTable) -> list[str]:
    referred = (reference.table for column in table.columns for reference in column.references)
    return sorted({*referred, *table.after})


def of_steps(plan: Plan) -> Graph:
    """The steps in the plan's order."""
    return {step.id: step.after for step in plan.steps}


def draw(graph: Graph, form: Format) -> str:
    """The graph as text, without a line end."""
    return "\n".join(FORMS[form](graph))


def _text(graph: Graph) -> Iterator[str]:
    width = max(map(len, graph), default=0)
    for name, before in graph.items():
        yield f"{name:<{width}}  after {', '.join(before)}" if before else name


def _mermaid(graph: Graph) -> Iterator[str]:
    number = {name: f"n{place}" for place, name in enumerate(graph)}
    yield "graph LR"
    for name in graph:
        label = name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        yield f'    {number[name]}["{label}"]'
    for before, name in _edges(graph):
        yield f"    {number[before]} --> {number[name]}"


def _dot(graph: Graph) -> Iterator[str]:
    yield "digraph plan {"
    yield "    rankdir=LR;"
    for name in graph:
        yield f"    {_quoted(name)};"
    for before, name in _edges(graph):
        yield f"    {_quoted(before)} -> {_quoted(name)};"
    yield "}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    return ((before, name) for name, others in graph.items() for before in others if before in graph)


FORMS: Mapping[Format, Callable[[Graph], Iterable[str]]] = {"text": _text, "mermaid": _mermaid, "dot": _dot}
