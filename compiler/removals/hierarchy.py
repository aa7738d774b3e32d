"""What is below a table: partitions, or INHERITS children, each of which must be able to lose a column and get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.catalog import Catalog, Column, Relation
from compiler.diagnostics import Diagnostic
from compiler.names import Name, join
from compiler.removals.spec import Removal
from compiler.spec import Word


def descendants(relation: Relation, catalog: Catalog) -> tuple[Name, ...]:
    """All of them, parents first, each once: an INHERITS child may have several parents."""
    found: dict[Name, None] = {}

    def visit(names: Sequence[Name]) -> None:
        for name in reversed(names):
            if name not in found:
                child = catalog.find(name.schema, name.name)
                visit(child.children if child is not None else ())
                found[name] = None

    visit(relation.children)
    return tuple(reversed(found))


def columns_below(relation: Relation, names: Sequence[Name], removal: Removal) -> frozenset[str]:
    """The columns of INHERITS children that go with the table's, as dependents are called."""
    if relation.kind != "table":
        return frozenset()
    return frozenset(f"column {join((one.schema, one.name, word.text))}" for one in names for word in removal.columns)


def cannot_follow(
    removal: Removal, relation: Relation, names: Sequence[Name], catalog: Catalog
) -> Iterator[Diagnostic]:  # fmt: skip
    """Why an INHERITS child would keep its column, or could not give it back."""
    tree = {relation.qualified, *names}
    for name in names:
        child = catalog.find(name.schema, name.name)
        if child is None:
            message = f'"{removal.table}" has the child "{name}", which is not in the catalog'
            hint = f'add "{name.schema}" to the schemas of the project, then `transhume snapshot`'
            yield Diagnostic("E621", message, removal.table.span, "has an unknown child", hint)
        elif child.kind != "table":
            message = f'"{removal.table}" has the child "{name}", which is a {child.kind}'
            hint = f'let it leave first: "ALTER FOREIGN TABLE {name} NO INHERIT {child.parents[0]}"'
            yield Diagnostic("E621", message, removal.table.span, "has such a child", hint)
        else:
            for word in removal.columns:
                yield from _keeps(word, relation, child, tree, catalog)


def _keeps(
    word: Word, relation: Relation, child: Relation, tree: set[Name], catalog: Catalog
) -> Iterator[Diagnostic]:  # fmt: skip
    name = child.qualified
    for parent in child.parents:
        other = catalog.find(parent.schema, parent.name)
        if parent not in tree and other is not None and other.column(word.text) is not None:
            message = f'column "{word}" of the child "{name}" comes from "{parent}" too, and would stay'
            hint = f'let it leave one of its parents first: "ALTER TABLE {name} NO INHERIT {parent}"'
            yield Diagnostic("E621", message, word.span, "has another parent", hint)
            return
    uses = relation.uses_of(word.text)
    gone = f"column {join((child.schema, child.name, word.text))}"
    if uses is not None and all(one.name != gone for one in uses.dependents):
        message = f'column "{word}" of the child "{name}" is its own too, or below one that keeps it, and would stay'
        hint = f'let it leave first: "ALTER TABLE {name} NO INHERIT {child.parents[0]}"; its column goes by itself'
        yield Diagnostic("E621", message, word.span, "stays in a child", hint)
    if (own := child.column(word.text)) is not None and own.null and _inherited_null(word.text, child, catalog):
        message = f'column "{word}" may be NULL in the child "{name}", and not in its parent'
        yield Diagnostic(
            "E621", message, word.span, "NULL in a child", f'"ALTER TABLE {name} ALTER {word} SET NOT NULL"'
        )


def _inherited_null(name: str, child: Relation, catalog: Catalog) -> bool:
    """Whether a parent says that the column is NOT NULL."""
    parents = (catalog.find(parent.schema, parent.name) for parent in child.parents)
    found = (parent.column(name) for parent in parents if parent is not None)
    return any(column is not None and not column.null for column in found)


def inherited_nulls(child: Relation, catalog: Catalog) -> frozenset[str]:
    """The columns of a child that are NOT NULL because a parent's are."""
    return frozenset(column.name for column in child.columns if _inherited_null(column.name, child, catalog))


def keys(relation: Relation, goes: Sequence[str]) -> Iterator[tuple[Column, ...]]:
    """The primary key, and unique columns that are NOT NULL, where all of them stay."""
    lists = [relation.primary_key.columns] if relation.primary_key else []
    lists += [key.columns for key in relation.unique if "DEFERRABLE" not in key.definition]
    lists += [index.columns for index in relation.indexes if index.unique and index.valid and index.columns]
    for names in lists:
        columns = [relation.column(name) for name in names]
        if all(column is not None and not column.null and column.name not in goes for column in columns):
            yield tuple(column for column in columns if column is not None)


def shared_key(relation: Relation, children: Sequence[Relation], goes: Sequence[str]) -> tuple[Column, ...]:
    """The first key that each of the children has too; else the first one; none where there is none."""
    found = tuple(keys(relation, goes))
    shared = (key for key in found if not any(lacks(child, key, goes) for child in children))
    return next(shared, found[0] if found else ())


def lacks(child: Relation, key: Sequence[Column], goes: Sequence[str]) -> bool:
    """Whether a child has no key over the same columns: an INHERITS child gets none from its parent."""
    wanted = {column.name for column in key}
    return all({column.name for column in one} != wanted for one in keys(child, goes))
