"""A table's spec -> Draft: its columns and filter, before it is known what other tables ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler.bound import BoundColumn, BoundTree
from compiler.diagnostics import Diagnostic, SpecError, known_here
from compiler.expressions import Scope, scalar
from compiler.resolve_columns import Columns
from compiler.resolve_tree import grow
from compiler.spec import Expression, Tree
from compiler.sql import Sql
from compiler.types import BOOLEAN
from compiler.world import Here, Made, noting


@dataclass(frozen=True, slots=True)
class Draft:
    """A table whose columns are resolved. `filter` is its `where`, `reads` the source columns that anything reads.

    `mapped` are those among them that a column is made of.
    """

    here: Here
    columns: tuple[BoundColumn, ...]
    filter: Sql | None
    mapped: frozenset[str]
    reads: frozenset[str]
    tree: BoundTree | None = None


def draft(here: Here, columns: Columns) -> Draft:
    """Resolve every column and the filter. Raises SpecError; an empty one where the mistake is another table's."""
    problems: list[Diagnostic] = [*_empty(here), *_not_there(here), *_not_filled(here), *_not_droppable(here)]
    bound: list[tuple[BoundColumn, Made]] = []
    for mapping in here.table.mappings:
        with noting(problems):
            made = columns.bind(mapping, here)
            bound.append(made)
            if isinstance(mapping.how, Expression):
                problems += _dropped(here, mapping.target.text, made[1].reads)
    filter, filtered = None, frozenset[str]()
    with noting(problems):
        filter, filtered = _filter(here)
    if problems or len(bound) < len(here.table.mappings):
        raise SpecError(problems)
    mapped = frozenset(name for _, made in bound for name in made.reads)
    found = Draft(here, tuple(column for column, _ in bound), filter, mapped, mapped | filtered)
    return found if here.table.tree is None else _grown(found, here.table.tree)


def _grown(found: Draft, tree: Tree) -> Draft:
    """The same with its tree: what that reads is used, and what placeholders are told by travels with the rows."""
    made = grow(found.here, tree, found.columns)
    return replace(
        found, columns=made.columns, mapped=found.mapped | made.staged, reads=found.reads | made.reads, tree=made.tree
    )


def _filter(here: Here) -> tuple[Sql | None, frozenset[str]]:
    """`where:`, which the source evaluates, and what it reads."""
    word = here.table.where
    if word is None:
        return None, frozenset()
    found = scalar(word, Scope(here.source.what, here.source.real, "s", here.world.source.server))
    if found.type is not None and found.type != BOOLEAN:
        message = f'"where" is to be true or false, and this is of type {found.type}'
        raise SpecError([Diagnostic("E509", message, word.span, "no condition", "compare it with something")])
    for what, span in found.session:
        here.world.warn("W401", f"{what} lets other rows pass in another run", span, "not repeatable")
    return found.sql, frozenset(found.columns)


def _empty(here: Here) -> Iterator[Diagnostic]:
    """A table that gets no column: there is no SQL that would move its rows."""
    if not here.table.mappings:
        message = f'table "{here.table.name}" has no columns'
        hint = 'add "columns" or "same", or name its source under "skip" in project.yaml'
        yield Diagnostic("E202", message, here.table.name.span, "nothing to fill", hint)


def _not_there(here: Here) -> Iterator[Diagnostic]:
    """Mappings of columns that an existing table does not have, or computes by itself."""
    if here.existing is None:
        return
    for mapping in here.table.mappings:
        name = mapping.target.text
        column = here.existing.column(name)
        if column is None:
            message = f'column "{name}" does not exist in target table "{here.id}"'
            hint = known_here(name, (other.name for other in here.existing.columns))
            yield Diagnostic("E313", message, mapping.target.span, "unknown column", hint)
        elif column.generated is not None:
            message = f'column "{name}" of target table "{here.id}" is generated'
            yield Diagnostic("E610", message, mapping.target.span, "computed by the target", "leave it out")


def _not_filled(here: Here) -> Iterator[Diagnostic]:
    """Columns of an existing table that must have a value, and get none."""
    mapped = here.mappings.keys()
    for column in here.existing.columns if here.existing else ():
        by_itself = column.null or column.default is not None or column.identity or column.generated is not None
        if column.name not in mapped and not by_itself:
            message = f'column "{column.name}" of target table "{here.id}" is NOT NULL, and nothing fills it'
            hint = f"map it: columns: {{{column.name}: ...}}"
            yield Diagnostic("E609", message, here.table.name.span, f"has no mapping for {column.name}", hint)


def _not_droppable(here: Here) -> Iterator[Diagnostic]:
    """What is dropped and is not there."""
    catalog = here.world.source
    known = set(here.source.columns)
    for name in here.source.relations:
        if relation := catalog.find(name.schema, name.name):
            known |= {column.name for column in relation.columns}
    for reason in here.table.drop:
        if reason.name.text not in known:
            message = f'drop: column "{reason.name}" does not exist in {here.source.what}'
            yield Diagnostic(
                "E607", message, reason.name.span, "unknown column", known_here(reason.name.text, sorted(known))
            )


def _dropped(here: Here, target: str, reads: tuple[str, ...]) -> Iterator[Diagnostic]:
    """Columns that an expression reads and that are dropped; for the other mappings the spec alone tells."""
    for reason in here.table.drop:
        if reason.name.text in reads:
            message = f'column "{reason.name}" is dropped, and "{target}" is made of it'
            yield Diagnostic("E608", message, reason.name.span, "not dropped", "take it out of drop:")
