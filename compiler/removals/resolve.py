"""Removal + catalog -> BoundRemoval: its table and columns are there, can go, and could come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypedDict

from compiler.catalog import Catalog, Column, Constraint, ForeignKey, IndexEntry, Key, Relation
from compiler.diagnostics import Diagnostic, SpecError, did_you_mean, known_here
from compiler.names import Name, qualify
from compiler.removals.bound import BoundRemoval, Gone, over
from compiler.removals.dependents import bind_dependents
from compiler.removals.hierarchy import (
    cannot_follow,
    columns_below,
    descendants,
    inherited_nulls,
    lacks,
    shared_key,
)
from compiler.removals.spec import Removal
from compiler.spec import Project, Spec, Word
from compiler.sql import Sql, fits, ident

TABLES = ("table", "partitioned table")
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d][\w$]*""")
_CONSTANT = re.compile(r"""\(?(?:'(?:[^']|'')*'|-?[0-9.]+|true|false|NULL)\)?(?:::[\w\s".,()\[\]]+)?""")
HIDDEN = "zz_removed_"  # what a column's name begins with while it soaks


def resolve_removals(
    spec: Spec, source: Catalog, target: Catalog, made: Sequence[Relation]
) -> tuple[BoundRemoval, ...]:
    """Every removal; `made` are the tables that the project's own plan makes. Raises SpecError with all findings."""
    found: list[Diagnostic] = []
    bound: list[BoundRemoval] = []
    for removal in spec.removals:
        try:
            bound.append(_bind(removal, spec.project, source if removal.on == "source" else target, made))
        except SpecError as error:
            found.extend(error.diagnostics)
    if found:
        raise SpecError(found)
    return tuple(bound)


def _bind(removal: Removal, project: Project, catalog: Catalog, made: Sequence[Relation]) -> BoundRemoval:
    schema = (project.source if removal.on == "source" else project.target).schema
    name = qualify(removal.table.text, schema)
    relation = catalog.find(name.schema, name.name)
    reviewed = relation is not None
    known = [*catalog.relations, *(made if removal.on == "target" else ())]
    if relation is None:
        relation = next((one for one in known if one.qualified == name), None)
    if relation is None or relation.kind not in TABLES:
        raise SpecError([_unknown(removal, name, relation, known, schema)])
    if refused := list(_missing(removal, relation)):
        raise SpecError(refused)
    children = descendants(relation, catalog)
    parts = tuple(part for name in children if (part := catalog.find(name.schema, name.name)) is not None)
    goes = [word.text for word in removal.columns]
    inherit = [part for part in parts if part.kind == "table"] if relation.kind == "table" and goes else []
    key = shared_key(relation, inherit, goes) if goes else ()
    refused = [*_cannot_go(removal, relation, inherit, key)]
    if relation.kind == "table" and goes:
        refused += cannot_follow(removal, relation, children, catalog)
    below = columns_below(relation, children, removal)
    dependents = bind_dependents(removal, relation, schema, reviewed and bool(goes), below, refused)
    if refused:
        raise SpecError(refused)
    bound = BoundRemoval(
        spec=removal,
        project=project,
        database="source" if removal.on == "source" else "target",
        relation=relation,
        reviewed=reviewed,
        key=key,
        **_going(removal, relation),
        dependents=dependents,
        children=children,
        parts=parts,
        lone=tuple(_lone(relation, parts, goes)) if relation.kind == "partitioned table" else (),
    )
    return replace(bound, below=tuple(_child(bound, child, catalog) for child in inherit))


def _child(removal: BoundRemoval, child: Relation, catalog: Catalog) -> BoundRemoval:
    """The same removal about an INHERITS child, with what goes there."""
    return replace(
        removal, relation=child, children=descendants(child, catalog), parts=(),
        above=inherited_nulls(child, catalog), **_going(removal.spec, child),
    )  # fmt: skip


def _lone(
    relation: Relation, parts: Sequence[Relation], goes: Sequence[str]
) -> Iterator[tuple[Relation, IndexEntry]]:  # fmt: skip
    """The indexes over the columns that partitions have of their own: their parents have none over the same."""
    above = {one.qualified: {over(index) for index in one.indexes} for one in (relation, *parts)}
    for part in parts:
        for index in part.indexes:
            if _names(_indexed(index.definition), goes) and over(index) not in above[part.parents[0]]:
                yield part, index


class Going(TypedDict):
    """What a table loses with the columns."""

    columns: tuple[Gone, ...]
    unique: tuple[Key, ...]
    exclusions: tuple[Constraint, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[IndexEntry, ...]


def _going(removal: Removal, relation: Relation) -> Going:
    columns = [column for word in removal.columns if (column := relation.column(word.text)) is not None]
    goes = [column.name for column in columns]
    keys = [*([relation.primary_key] if relation.primary_key else []), *relation.unique]
    return Going(
        columns=tuple(_gone(column, removal) for column in columns),
        unique=tuple(key for key in keys if _names(key.definition, goes)),
        exclusions=tuple(one for one in relation.exclusions if _names(one.definition, goes)),
        foreign_keys=tuple(key for key in relation.foreign_keys if set(key.columns) & set(goes)),
        indexes=tuple(one for one in relation.indexes if _names(_indexed(one.definition), goes)),
    )


def _unknown(
    removal: Removal, name: Name, found: Relation | None, known: Sequence[Relation], schema: str
) -> Diagnostic:  # fmt: skip
    word = removal.table
    if found is not None:
        message = f'"{word}" is a {found.kind}: only columns of tables, and tables, are removed'
        return Diagnostic("E310", message, word.span, f"a {found.kind}", "drop it in a migration of your own")
    names = [one.name if one.schema == schema else str(one.qualified) for one in known if one.kind in TABLES]
    message = f'table "{word}" is not in the catalog of the {removal.on}'
    hint = did_you_mean(word.text, names) or "`transhume snapshot` writes the catalog anew"
    return Diagnostic("E310", message, word.span, "unknown table", hint)


def _missing(removal: Removal, relation: Relation) -> Iterator[Diagnostic]:
    for word in removal.columns:
        if relation.column(word.text) is None:
            message = f'column "{word}" does not exist in table "{removal.table}"'
            hint = known_here(word.text, [column.name for column in relation.columns])
            yield Diagnostic("E330", message, word.span, "unknown column", hint)


def _cannot_go(
    removal: Removal, relation: Relation, inherit: Sequence[Relation], key: Sequence[Column]
) -> Iterator[Diagnostic]:  # fmt: skip
    goes = [word.text for word in removal.columns]
    if relation.parents:
        message = f'"{removal.table}" is a child of "{relation.parents[0]}"'
        hint = f'remove it there: "table: {relation.parents[0]}"'
        yield Diagnostic("E621", message, removal.table.span, "inherits its columns", hint)
    tree = (relation, *inherit)
    stays = [found for one in tree for word in removal.columns for found in _column_stays(word, one)]
    yield from stays
    if stays:  # the rest of it follows from that
        return
    for one in tree:
        yield from _nothing_for_new_rows(removal, one)
    if goes and key:
        yield from _other_keys(removal, relation, inherit, key)
    elif goes:
        message = f'"{removal.table}" has no key: a backup could not say which row a value belongs to'
        hint = "give it a primary key, or a unique index of NOT NULL columns, then `transhume snapshot`"
        yield Diagnostic("E620", message, removal.table.span, "has no key", hint)


def _other_keys(
    removal: Removal, relation: Relation, inherit: Sequence[Relation], key: Sequence[Column]
) -> Iterator[Diagnostic]:  # fmt: skip
    names = ", ".join(f'"{column.name}"' for column in key)
    for child in inherit:
        if lacks(child, key, [word.text for word in removal.columns]):
            of = f'the child "{child.qualified}" of "{removal.table}"'
            message = f"{of} has no key over {names}: its rows cannot be told apart"
            hint = f'give it a primary key, or a unique index, over the columns of that of "{relation.qualified}"'
            yield Diagnostic("E620", message, removal.table.span, "has a child without its key", hint)


def _column_stays(word: Word, relation: Relation) -> Iterator[Diagnostic]:
    column = relation.column(word.text)
    if relation.primary_key and word.text in relation.primary_key.columns:
        message = f'column "{word}" is part of the primary key of "{relation.qualified}"'
        yield Diagnostic("E621", message, word.span, "in the primary key", "move the key to other columns first")
    if relation.partition_by and _names(relation.partition_by, [word.text]):
        message = f'column "{word}" is in the partition key of "{relation.qualified}"'
        yield Diagnostic("E621", message, word.span, "in the partition key", "PostgreSQL drops no such column")
    if column is not None and (column.generated or column.identity):
        kind = "generated" if column.generated else "an identity"
        message = f'column "{word}" is {kind}: its values are the database\'s own, and no backup brings them back'
        yield Diagnostic("E621", message, word.span, f"is {kind}", "drop it by a migration of your own")
    for other in relation.columns:
        if other.generated and _names(other.generated, [word.text]) and other.name != word.text:
            message = f'column "{other.name}" is generated from "{word}"'
            yield Diagnostic("E621", message, word.span, "is generated from", f'remove "{other.name}" first')


def _nothing_for_new_rows(removal: Removal, relation: Relation) -> Iterator[Diagnostic]:
    """A column that is NOT NULL comes back for rows that never had a value, too."""
    for word in removal.columns:
        column = relation.column(word.text)
        fill = removal.new_rows == "default" and column is not None and column.default is not None
        if column is not None and not column.null and not fill and removal.new_rows in ("default", "null"):
            of = f' of the child "{relation.qualified}"' if relation.parents else ""
            message = f'column "{word}"{of} is NOT NULL, and rows that come after the drop would get nothing'
            hint = f'say what a restore gives them: "on_restore: {{new_rows: {{{word}: ...}}}}", or "refuse"'
            yield Diagnostic("E622", message, word.span, "NOT NULL", hint)


def _gone(column: Column, removal: Removal) -> Gone:
    given = {name.text: sql.text for name, sql in removal.expressions}
    fill = column.default if removal.new_rows == "default" else given.get(column.name)
    constant = None
    if column.default is None:
        constant = Sql("NULL")
    elif _CONSTANT.fullmatch(column.default):
        constant = Sql(column.default)
    hidden = fits(f"{HIDDEN}{column.name}") if removal.hide == "rename" else column.name
    return Gone(column, hidden, constant, Sql(fill) if fill is not None else None)


def _indexed(definition: str) -> str:
    """What an index is over, of its CREATE INDEX: what stands behind the table's name."""
    return definition.partition(" USING ")[2] or definition.partition("(")[2]


def _names(definition: str, columns: Sequence[str]) -> bool:
    """Whether SQL as the server writes it names one of the columns."""
    wanted = {str(ident(name)) for name in columns}
    return any(token in wanted for token in _TOKEN.findall(definition))
