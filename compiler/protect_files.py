"""Protected columns in the SQL files of a project: statements that drop, rename or change them, views without them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from compiler import names
from compiler.catalog import Catalog
from compiler.catalog_uses import Uses
from compiler.diagnostics import Diagnostic, Span
from compiler.names import Name
from compiler.protect import Protected, protected, refused
from compiler.spec import Spec

if TYPE_CHECKING:
    from compiler.protect_sql import Loss, View

VIEWS = ("view", "materialized view")
DONE = {"drops": "dropped", "renames": "renamed", "moves": "moved away", "changes the type of": "given another type"}
Tables = Mapping[Name, Uses | None]


def in_files(files: Mapping[str, str], spec: Spec, source: Catalog, target: Catalog) -> Iterator[Diagnostic]:
    """What the files, texts by the names that messages use, would do to protected columns."""
    if not spec.project.protect or not files:
        return
    from compiler.protect_sql import View, statements  # here: it brings sqlglot

    columns = [(one, dict(_tables(one, spec, source, target))) for one in protected(spec.project)]
    for file, text in files.items():
        for made in statements(text):
            span = _span(file, text, made.at, made.length)
            for one, tables in columns:
                if isinstance(made, View):
                    yield from _hidden(made, one, tables, span)
                else:
                    yield from _lost(made, one, tables, span)


def _lost(made: Loss, one: Protected, tables: Tables, span: Span) -> Iterator[Diagnostic]:
    if made.column in ("", one.column) and any(_means(made.schema, made.table, name) for name in tables):
        uses = [found for found in tables.values() if found]
        yield refused(one, span, f"{made.does} it", "take the statement out", uses, f"would be {DONE[made.does]}")


def _hidden(made: View, one: Protected, tables: Tables, span: Span) -> Iterator[Diagnostic]:
    uses = [found for found in tables.values() if found and _reads(found, made.schema, made.name)]
    if uses and not made.star and one.column not in made.names:
        what = f'would be hidden by view "{made.name}", which reads it today'
        yield refused(one, span, "does not name it", "keep the column in the view", uses, what)


def _tables(one: Protected, spec: Spec, source: Catalog, target: Catalog) -> Iterator[tuple[Name, Uses | None]]:
    """The tables that have the column, and what uses it there."""
    for catalog, name in ((target, one.target), (source, one.source)):
        relation = catalog.find(name.schema, name.name)
        if relation is not None and relation.column(one.column):
            yield name, relation.uses_of(one.column)
    filled = {names.qualify(table.name.text, spec.project.target.schema) for table in spec.tables}
    if one.target in filled and target.find(one.target.schema, one.target.name) is None:
        yield one.target, None


def _means(schema: str, table: str, name: Name) -> bool:
    """Whether a statement about a table, or about a whole schema, is about this one."""
    return table in ("", name.name) and schema in ("", name.schema) and bool(schema or table)


def _reads(uses: Uses, schema: str, view: str) -> bool:
    """Whether the view reads the column as it is today."""
    for dependent in uses.dependents:
        kind = next((kind for kind in VIEWS if dependent.name.startswith(f"{kind} ")), None)
        if kind and dependent.effect == "refuses":
            there = names.split(dependent.name.removeprefix(f"{kind} "))
            if there[-1] == view and schema in ("", there[0]):
                return True
    return False


def _span(file: str, text: str, at: int, length: int) -> Span:
    """The characters from `at` on, as far as they stand on one line."""
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)]
    column = at - start + 1
    return Span(file, text.count("\n", 0, at) + 1, column, max(1, min(length, len(line) + 1 - column)), line)
