"""Protected columns: refused before anything else, with the reason and what uses them, whichever way they would go.

A column under `protect:` is one of a target table that is filled, of a table that is in the target, or of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from compiler import names
from compiler.accounting import covers
from compiler.catalog import Catalog, Relation
from compiler.catalog_uses import Uses
from compiler.diagnostics import Diagnostic, Span, SpecError, known_here
from compiler.names import Name
from compiler.resolve_table import Draft
from compiler.spec import Copy, Expression, Project, Reason, Recode, Spec, Table, Word
from compiler.spec import Mapping as SpecMapping
from compiler.types import read_type
from compiler.world import Here, World, moved

CODE = "E605"
Used = Mapping[Name, AbstractSet[str]]


@dataclass(frozen=True, slots=True)
class Protected:
    """A protected column; `target` and `source` are the tables that may be meant, there or not."""

    reason: Reason
    column: str
    target: Name
    source: Name


def protected(project: Project) -> Iterator[Protected]:
    """The columns under `protect:`."""
    for reason in project.protect:
        *path, column = names.split(reason.name.text)
        table = names.join(tuple(path))
        try:
            target = names.qualify(table, project.target.schema)
            source = names.qualify(table, project.source.schema)
        except ValueError:
            continue  # found where the project was read
        yield Protected(reason, column, target, source)


def refused(
    one: Protected, span: Span, label: str, todo: str, uses: Iterable[Uses], what: str = "would be lost"
) -> Diagnostic:
    """The refusal of one way in which a protected column would go; `todo` is what to do instead."""
    why = f"it is protected because {one.reason.because} ({one.reason.name.span})"
    found = _together(one.column, uses).counts()
    hint = f"{why}\nthe catalog knows of {found}\n{todo}" if found else f"{why}; {todo}"
    return Diagnostic(CODE, f'protected column "{one.reason.name}" {what}', span, label, hint)


def _together(column: str, uses: Iterable[Uses]) -> Uses:
    """The counts of several tables: those of one folder of code are the same count."""
    each = list(uses)
    code = {code.folder: code for one in each for code in one.code}
    return Uses(column, tuple(dict.fromkeys(d for one in each for d in one.dependents)), code=tuple(code.values()))


# A project's own plan: what it does not fill, or fills with something else.


def unfilled(
    spec: Spec, world: World, drafts: Mapping[str, Draft], readers: Mapping[Name, Sequence[Table]], used: Used | None
) -> Iterator[Diagnostic]:
    """Protected columns that no table fills as they are. Without `used` nothing is said of the source's columns."""
    tables = {_qualified(table, world.project): table for table in spec.tables}
    heres = {here.target: here for here in world.tables.values()}
    for one in protected(world.project):
        if (table := tables.get(one.target)) is not None:
            here = heres.get(one.target)
            yield from _target(one, table, here, drafts.get(here.id) if here else None, world)
        elif (relation := _there(world.source, one.source, one.column)) is not None:
            if used is not None:
                yield from _source(one, relation, readers.get(relation.qualified, ()), used, world)
        elif _there(world.target, one.target, one.column) is None:
            yield _unknown(one, world, tables.values())


def _qualified(table: Table, project: Project) -> Name | None:
    try:
        return names.qualify(table.name.text, project.target.schema)
    except ValueError:
        return None


def _there(catalog: Catalog, name: Name, column: str) -> Relation | None:
    relation = catalog.find(name.schema, name.name)
    return relation if relation is not None and relation.column(column) is not None else None


def _target(
    one: Protected, table: Table, here: Here | None, draft: Draft | None, world: World
) -> Iterator[Diagnostic]:  # fmt: skip
    mapping = next((mapping for mapping in table.mappings if mapping.target.text == one.column), None)
    uses = list(_uses(one, world, here, draft))
    if mapping is None:
        dropped = next((drop.name.span for drop in table.drop if drop.name.text == one.column), None)
        label = "dropped here" if dropped else "has no mapping for it"
        yield refused(one, dropped or table.name.span, label, "map it", uses)
    elif here is not None and draft is not None and (types := _retyped(mapping, here, draft)):
        span = mapping.type.span if mapping.type else mapping.span
        what = f"would change its type from {types[0]} to {types[1]}"
        yield refused(one, span, "another type", "let it keep its type", uses, what)


def _uses(one: Protected, world: World, here: Here | None, draft: Draft | None) -> Iterator[Uses]:
    """What the catalogs know: of the column itself, and of the source's column that fills it."""
    copied = {column.copies for column in draft.columns if column.name == one.column} if draft else set[str]()
    for catalog, name in ((world.target, one.target), (world.source, one.source)):
        relation = catalog.find(name.schema, name.name)
        if relation is not None and (found := relation.uses_of(one.column)):
            yield found
    for name in here.source.relations if here else ():
        relation = world.source.find(name.schema, name.name)
        yield from (uses for uses in (relation.uses if relation else ()) if uses.column in {one.column, *copied})


def _retyped(mapping: SpecMapping, here: Here, draft: Draft) -> tuple[str, str] | None:
    """The type that the source's column has, and the other one that the target's gets."""
    name = _read_by(mapping)
    source = here.source.columns.get(name)
    bound = next((column for column in draft.columns if column.name == mapping.target.text), None)
    if source is None or bound is None:
        return None
    try:
        before = moved(mapping, here, source.type)
    except SpecError:
        return None  # told where the column was resolved
    return (source.type, bound.type) if read_type(bound.type) != before else None


def _read_by(mapping: SpecMapping) -> str:
    """The column that a mapping copies; of a recoded or computed one, the column of the same name."""
    match mapping.how:
        case Copy():
            return mapping.how.source.text
        case Recode() if mapping.how.source.text == mapping.target.text:
            return mapping.target.text
        case Expression() if re.search(rf"\b{re.escape(mapping.target.text)}\b", mapping.how.sql.text):
            return mapping.target.text
    return ""


def _source(
    one: Protected, relation: Relation, readers: Sequence[Table], used: Used, world: World
) -> Iterator[Diagnostic]:  # fmt: skip
    uses = [found] if (found := relation.uses_of(one.column)) else []
    if not readers:
        skip = next((skip for skip in world.project.skip if covers(skip, relation.qualified, world.project)), None)
        span, label = (skip.name.span, "skipped here") if skip else (one.reason.name.span, "protected here")
        yield refused(one, span, label, "migrate its table, and map it", uses)
    elif one.column not in used.get(relation.qualified, frozenset()):
        drops = (drop.name.span for table in readers for drop in table.drop if drop.name.text == one.column)
        dropped = next(drops, None)
        span, label = (dropped, "dropped here") if dropped else (one.reason.name.span, "protected here")
        yield refused(one, span, label, "map it", uses)


def _unknown(one: Protected, world: World, tables: Iterable[Table]) -> Diagnostic:
    text = one.reason.name.text
    table = text.removesuffix(f".{names.join((one.column,))}")
    relation = world.source.find(one.source.schema, one.source.name)
    relation = relation or world.target.find(one.target.schema, one.target.name)
    columns = [f"{table}.{other.name}" for other in relation.columns] if relation else []
    known = columns or [f"{other.name}.{one.column}" for other in tables]
    message = f'protect: there is no column "{text}", in a target table or in the source'
    return Diagnostic("E606", message, one.reason.name.span, "unknown column", known_here(text, known))


# Removals.


def removed(spec: Spec, source: Catalog, target: Catalog) -> Iterator[Diagnostic]:
    """Protected columns that a removal takes, by name or with their whole table."""
    for removal in spec.removals:
        for one in protected(spec.project):
            database, table = (source, one.source) if removal.on == "source" else (target, one.target)
            if names.qualify(removal.table.text, table.schema) != table:
                continue
            spans = [word.span for word in removal.columns if word.text == one.column]
            for span in spans if removal.columns else [removal.table.span]:
                uses = _known(one, database, table, spec, source)
                yield refused(one, span, "removed here", "take it out of the removal", uses, "would be removed")


def _known(one: Protected, database: Catalog, table: Name, spec: Spec, source: Catalog) -> Iterator[Uses]:
    """What the catalogs know: of the column itself, and of the source's column of that name that fills it."""
    relation = database.find(table.schema, table.name)
    if relation is not None and (found := relation.uses_of(one.column)):
        yield found
    filled = next((each for each in spec.tables if _qualified(each, spec.project) == table), None)
    text = (filled.source.text if isinstance(filled.source, Word) else filled.source.sql.text) if filled else ""
    for relation in source.relations if database is not source else ():
        if (found := relation.uses_of(one.column)) and re.search(rf"(?<!\w){re.escape(relation.name)}(?!\w)", text):
            yield found
