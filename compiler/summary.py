"""What a reviewer and the runner must know of a plan as a whole: its tables, what it reads, what stays behind."""

from collections.abc import Iterator

from compiler.bound import BoundTable, Resolved
from compiler.catalog import Catalog
from compiler.layout import Layout
from compiler.names import Name
from compiler.paging import keyset
from compiler.plan import Plan, Planned, Reviewed, Side, Step
from compiler.rows import source_text
from compiler.tree_classes import classes


def summarise(layout: Layout, steps: tuple[Step, ...]) -> Plan:
    """The plan made of these steps."""
    resolved = layout.ordered.resolved
    return Plan(
        project=resolved.project,
        specs=resolved.digest,
        databases=resolved.databases,
        relations=tuple(_reviewed(layout.ordered.tables, resolved)),
        tables=tuple(_planned(table, layout) for table in layout.ordered.tables),
        skipped=tuple((reason.name.text, reason.because) for reason in resolved.project.skip),
        steps=steps,
        warnings=resolved.warnings,
    )


def _planned(table: BoundTable, layout: Layout) -> Planned:
    parents = dict.fromkeys(reference.table for column in table.columns for reference in column.references)
    return Planned(
        table.id, source_text(table), str(table.target), tuple(key.name for key in keyset(table, layout)),
        table.rows, table.rejected, table.chunk, table.where or "", tuple(parents),
        tuple((reason.name.text, reason.because) for reason in table.drop),
        tuple(classes(table.tree)) if table.tree else (),
    )  # fmt: skip


def _reviewed(tables: tuple[BoundTable, ...], resolved: Resolved) -> Iterator[Reviewed]:
    """The relations that are read, and those that are there already and will be filled; each once, by name."""
    read = {name for table in tables for name in (table.relations or ((table.source,) if table.source else ()))}
    filled = {table.target for table in tables if table.existing is not None}
    yield from _of("source", read, resolved.source)
    yield from _of("target", filled, resolved.target)


def _of(database: Side, names: set[Name], catalog: Catalog) -> Iterator[Reviewed]:
    for name in sorted(names, key=lambda name: (name.schema, name.name)):
        relation = catalog.find(name.schema, name.name)
        if relation is not None:
            yield Reviewed(database, str(name), relation.fingerprint)
