"""Draft -> BoundTable: the map of its keys, its indexes, checks and partitions, and the spec's own comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from compiler.bound import BoundColumn, BoundComparison, BoundIndex, BoundTable, MapTable
from compiler.check_guards import with_guard
from compiler.choices import with_told
from compiler.diagnostics import Diagnostic, Span, SpecError, known_here
from compiler.expressions import Scalar, Scope, scalar
from compiler.indexes import indexes_of_created, indexes_of_existing, is_meant
from compiler.layout import unique
from compiler.names import qualify
from compiler.queries import Side, select
from compiler.resolve_partition import check_partition
from compiler.resolve_table import Draft
from compiler.spec import Identity, Index, Word
from compiler.sql import Sql
from compiler.type_space import shown
from compiler.types import BOOLEAN, read_type
from compiler.world import Here, noting


@dataclass(slots=True)
class Rest:
    """What a table has beside its columns, as it is found; `problems` is what is wrong."""

    problems: list[Diagnostic]
    columns: tuple[BoundColumn, ...]
    indexes: tuple[BoundIndex, ...] = ()
    checks: list[tuple[str, Sql]] = field(default_factory=list)
    verify: list[BoundComparison] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    legacy_key: tuple[str, ...] = ()
    map_table: MapTable | None = None


def bind(found: Draft, source: Side, target: Side) -> BoundTable:
    """The whole table; `source` and `target` are the databases that comparisons ask. Raises SpecError."""
    rest = Rest([*_owned_by_target(found.here), *check_partition(found)], found.columns)
    with noting(rest.problems):
        rest.columns = tuple(with_told(bound, found) for bound in rest.columns)
    _indexes(found, rest)
    _checks(found, rest)
    _comparisons(found.here, rest, source, target)
    _after(found.here, rest)
    rest.legacy_key = _legacy_key(found)
    with noting(rest.problems):
        rest.map_table = _map_table(found, rest.legacy_key)
    if rest.problems:
        raise SpecError(rest.problems)
    return _table(found, rest)


def _table(found: Draft, rest: Rest) -> BoundTable:
    here, table, own = found.here, found.here.table, found.here.source
    return BoundTable(
        id=here.id,
        target=here.target,
        source=own.relation.qualified if own.relation else None,
        relation=own.relation,
        query=own.query,
        keyset=own.keyset,
        reads=(*(each for each in own.columns.values() if each.name in found.mapped), *here.named.values()),
        columns=rest.columns,
        key=tuple(word.text for word in table.key),
        legacy_key=rest.legacy_key,
        where=found.filter,
        map_table=rest.map_table,
        indexes=rest.indexes,
        checks=tuple(rest.checks),
        partition=table.partition,
        verify=tuple(rest.verify),
        after=tuple(rest.after),
        rows=own.rows,
        rejected=table.rejected or here.world.project.limits.rejected or "0",
        chunk=table.chunk,
        create=table.create,
        existing=here.existing,
        sequences=here.existing.sequences if here.existing else (),
        span=table.span,
        drop=table.drop,
        relations=unique((*own.relations, *(each.named.relation for each in here.named.values() if each.named))),
        about=table.about,
        direct=table.direct,
        tree=found.tree,
    )


def _scope(found: Draft) -> Scope:
    """What checks and the predicates of indexes may name: the target's own columns."""
    here = found.here
    columns = here.existing.columns if here.existing else found.columns
    types = {column.name: read_type(column.type) for column in columns}
    return Scope(f'target table "{here.id}"', types, "", here.world.target.server)


def _condition(word: Word, scope: Scope) -> Scalar:
    made = scalar(word, scope)
    if made.type is not None and made.type != BOOLEAN:
        message = f"a condition is true or false, and this is of type {made.type}"
        raise SpecError([Diagnostic("E509", message, word.span, "no condition", "compare it with something")])
    return made


def _owned_by_target(here: Here) -> Iterator[Diagnostic]:
    """What the target's own migrations decide, where they made the table."""
    if here.existing is None:
        return
    asked = [*(check.name.span for check in here.table.checks)]
    asked += [here.table.partition.span] if here.table.partition else []
    for span in asked:
        message = f'target table "{here.id}" is there already: its own migrations say what it is like'
        yield Diagnostic("E611", message, span, "not this plan's", "take it out, or let the plan create the table")


def _checks(found: Draft, rest: Rest) -> None:
    scope = _scope(found)
    for check in found.here.table.checks:
        with noting(rest.problems):
            made = _condition(check.sql, scope)
            rest.checks.append((check.name.text, made.sql))
            rest.columns = with_guard(rest.columns, check, made, scope)


def _indexes(found: Draft, rest: Rest) -> None:
    here, scope = found.here, _scope(found)
    rest.problems += _index_columns(here, scope)
    if here.existing is not None:
        rest.problems += _index_there(here)
        rest.indexes = tuple(indexes_of_existing(here.table, here.existing))
        return
    with noting(rest.problems):
        rest.indexes = tuple(indexes_of_created(here.table, here.target, lambda word: _condition(word, scope).sql))


def _index_columns(here: Here, scope: Scope) -> Iterator[Diagnostic]:
    partition = here.table.partition
    for index in here.table.indexes:
        for word in index.columns:
            if word.text not in scope.columns:
                hint = known_here(word.text, scope.columns)
                message = f'column "{word}" does not exist in {scope.what}'
                yield Diagnostic("E313", message, word.span, "unknown column", hint)
        if partition and index.concurrently:
            yield _not_concurrently("an index of a partitioned table", index.concurrently)
        if partition and index.unique and partition.on.text not in _names(index):
            message = f'a unique index of a partitioned table has the partition column "{partition.on}" in it'
            yield Diagnostic("E508", message, index.span, "cannot be unique", f'add "{partition.on}" to the columns')


def _index_there(here: Here) -> Iterator[Diagnostic]:
    """Of an existing table, a spec says only what becomes of duplicates, and how an index is built."""
    assert here.existing is not None  # its caller
    keys = [here.existing.primary_key] if here.existing.primary_key else []
    unique = [set(key.columns) for key in (*keys, *here.existing.unique)]
    unique += [set(entry.columns) for entry in here.existing.indexes if entry.unique]
    for index in here.table.indexes:
        if index.concurrently and here.existing.kind == "partitioned table":
            yield _not_concurrently("an index of a partitioned table", index.concurrently)
        elif index.concurrently and any(is_meant(index, entry) for entry in here.existing.indexes):
            continue
        elif index.concurrently and _names(index) in unique:
            yield _not_concurrently("a primary key or a unique constraint", index.concurrently)
        elif _names(index) not in unique:
            yield _no_such_index(here, index)


def _no_such_index(here: Here, index: Index) -> Diagnostic:
    kind, said = "unique index", "here is said what becomes of duplicates"
    if index.concurrently:
        kind, said = "index", "one with a condition or an expression is meant by its `name`"
    message = f'target table "{here.id}" has no {kind} over these columns'
    hint = f"its own migrations make its indexes; {said}"
    return Diagnostic("E611", message, index.span, "no such index", hint)


def _not_concurrently(what: str, span: Span) -> Diagnostic:
    message = f"PostgreSQL cannot build {what} concurrently"
    return Diagnostic("E510", message, span, "not concurrently", "take it out: the table is locked while it is built")


def _names(index: Index) -> set[str]:
    return {word.text for word in index.columns}


def _comparisons(here: Here, rest: Rest, source: Side, target: Side) -> None:
    for comparison in here.table.verify:
        with noting(rest.problems):
            sides = select(comparison.source, source).sql, select(comparison.target, target).sql
            rest.verify.append(BoundComparison(comparison.name.text, *sides))


def _after(here: Here, rest: Rest) -> None:
    world, schema = here.world, here.world.project.target.schema
    for word in here.table.after:
        id = shown(qualify(word.text, schema), schema)
        if id not in world.tables and id not in world.broken:
            hint = known_here(word.text, world.tables)
            message = f'after: table "{word}" is not migrated by this project'
            rest.problems.append(Diagnostic("E316", message, word.span, "no spec", hint))
        rest.after.append(id)


def _legacy_key(found: Draft) -> tuple[str, ...]:
    """For each column of the source's key the target's that keeps it; nothing where one of them is not kept."""
    kept = {column.copies: column.name for column in reversed(found.columns) if column.copies}
    names = [kept.get(source.name, "") for source in found.here.source.keyset]
    return tuple(names) if all(names) else ()


def _map_table(found: Draft, legacy_key: tuple[str, ...]) -> MapTable | None:
    """Asked for, or needed: to look references up, to number rows, or because no column keeps the source's key."""
    here = found.here
    keyset, key = here.source.keyset, tuple(word.text for word in here.table.key)
    asked = sorted(here.world.asked.get(here.id, {}))
    numbered = next((m.target.text for m in here.table.mappings if isinstance(m.how, Identity)), "")
    needed = bool(asked or numbered or here.table.map_table or (keyset and not legacy_key))
    if not needed or not key:
        return None
    if not keyset and here.table.map_table:
        message = f'"map_table" needs a key in the source, and {here.source.what} has none'
        hint = "name a key in a query: from: {sql: ..., key: ...}"
        raise SpecError([Diagnostic("E507", message, here.table.name.span, "no key", hint)])
    names = dict.fromkeys([*(column.name for column in keyset), *(name for columns in asked for name in columns)])
    return MapTable(tuple(here.source.columns[name] for name in names), tuple(asked), key, numbered)
