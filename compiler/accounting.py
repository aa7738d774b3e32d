"""Nothing is lost by forgetting it: every source column is mapped or dropped, every table migrated or skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from compiler import names
from compiler.catalog import Catalog, Relation
from compiler.diagnostics import Diagnostic, Span, known_here
from compiler.names import Name
from compiler.spec import Project, Reason, Table, Word

TABLES = ("table", "partitioned table", "foreign table")
Used = Mapping[Name, AbstractSet[str]]


def account(
    project: Project, readers: Mapping[Name, Sequence[Table]], used: Used, source: Catalog
) -> Iterator[Diagnostic]:
    """What nobody accounts for, and what is dropped or skipped wrongly.

    `readers` are the specs that read a source relation, `used` the columns of it that any of them does something with.
    """
    for name, tables in readers.items():
        if relation := source.find(name.schema, name.name):
            yield from _columns(relation, tables, used.get(name, frozenset()))
    yield from _tables(project, readers, source)
    yield from _skips(project, readers, source)


def _columns(relation: Relation, tables: Sequence[Table], used: AbstractSet[str]) -> Iterator[Diagnostic]:
    """Several specs may read one table: a column that one of them uses is accounted for."""
    dropped = {reason.name.text for table in tables for reason in table.drop}
    # A generated column holds nothing that the columns beside it do not.
    loose = [c.name for c in relation.columns if c.name not in used | dropped and c.generated is None]
    for name in loose:
        yield Diagnostic(
            "E601",
            f'column "{name}" of source table "{relation.name}" is neither mapped nor dropped',
            _place_of(tables[0]),
            label=f"has a column {name}",
            hint=f"map it, or name it with a reason: drop: {{{name}: ...}}",
        )


def _place_of(table: Table) -> Span:
    return table.source.span if isinstance(table.source, Word) else table.source.sql.span


def _tables(project: Project, readers: Mapping[Name, Sequence[Table]], source: Catalog) -> Iterator[Diagnostic]:
    for relation in source.relations:
        name = relation.qualified
        if relation.kind not in TABLES or name in readers or _skipped(project, name):
            continue
        above = list(_ancestors(relation, source))
        read = [parent for parent in above if any(map(_with_children, readers.get(parent, ())))]
        if read or any(_skipped(project, parent) for parent in above):
            yield from _below(relation, read, readers, source, project)
            continue
        shown = _shown(name, project)
        yield Diagnostic(
            "E602",
            f'source table "{shown}" is neither migrated nor skipped',
            project.name.span,
            label=f"says nothing of {shown}",
            hint=f"write a spec that reads it, or name it with a reason: skip: {{{shown}: ...}}",
        )


def _with_children(table: Table) -> bool:
    """A table is read with its partitions and INHERITS children, unless a query says ONLY, of whichever table."""
    return isinstance(table.source, Word) or not re.search(r"\bonly\b", table.source.sql.text, re.IGNORECASE)


def _below(
    relation: Relation,
    above: Sequence[Name],
    readers: Mapping[Name, Sequence[Table]],
    source: Catalog,
    project: Project,
) -> Iterator[Diagnostic]:
    """The columns that an INHERITS child has and the tables lack through which it is read."""
    known = {column.name for name in above if (found := source.find(*_parts(name))) for column in found.columns}
    shown = _shown(relation.qualified, project)
    for column in relation.columns if above else ():
        if column.name not in known and column.generated is None:
            yield Diagnostic(
                "E601",
                f'column "{column.name}" of source table "{relation.name}", read through "{above[0].name}", is lost',
                _place_of(readers[above[0]][0]),
                label=f"has no column {column.name}",
                hint="read each table by itself, `from: {sql: select ... from only ..., key: ...}`,"
                f" or say that its own columns stay behind: skip: {{{shown}: ...}}",
            )


def _parts(name: Name) -> tuple[str, str]:
    return name.schema, name.name


def _ancestors(relation: Relation, source: Catalog) -> Iterator[Name]:
    """The tables that it is a partition or an INHERITS child of: reading one of them reads it too."""
    for parent in relation.parents:
        yield parent
        if above := source.find(parent.schema, parent.name):
            yield from _ancestors(above, source)


def _skipped(project: Project, name: Name) -> bool:
    return any(covers(reason, name, project) for reason in project.skip)


def covers(reason: Reason, name: Name, project: Project) -> bool:
    """Whether a skipped name means the table: `django_*` means every one that begins so.

    A name without a schema is of the project's.
    """
    *schema, pattern = names.split(reason.name.text)
    begins = pattern.endswith("*") and name.name.startswith(pattern.removesuffix("*"))
    return (begins or name.name == pattern) and name.schema == (schema[0] if schema else project.source.schema)


def _skips(project: Project, readers: Mapping[Name, Sequence[Table]], source: Catalog) -> Iterator[Diagnostic]:
    known = [relation.qualified for relation in source.relations]
    for reason in project.skip:
        covered = [name for name in known if covers(reason, name, project)]
        if not covered:
            yield Diagnostic(
                "E603",
                f'skip: the source has no table "{reason.name}"',
                reason.name.span,
                label="unknown table",
                hint=known_here(reason.name.text, (_shown(name, project) for name in known)),
            )
        elif not reason.name.text.endswith("*") and covered[0] in readers:
            spec = readers[covered[0]][0]
            yield Diagnostic(
                "E604",
                f'source table "{reason.name}" is skipped, and read by "{spec.name}" ({spec.span})',
                reason.name.span,
                label="skipped here",
                hint="take it out of skip:, or delete the spec",
            )


def _shown(name: Name, project: Project) -> str:
    return names.join((name.name,)) if name.schema == project.source.schema else str(name)
