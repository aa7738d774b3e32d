"""By what a source is paged: its key, or, between two databases, where its rows are."""

from compiler.bound import BoundTable, SourceColumn
from compiler.catalog import Catalog, Relation
from compiler.layout import Layout

PLACE = SourceColumn("ctid", "tid", "tid", False)  # holds within one snapshot
_STORED = frozenset(["table", "partitioned table", "materialized view"])


def keyset(table: BoundTable, layout: Layout) -> tuple[SourceColumn, ...]:
    """The columns that page through the source; none where all of it is one chunk."""
    if table.keyset:
        return table.keyset
    catalog = layout.ordered.resolved.source
    placed = table.relation is not None and not layout.one_database and _is_placed(table.relation, catalog)
    return (PLACE,) if placed else ()


def is_stored(table: BoundTable) -> bool:
    """The source has blocks of its own: it has a size, and samples can be taken."""
    return table.relation is not None and table.relation.kind in _STORED


def has_parts(table: BoundTable) -> bool:
    """The source is read with partitions or INHERITS children, whose rows may have equal places."""
    return table.relation is not None and bool(table.relation.children)


def _is_placed(relation: Relation, catalog: Catalog) -> bool:
    """Its rows, and those of all its children, are in blocks of this database."""
    children = (catalog.find(child.schema, child.name) for child in relation.children)
    return relation.kind in _STORED and all(child is not None and _is_placed(child, catalog) for child in children)
