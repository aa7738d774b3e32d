"""The compiler from top to bottom: load, validate, resolve, order, lower, emit."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.bound import Ordered
from compiler.catalog import Catalog
from compiler.diagnostics import Diagnostic, SpecError
from compiler.folder import Folder, absent_target, load_removals, load_what_can_be, noting, read_catalogs
from compiler.spec import Spec
from compiler.validate import validate

if TYPE_CHECKING:
    from compiler.plan import Plan

Files = dict[str, str]


def compile_project(path: Path) -> Files:
    """What belongs into the plan of the project in `path`: file names and their texts. Raises SpecError."""
    return emit(lower(check(path)))


def check(path: Path) -> Ordered:
    """The project in `path` with every name and type found to be right, and its warnings. Raises SpecError."""
    folder = Folder.at(path)
    unread = tuple(folder.unread())
    try:
        with _all_in_memory():
            return _checked(folder, unread)
    except SpecError as error:  # a file that is not read may be what is missed
        raise SpecError((*unread, *error.diagnostics)) from None


def _checked(folder: Folder, warnings: tuple[Diagnostic, ...]) -> Ordered:
    spec, source, target = read(folder)
    if target is None:
        absent = absent_target(folder, spec)
        if absent.is_error:
            raise SpecError([absent])
        warnings, target = (*warnings, absent), Catalog.empty("target")
    from compiler.order import order  # here, as below: sqlglot, networkx and jinja2 take longer to load than
    from compiler.protect import CODE, removed
    from compiler.protect_files import in_files
    from compiler.resolve import resolve  # most mistakes take to be found

    lost = (*removed(spec, source, target), *in_files(folder.statements(), spec, source, target))
    try:
        resolved = resolve(spec, source, target)
    except SpecError as error:
        raise SpecError((*lost, *(one for one in error.diagnostics if not lost or one.code == CODE))) from None
    if lost:
        raise SpecError(lost)
    return order(replace(resolved, warnings=(*warnings, *resolved.warnings)))


def read(folder: Folder) -> tuple[Spec, Catalog, Catalog | None]:
    """The project's spec and its catalogs; the target's may be missing. Raises SpecError."""
    found: list[Diagnostic] = []
    project, tables = load_what_can_be(folder, found)
    removals, files = load_removals(folder, found)
    spec = noting(found, lambda: validate(project, tables, folder.name, removals, files))
    catalogs = noting(found, lambda: read_catalogs(folder))
    if spec is None or catalogs is None or found:
        raise SpecError(found)
    return spec, *catalogs


def lower(ordered: Ordered) -> "Plan":
    """The steps of the plan."""
    from compiler.lower import lower

    with _all_in_memory():
        return lower(ordered)


def emit(plan: "Plan") -> Files:
    """The texts of the plan's files."""
    from compiler.emit import emit

    with _all_in_memory():
        return emit(plan)


@contextmanager
def _all_in_memory() -> Iterator[None]:
    """Without the garbage collector: nothing here is a cycle, and looking for one takes as long as compiling."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
