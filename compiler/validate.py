"""Documents -> Spec: their schemas, then what a schema cannot say; everything that is wrong, in all files, at once."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from compiler.catalog import digest
from compiler.check_table import check_table
from compiler.diagnostics import Diagnostic, SpecError
from compiler.document import Document
from compiler.names import qualify
from compiler.quick import fulfils
from compiler.read_project import read_project
from compiler.read_table import read_table
from compiler.reading import Reading
from compiler.removals.read import read_removal
from compiler.removals.spec import Removal
from compiler.schema import SchemaName
from compiler.spec import Derived, Project, Spec, Table


def validate(
    project: Document | None, tables: Sequence[Document], folder: str, removals: Sequence[Document] = (),
    files: Mapping[str, str] = MappingProxyType({}),
) -> Spec:  # fmt: skip
    """The spec of the project in `folder` (its name); `tables` and `removals` in any order. Raises SpecError.

    `files` are the SQL files beside the removals. Without a project, which could not be loaded, the tables are looked
    at all the same.
    """
    found: list[Diagnostic] = []
    whole = _project(project, folder, found) if project else None
    read = [table for document in sorted(tables, key=_file) if (table := _table(document, found)) is not None]
    gone = [one for document in sorted(removals, key=_file) if (one := _removal(document, files, found)) is not None]
    if whole is not None:
        found.extend(_check_together(whole, read))
    if project is None or whole is None or any(diagnostic.is_error for diagnostic in found):
        raise SpecError(found)
    return Spec(whole, tuple(read), _digest(folder, [project, *tables], {}), tuple(gone))


def _file(document: Document) -> str:
    return document.page.file


def _project(document: Document, folder: str, found: list[Diagnostic]) -> Project | None:
    if not _fulfils(document, "project", found):
        return None
    reading = Reading(document)
    project = read_project(reading, folder)
    found.extend(reading.found)
    return project


def _table(document: Document, found: list[Diagnostic]) -> Table | None:
    if not _fulfils(document, "table", found):
        return None
    reading = Reading(document)
    table = read_table(reading)
    found.extend(reading.found)
    found.extend(check_table(table))
    return table


def _removal(document: Document, files: Mapping[str, str], found: list[Diagnostic]) -> Removal | None:
    if not _fulfils(document, "removal", found):
        return None
    reading = Reading(document)
    removal = read_removal(reading, files)
    found.extend(reading.found)
    named = {str(one.file): files[str(one.file)] for one in removal.dependents if str(one.file) in files}
    return replace(removal, digest=_digest("", [document], named))


def _fulfils(document: Document, name: SchemaName, found: list[Diagnostic]) -> bool:
    if fulfils(name)(document.data):
        return True
    from compiler.violations import findings  # brings jsonschema, which a good spec does not need

    found.extend(findings(document, name))
    return False


def _check_together(project: Project, tables: Sequence[Table]) -> Iterator[Diagnostic]:
    yield from _one_spec_each(project, tables)
    for mapping in (mapping for table in tables for mapping in table.mappings):
        if isinstance(mapping.how, Derived) and project.ids is None:
            hint = 'add "ids: {namespace: <a new UUID>, version: 3}" to project.yaml'
            yield Diagnostic("E206", "a derived key needs the project's ids", mapping.span, "derived of what?", hint)


def _one_spec_each(project: Project, tables: Sequence[Table]) -> Iterator[Diagnostic]:
    first: dict[str, Table] = {}
    for table in tables:
        try:
            name = str(qualify(table.name.text, project.target.schema))
        except ValueError:
            continue  # found where the name was read
        if name in first:
            message = f'table "{name}" has two specs'
            hint = "fill it from one query: `from: {sql: ..., key: ...}`"
            yield Diagnostic("E305", message, table.name.span, f"the other one is {first[name].span}", hint)
        first.setdefault(name, table)


def _digest(folder: str, documents: Sequence[Document], files: Mapping[str, str]) -> str:
    """Of every spec file, by name. Line ends do not count: a checkout may turn them."""
    texts = {document.page.file.rpartition(f"{folder}/")[2]: document.page.text for document in documents}
    texts |= {f"removals/{name}": text for name, text in files.items()}
    return digest(
        {file: hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest() for file, text in texts.items()}
    )
