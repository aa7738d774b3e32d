"""Spec + catalogs -> Resolved: every name means something, every value is SQL, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from compiler import accounting, protect
from compiler.bound import BoundTable, NewType, Resolved
from compiler.catalog import Catalog, Relation
from compiler.diagnostics import Diagnostic, Span, SpecError, did_you_mean, in_order
from compiler.names import Name, qualify
from compiler.partitions import partitions
from compiler.queries import Side
from compiler.removals.bound import BoundRemoval
from compiler.removals.made import made
from compiler.removals.resolve import resolve_removals
from compiler.resolve_columns import Columns
from compiler.resolve_rest import bind
from compiler.resolve_table import Draft, draft
from compiler.sources import read_source, source_side
from compiler.spec import Query, Spec, Table
from compiler.type_space import TypeSpace, shown
from compiler.world import Here, World, noting

_FILLED = ("table", "partitioned table")


def resolve(spec: Spec, source: Catalog, target: Catalog) -> Resolved:
    """Give every name of the specs its meaning. Raises SpecError with everything that is wrong, warnings among it."""
    project = spec.project
    world = World(project, source, target, TypeSpace(project, source, target))
    problems: list[Diagnostic] = []
    _read_sources(spec, world, problems)
    drafts = _drafts(world, problems)
    problems += _account(spec, world, drafts)
    _refuse_protected(problems)
    tables = _tables(world, drafts, problems)
    problems += _names(tables, target)
    removals: tuple[BoundRemoval, ...] = ()
    with noting(problems):
        removals = resolve_removals(spec, source, target, [made(table) for table in tables if table.create])
    if problems:
        raise SpecError(in_order([*problems, *world.warnings]))
    assert len(tables) == len(spec.tables), "a table was left out without a word"
    types = world.types.moving()
    return Resolved(
        project=project,
        source=source,
        target=target,
        databases=1 if world.one_database else 2,
        tables=tables,
        types=types,
        schemas=_new_schemas(tables, types, target),
        warnings=tuple(in_order(world.warnings)),
        digest=spec.digest,
        removals=removals,
    )


def _refuse_protected(problems: Sequence[Diagnostic]) -> None:
    """Where a protected column would go, nothing else is worth saying."""
    if lost := [problem for problem in problems if problem.code == protect.CODE]:
        raise SpecError(in_order(lost))


def _read_sources(spec: Spec, world: World, problems: list[Diagnostic]) -> None:
    schema = world.project.target.schema
    for table in spec.tables:
        target = qualify(table.name.text, schema)
        id = shown(target, schema)
        with noting(problems):
            existing = _existing(table, target, world)
            source = read_source(table, world.project, world.source, world.types)
            world.tables[id] = Here(world, table, id, target, source, existing)
        if id not in world.tables:
            world.broken.add(id)


def _existing(table: Table, target: Name, world: World) -> Relation | None:
    """The target's table, where `create: false` says that it is there. Raises SpecError."""
    found = world.target.find(target.schema, target.name)
    if table.create and found is not None:
        message = f'{found.kind} "{table.name}" is in the target already'
        hint = "fill it as it is: create: false; or skip it"
        raise SpecError([Diagnostic("E318", message, table.name.span, "cannot be created", hint)])
    if table.create:
        return None
    if found is None or found.kind not in _FILLED:
        schema = world.project.target.schema
        known = (shown(each.qualified, schema) for each in world.target.relations if each.kind in _FILLED)
        message = f'table "{table.name}" is not in the catalog of the target, and "create" is false'
        hint = did_you_mean(table.name.text, known) or "`transhume snapshot` writes the catalog anew"
        raise SpecError([Diagnostic("E312", message, table.name.span, "unknown table", hint)])
    return found


def _drafts(world: World, problems: list[Diagnostic]) -> dict[str, Draft]:
    columns, found = Columns(), dict[str, Draft]()
    for id, here in world.tables.items():
        with noting(problems):
            found[id] = draft(here, columns)
    return found


def _tables(world: World, drafts: Mapping[str, Draft], problems: list[Diagnostic]) -> tuple[BoundTable, ...]:
    source, target = source_side(world.project, world.source), _target_side(world)
    found: list[BoundTable] = []
    for each in drafts.values():
        with noting(problems):
            found.append(bind(each, source, target))
    return tuple(found)


def _target_side(world: World) -> Side:
    """The target as comparisons see it: with the tables that the plan creates."""
    created = dict.fromkeys(here.target for here in world.tables.values())
    return Side(
        "target", world.project.target.schema, world.target.server,
        lambda name: name in created or world.target.find(name.schema, name.name) is not None,
        lambda: iter([*created, *(relation.qualified for relation in world.target.relations)]),
    )  # fmt: skip


def _account(spec: Spec, world: World, drafts: Mapping[str, Draft]) -> Iterator[Diagnostic]:
    """Every source column and table is accounted for, and no protected one is lost."""
    readers: dict[Name, list[Table]] = {}
    used: dict[Name, set[str]] = {}
    if world.broken:
        yield from protect.unfilled(spec, world, drafts, readers, None)
        return
    for id, here in world.tables.items():
        for name in here.source.relations:
            relation = world.source.find(name.schema, name.name)
            if relation is None or (here.source.query is not None and relation.kind not in accounting.TABLES):
                continue  # a view in a query: its tables are accounted for by themselves
            readers.setdefault(name, []).append(here.table)
            used.setdefault(name, set()).update(_used(here, relation, drafts.get(id)))
        if id in drafts and isinstance(here.table.source, Query):
            yield from _query_columns(here, drafts[id], here.table.source.sql.span)
    yield from accounting.account(spec.project, readers, used, world.source)
    yield from protect.unfilled(spec, world, drafts, readers, used)


def _used(here: Here, relation: Relation, found: Draft | None) -> Iterable[str]:
    """The columns of a relation that a table does something with: all of them while its columns are in error."""
    if here.source.query is not None:
        return here.source.used.get(relation.qualified, frozenset())
    if found is None:
        return [column.name for column in relation.columns]
    kept = [column.name for column in here.source.keyset] if here.table.key else []  # by a column, or by the map
    return [*found.reads, *kept]


def _query_columns(here: Here, found: Draft, span: Span) -> Iterator[Diagnostic]:
    accounted = {*found.reads, *(reason.name.text for reason in here.table.drop)}
    for name in here.source.columns:
        if name not in accounted and not any(name == column.name for column in here.source.keyset):
            message = f'column "{name}" of {here.source.what} is neither mapped nor dropped'
            hint = f"map it, take it out of the query, or name it with a reason: drop: {{{name}: ...}}"
            yield Diagnostic("E601", message, span, f"gives a column {name}", hint)


def _names(tables: Sequence[BoundTable], target: Catalog) -> Iterator[Diagnostic]:
    """Tables, partitions and indexes of a schema share one space of names."""
    taken = {relation.qualified: f'{relation.kind} "{relation.qualified}"' for relation in target.relations}
    for relation in target.relations:
        keys = [*([relation.primary_key] if relation.primary_key else []), *relation.unique]
        for name in (*(key.name for key in keys), *(index.name for index in relation.indexes)):
            taken[Name(relation.schema, name)] = f'an index of "{relation.qualified}"'
    for table in tables:
        for place, what, span in _made(table) if table.create else ():
            if place in taken:
                message = f'{what} "{place.name}" is called like {taken[place]}'
                yield Diagnostic("E321", message, span, "taken", "give it another name")
            taken.setdefault(place, f'the {what} of "{table.id}"')


def _made(table: BoundTable) -> Iterator[tuple[Name, str, Span]]:
    yield table.target, "table", table.span
    for part in partitions(table):
        yield part.name, "partition", table.partition.span if table.partition else table.span
    for index in table.indexes:
        yield Name(table.target.schema, index.name), "index", index.span or table.span


def _new_schemas(tables: Sequence[BoundTable], types: Sequence[NewType], target: Catalog) -> tuple[str, ...]:
    """The schemas that the target lacks."""
    wanted = {table.target.schema for table in tables if table.create} | {new.name.schema for new in types}
    return tuple(sorted(wanted - set(target.schemas)))
