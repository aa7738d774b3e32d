"""The columns that a SELECT gives: names, types, and what they read, as far as the source's catalog tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from compiler.catalog import Catalog, Relation
from compiler.expressions import SYSTEM
from compiler.infer import alike, infer
from compiler.names import Name
from compiler.types import TypeName, read_type

Origin = tuple[Name, str]


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query; `type` is None where it cannot be told, `origin` the table's column that it is, if any.

    An expression without a name has `name` "" and is `shown` in messages.
    """

    name: str
    type: TypeName | None
    null: bool
    origin: Origin | None = None
    shown: str = ""


class UnclearError(Exception):
    """A query whose columns cannot be told; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a query gives, every column of a relation that it reads, and those it names that nothing has."""

    outputs: tuple[Output, ...]
    used: Mapping[Name, frozenset[str]]
    missing: tuple[exp.Column, ...]


def columns_of(tree: exp.Query, catalog: Catalog, schema: str) -> Columns:
    """The columns of a query whose names are as stored. Raises UnclearError."""
    reading = _Reading(catalog, schema)
    outputs: tuple[Output, ...] = ()
    for scope in traverse_scope(tree):
        outputs = tuple(reading.scope(scope))
        reading.outputs[id(scope)] = outputs
    if unnamed := next((output for output in outputs if not output.name), None):
        raise UnclearError(f"give {unnamed.shown} a name: ... AS name")
    used: dict[Name, set[str]] = {}
    for name, column in reading.used:
        used.setdefault(name, set()).add(column)
    return Columns(outputs, {name: frozenset(found) for name, found in used.items()}, tuple(reading.missing.values()))


@dataclass(frozen=True, slots=True)
class _Reading:
    catalog: Catalog
    schema: str
    outputs: dict[int, tuple[Output, ...]] = field(default_factory=dict)
    used: set[Origin] = field(default_factory=set)
    missing: dict[int, exp.Column] = field(default_factory=dict)

    def scope(self, scope: Scope) -> Iterator[Output]:
        """The outputs of one SELECT, or of a UNION of scopes that were read before."""
        if scope.set_operation_scopes:
            yield from self._union([self.outputs[id(part)] for part in scope.set_operation_scopes])
            return
        sources = dict(self._sources(scope))
        self._merged(scope.expression, sources)
        for column in scope.columns:
            if not isinstance(column.this, exp.Star) and column.find_ancestor(exp.Select) is scope.expression:
                self._find(column, scope, sources)
        if isinstance(scope.expression, exp.Query):
            for node in scope.expression.selects:
                yield from self._selected(node, scope, sources)

    def _union(self, parts: Sequence[tuple[Output, ...]]) -> Iterator[Output]:
        for outputs in zip(*parts, strict=False):
            type = alike(output.type for output in outputs)
            yield Output(outputs[0].name, type, any(output.null for output in outputs))

    def _sources(self, scope: Scope) -> Iterator[tuple[str, tuple[Output, ...] | None]]:
        """By alias, in the order written; None for what gives columns that the catalog does not know."""
        padded = _padded(scope.expression)
        for alias, (_, source) in scope.selected_sources.items():
            outputs = self.outputs.get(id(source)) if isinstance(source, Scope) else self._table(source)
            if outputs is not None and (alias in padded or None in padded):
                outputs = tuple(replace(output, null=True) for output in outputs)
            yield alias, outputs

    def _table(self, table: exp.Expr) -> tuple[Output, ...] | None:
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            return None
        relation = self.catalog.find(table.db or self.schema, table.name)
        renamed = table.args["alias"].columns if table.args.get("alias") else []
        return None if relation is None or renamed else tuple(self._relation(relation))

    def _relation(self, relation: Relation) -> Iterator[Output]:
        for column in relation.columns:
            yield Output(column.name, read_type(column.type), column.null, (relation.qualified, column.name))

    def _find(self, column: exp.Column, scope: Scope, sources: Mapping[str, tuple[Output, ...] | None]) -> Output:
        """What a column is; it counts as read. Of a query around it, where none of this one has it."""
        unknown = Output(column.name, None, True)
        for alias, outputs in sources.items():
            if column.table and column.table != alias:
                continue
            if outputs is None:
                return unknown
            if found := next((output for output in outputs if output.name == column.name), None):
                if found.origin:
                    self.used.add(found.origin)
                return found
        if scope.parent is not None:
            return self._find(column, scope.parent, dict(self._sources(scope.parent)))
        if column.name not in SYSTEM and column.name not in _aliases(column) and _all_known(column):
            self.missing[id(column)] = column
        return unknown

    def _merged(self, query: exp.Expr, sources: Mapping[str, tuple[Output, ...] | None]) -> None:
        """What USING compares is read on both sides."""
        shared = _shared(query)
        found = (output for outputs in sources.values() for output in outputs or () if output.name in shared)
        self.used.update(output.origin for output in found if output.origin)

    def _selected(
        self, node: exp.Expr, scope: Scope, sources: Mapping[str, tuple[Output, ...] | None]
    ) -> Iterator[Output]:
        inner = node.this if isinstance(node, exp.Alias) else node
        if isinstance(inner, exp.Star) or (isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)):
            yield from self._all(inner, scope, sources)
        elif isinstance(inner, exp.Column):
            yield replace(self._find(inner, scope, sources), name=node.alias_or_name)
        else:
            name = node.alias or (inner.this.name if isinstance(inner, exp.Cast) else "")
            type = infer(inner, lambda column: self._find(column, scope, sources).type)
            yield Output(name, type, True, shown="" if name else _short(inner))

    def _all(self, star: exp.Expr, scope: Scope, sources: Mapping[str, tuple[Output, ...] | None]) -> Iterator[Output]:
        wanted = star.args.get("table")
        shared = _shared(scope.expression)
        seen: set[str] = set()
        for alias, outputs in sources.items():
            if wanted is not None and wanted.name != alias:
                continue
            if outputs is None:
                raise UnclearError(f'name the columns of "{alias}": the catalog does not know what * stands for')
            for output in outputs:
                if output.name in shared & seen and wanted is None:
                    continue
                seen.add(output.name)
                if output.origin:
                    self.used.add(output.origin)
                yield output


def _short(node: exp.Expr) -> str:
    shown = node.sql(dialect="postgres")
    return shown if len(shown) < 40 else "each computed column"


def _aliases(column: exp.Column) -> set[str]:
    """The names that ORDER BY and GROUP BY may use for what is selected."""
    clause = column.find_ancestor(exp.Order, exp.Group, exp.Distinct)
    query = clause.find_ancestor(exp.Query) if clause else None
    return {node.alias for node in query.selects} if query else set()


def _all_known(column: exp.Column) -> bool:
    """Every FROM item around the column is a table or a query: a function may give any column."""
    query = column.find_ancestor(exp.Select)
    while query is not None:
        clause = query.args.get("from_")
        items = [*([clause.this] if clause else []), *(join.this for join in query.args.get("joins") or ())]
        if query.args.get("laterals") or not all(map(_is_known, items)):
            return False
        query = query.find_ancestor(exp.Select)
    return True


def _is_known(item: exp.Expr) -> bool:
    return isinstance(item, exp.Subquery) or (isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier))


def _padded(query: exp.Expr) -> set[str | None]:
    """The aliases whose columns an outer join may leave NULL; None stands for all of them."""
    found: set[str | None] = set()
    for join in query.args.get("joins") or ():
        side = str(join.args.get("side") or "").upper()
        if side == "LEFT":
            found.add(join.this.alias_or_name)
        elif side:
            found.add(None)
    return found


def _shared(query: exp.Expr) -> set[str]:
    """The columns that USING merges: * names them once."""
    joins = query.args.get("joins") or ()
    if any(str(join.args.get("method") or "").upper() == "NATURAL" for join in joins):
        raise UnclearError("write NATURAL JOIN as JOIN ... USING (...): tables change, and it changes with them")
    return {name.name for join in joins for name in join.args.get("using") or ()}
