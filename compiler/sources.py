"""What a table is filled from: a relation of the source, or a query over several; its columns and its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from compiler.bound import SourceColumn
from compiler.catalog import Catalog, Column, Relation
from compiler.diagnostics import Diagnostic, SpecError, closest, known_here
from compiler.names import Name, qualify
from compiler.queries import Side, select
from compiler.spec import Project, Query, Replies, Table, Word
from compiler.sql import Sql
from compiler.sql_text import shallow
from compiler.type_space import TypeSpace, shown
from compiler.types import TypeName, read_type

if TYPE_CHECKING:
    from sqlglot import exp

    from compiler.query_columns import Output


@dataclass(frozen=True, slots=True)
class Source:
    """The rows that fill a table. `what` names them in messages.

    `real` are the columns' own types, None where a query's cannot be told. `used` are the columns that a query reads,
    by relation, and those of a table beside the source; for a relation itself it is empty.
    """

    what: str
    relation: Relation | None
    query: Sql | None
    columns: Mapping[str, SourceColumn]
    real: Mapping[str, TypeName | None]
    keyset: tuple[SourceColumn, ...]
    relations: tuple[Name, ...]
    used: Mapping[Name, frozenset[str]]
    rows: int

    def column(self, word: Word) -> SourceColumn:
        """The column that a spec names. Raises SpecError."""
        found = self.columns.get(word.text)
        if found is None:
            message = f'column "{word}" does not exist in {self.what}'
            hint = known_here(word.text, self.columns)
            raise SpecError([Diagnostic("E311", message, word.span, "unknown column", hint)])
        if not found.type:
            hint = f"cast it in the query: ...::text AS {word}"
            message = f'the type of column "{word}" in {self.what} cannot be told'
            raise SpecError([Diagnostic("E410", message, word.span, "of which type?", hint)])
        return found

    def is_unique(self, columns: Iterable[str]) -> bool:
        """The source's catalog says that no two rows are equal in these columns."""
        wanted = frozenset(columns)
        keys = [tuple(column.name for column in self.keyset)] if self.keyset else []
        if self.relation is not None:
            keys += [key.columns for key in self.relation.unique]
            keys += [index.columns for index in self.relation.indexes if index.unique and index.columns]
        return any(wanted >= set(key) for key in keys)

    def numbers(self, column: str) -> bool:
        """The source itself numbers the column, by an identity or a sequence."""
        found = self.relation.column(column) if self.relation else None
        if found is None or self.relation is None:
            return False
        owned = any(name == column for name, _ in self.relation.sequences)
        return owned or found.identity is not None or (found.default or "").startswith("nextval(")


def read_source(table: Table, project: Project, catalog: Catalog, types: TypeSpace) -> Source:
    """The source of one table. Raises SpecError with all that is wrong in it."""
    if isinstance(table.source, Query):
        found = _query(table, table.source, project, catalog, types)
    else:
        found = _relation(table.source, project, catalog, types)
    return _with_replies(found, table, project, catalog)


def _with_replies(found: Source, table: Table, project: Project, catalog: Catalog) -> Source:
    """The source with the table beside it that says what hangs from what."""
    if table.tree is None or not isinstance(table.tree.parents, Replies):
        return found
    beside = table.tree.parents
    name = qualify(beside.table.text, project.source.schema)
    if catalog.find(name.schema, name.name) is None:
        return found  # told where it is asked for
    used = found.used.get(name, frozenset()) | {beside.child.text, beside.parent.text}
    return replace(found, relations=(*found.relations, name), used={**found.used, name: used})


def source_side(project: Project, catalog: Catalog) -> Side:
    """The source, as queries see it."""
    return Side(
        "source", project.source.schema, catalog.server,
        lambda name: catalog.find(name.schema, name.name) is not None,
        lambda: (relation.qualified for relation in catalog.relations),
    )  # fmt: skip


def _relation(word: Word, project: Project, catalog: Catalog, types: TypeSpace) -> Source:
    schema = project.source.schema
    name = qualify(word.text, schema)
    relation = catalog.find(name.schema, name.name)
    if relation is None:
        close = closest(word.text, (shown(other.qualified, schema) for other in catalog.relations))
        hint = f'did you mean "{close}"?' if close else "`transhume snapshot` writes the catalog anew"
        message = f'table "{word}" does not exist in the source'
        raise SpecError([Diagnostic("E310", message, word.span, "unknown table", hint)])
    columns = {column.name: _column(column, types) for column in relation.columns}
    keyset = tuple(columns[column] for column in _keyset(relation))
    real: dict[str, TypeName | None] = {column.name: read_type(column.type) for column in relation.columns}
    return Source(f'source "{word}"', relation, None, columns, real, keyset, (name,), {}, relation.rows)


def _column(column: Column, types: TypeSpace) -> SourceColumn:
    side = types.of_source(column.type)
    return SourceColumn(column.name, side.shown, str(side.type), column.null)


def _keyset(relation: Relation) -> tuple[str, ...]:
    """The primary key, else the shortest unique key that is never NULL."""
    if relation.primary_key:
        return relation.primary_key.columns
    filled = {column.name for column in relation.columns if not column.null}
    indexes = (index.columns for index in relation.indexes if index.unique and index.valid)
    keys = [key for key in chain((key.columns for key in relation.unique), indexes) if key and filled.issuperset(key)]
    return min(keys, key=lambda key: (len(key), key), default=())


def _query(table: Table, query: Query, project: Project, catalog: Catalog, types: TypeSpace) -> Source:
    from compiler.query_columns import UnclearError, columns_of  # sqlglot's optimizer takes 0.1 s to load

    chosen = select(query.sql, source_side(project, catalog))
    try:
        with shallow(query.sql):
            found = columns_of(chosen.tree, catalog, project.source.schema)
    except UnclearError as error:
        message = f'the columns of the query of "{table.name}" cannot be told'
        raise SpecError([Diagnostic("E410", message, query.sql.span, "", str(error))]) from None
    what = f'the query of "{table.name}"'
    names = [output.name for output in found.outputs]
    if problems := [*_missing(query.sql, found.missing), *_twice(query.sql, what, names), *_keys(query, what, names)]:
        raise SpecError(problems)
    key = [word.text for word in query.key]
    columns = {output.name: _output(output, output.name in key, types) for output in found.outputs}
    real = {output.name: output.type for output in found.outputs}
    keyset = tuple(columns[name] for name in key)
    rows = max((relation.rows for relation in catalog.relations if relation.qualified in chosen.relations), default=0)
    return Source(what, None, chosen.sql, columns, real, keyset, chosen.relations, found.used, rows)


def _output(output: Output, in_key: bool, types: TypeSpace) -> SourceColumn:
    """Of type "" where that cannot be told: no mapping may name it."""
    side = types.of_source(str(output.type)) if output.type else None
    own, travels = (side.shown, str(side.type)) if side else ("", "")
    return SourceColumn(output.name, own, travels, output.null and not in_key)


def _missing(sql: Word, columns: Iterable[exp.Column]) -> Iterator[Diagnostic]:
    for column in columns:
        start, stop = column.parts[0].meta["start"], column.parts[-1].meta["end"]
        name = ".".join(part.name for part in column.parts)
        message = f'column "{name}" does not exist in what the query reads'
        yield Diagnostic("E311", message, sql.at(start, stop - start + 1), "unknown column")


def _twice(sql: Word, what: str, names: list[str]) -> Iterator[Diagnostic]:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield Diagnostic("E410", f'{what} gives column "{name}" twice', sql.span, "", "rename one: ... AS other")


def _keys(query: Query, what: str, names: list[str]) -> Iterator[Diagnostic]:
    for word in query.key:
        if word.text not in names:
            message = f'column "{word}" does not exist in {what}'
            yield Diagnostic("E311", message, word.span, "unknown column", known_here(word.text, names))
