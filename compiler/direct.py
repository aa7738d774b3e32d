"""Whether a load can take the direct path: the source maps the rows, and they are copied straight into the table."""

from collections.abc import Iterator

from compiler.bound import BoundTable
from compiler.layout import Layout
from compiler.paging import has_parts, keyset

_CHECK = "23514"  # check_violation


def why_staged(table: BoundTable, layout: Layout) -> str:
    """Why the rows go through a stage; "" where they need not."""
    return next(_obstacles(table, layout), "")


def _obstacles(table: BoundTable, layout: Layout) -> Iterator[str]:
    if not table.direct:
        yield "its spec says so"
    for bound in table.columns:
        if bound.lookups:
            maps = ", ".join(dict.fromkeys(found.map_of for found in bound.lookups))
            yield f"{bound.name} is looked up in the map of {maps}"
        elif bound.comparable is None:
            yield f"the source cannot compute {bound.name}: {bound.incomparable}"
        elif bound.opaque:
            yield f"{bound.name} is of type {bound.type}, which has no binary form that is the same in every database"
    yield from _of_source(table, layout)
    yield from _of_target(table)
    yield from _of_databases(table, layout)


def _of_source(table: BoundTable, layout: Layout) -> Iterator[str]:
    if not keyset(table, layout):
        yield "the source has no key"
    elif not table.keyset and has_parts(table):
        yield "the source has no key, and rows of its parts may have equal places"


def _of_target(table: BoundTable) -> Iterator[str]:
    """COPY asks no rules, and what is not a table may not take it."""
    if table.existing is None:
        return
    if table.existing.kind not in ("table", "partitioned table"):
        yield f"the target is a {table.existing.kind}"
    if any(one.startswith("rule ") and one.endswith(f" on {table.target}") for one in table.existing.dependents):
        yield "the target has rules"


def _of_databases(table: BoundTable, layout: Layout) -> Iterator[str]:
    """What texts mean to functions; an empty collation is that of a catalog that does not know."""
    source, target = layout.ordered.resolved.source, layout.ordered.resolved.target
    if source.encoding != target.encoding:
        yield f"texts are kept as {source.encoding} in the source and as {target.encoding} in the target"
    collations = {source.collation, target.collation} - {""}
    for bound in table.columns:
        if len(collations) > 1 and (bound.written or any(guard.sqlstate == _CHECK for guard in bound.guards)):
            yield f"{bound.name} is computed, and the databases have other collations"
