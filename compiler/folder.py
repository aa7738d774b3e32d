"""specs/<project>/ -> its documents and catalogs: which files belong to a project, and what they are called."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from compiler.catalog import Catalog
from compiler.diagnostics import Diagnostic, SpecError
from compiler.document import Document
from compiler.load import load
from compiler.spec import Spec

T = TypeVar("T")

PROJECT = "project.yaml"
SOURCE = "catalog/source.yaml"
TARGET = "catalog/target.yaml"


@dataclass(frozen=True, slots=True)
class Folder:
    """A project's folder. `shown` is its name in messages and plans, `specs/dispatch`, wherever the folder is."""

    path: Path
    shown: str

    @classmethod
    def at(cls, path: Path) -> "Folder":
        """The folder at `path`, be it relative, or a link."""
        whole = Path(os.path.abspath(path))
        return cls(path, f"{whole.parent.name}/{whole.name}" if whole.parent.name else whole.name)

    @property
    def name(self) -> str:
        """The project's name, as the folder has it."""
        return self.shown.rpartition("/")[2]

    @property
    def root(self) -> Path:
        """The folder that holds specs/ and plans/: what the names of files start from."""
        return Path(os.path.abspath(self.path)).parent.parent

    def file(self, name: str) -> str:
        """How a file of the folder is named in messages and plans."""
        return f"{self.shown}/{name}"

    def load(self, name: str) -> Document:
        """One file of the folder. Raises SpecError."""
        return load(self.path / name, self.file(name))

    def catalog(self, name: str) -> Catalog:
        """One catalog of the folder. Raises SpecError."""
        return Catalog.read(self.path / name, self.file(name))

    def tables(self) -> list[str]:
        """The files of tables, sorted by name."""
        return sorted(f"tables/{path.name}" for path in (self.path / "tables").glob("*.yaml") if _is_spec(path))

    def statements(self) -> dict[str, str]:
        """The SQL files of the project, wherever they are in its folder: their texts, by the names in messages."""
        found = (path for path in sorted(self.path.rglob("*.sql")) if _is_spec(path))
        read = {self.file(path.relative_to(self.path).as_posix()): path.read_bytes() for path in found}
        return {name: content.decode(errors="replace").replace("\r\n", "\n") for name, content in read.items()}

    def removals(self) -> list[str]:
        """The files of removals, sorted by name."""
        return sorted(f"removals/{path.name}" for path in (self.path / "removals").glob("*.yaml") if _is_spec(path))

    def rewrites(self) -> dict[str, str]:
        """The SQL files beside the removals: their texts, by their path from there. Raises SpecError."""
        base = self.path / "removals"
        return {path.relative_to(base).as_posix(): self._sql(path) for path in sorted(base.rglob("*.sql"))}

    def _sql(self, path: Path) -> str:
        name = self.file(path.relative_to(self.path).as_posix())
        try:
            return path.read_text(encoding="utf-8").replace("\r\n", "\n")
        except OSError as error:
            raise SpecError([Diagnostic("E101", f'cannot read "{name}": {(error.strerror or "").lower()}')]) from None
        except UnicodeDecodeError:
            raise SpecError(
                [Diagnostic("E102", f'"{name}" is not UTF-8', None, "", "save the file as UTF-8")]
            ) from None

    def unread(self) -> Iterator[Diagnostic]:
        """A warning for each YAML file that is not where a spec belongs: nobody should wait for it in vain."""
        known = {PROJECT, SOURCE, TARGET, *self.tables(), *self.removals()}
        for path in sorted(self.path.rglob("*.y*ml")):
            name = path.relative_to(self.path).as_posix()
            if path.suffix in (".yaml", ".yml") and name not in known and _is_spec(path):
                hint = "tables are tables/<name>.yaml, removals are removals/<name>.yaml"
                yield Diagnostic("W302", f'"{self.file(name)}" is not read', None, "", hint)


def _is_spec(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def load_removals(folder: Folder, found: list[Diagnostic]) -> tuple[list[Document], Mapping[str, str]]:
    """The removals by file name, and the SQL files beside them, without what cannot be read: `found` says why."""
    documents = [noting(found, partial(folder.load, name)) for name in folder.removals()]
    return [one for one in documents if one is not None], noting(found, folder.rewrites) or {}


def load_project(folder: Folder) -> tuple[Document, list[Document]]:
    """project.yaml, and the tables by file name. Raises SpecError with what is wrong in any of them."""
    found: list[Diagnostic] = []
    project, tables = load_what_can_be(folder, found)
    if project is None or found:
        raise SpecError(found)
    return project, tables


def load_what_can_be(folder: Folder, found: list[Diagnostic]) -> tuple[Document | None, list[Document]]:
    """project.yaml, and the tables by file name, without those that cannot be loaded: `found` says why."""
    if not (folder.path / PROJECT).exists():
        hint = "the folder of a project holds project.yaml, tables/ and catalog/"
        found.append(Diagnostic("E304", f'there is no project in "{folder.shown}"', None, "", hint))
        return None, []
    tables = [noting(found, partial(folder.load, name)) for name in folder.tables()]
    return noting(found, partial(folder.load, PROJECT)), [table for table in tables if table is not None]


def read_catalogs(folder: Folder) -> tuple[Catalog, Catalog | None]:
    """The catalogs of the source and of the target, where there is one. Raises SpecError."""
    if not (folder.path / SOURCE).exists():
        message = f'there is no catalog of the source: "{folder.file(SOURCE)}"'
        raise SpecError([Diagnostic("E303", message, None, "", f"write it with `transhume snapshot {folder.name}`")])
    names = [name for name in (SOURCE, TARGET) if (folder.path / name).exists()]
    found: list[Diagnostic] = []
    source, *target = [noting(found, partial(folder.catalog, name)) for name in names]
    if source is None or found:
        raise SpecError(found)
    return source, target[0] if target else None


def absent_target(folder: Folder, spec: Spec) -> Diagnostic:
    """A project whose plan creates every table can do without the target's catalog; another cannot."""
    existing = next((table for table in spec.tables if not table.create), None)
    message = f'there is no catalog of the target: "{folder.file(TARGET)}"'
    hint = f"write it with `transhume snapshot {folder.name}`"
    if existing is None:
        return Diagnostic("W301", f"{message}; it is taken for empty", None, "", hint)
    return Diagnostic("E303", message, existing.span, "this table is there already", hint)


def noting(found: list[Diagnostic], call: Callable[[], T]) -> T | None:
    """What the call gives; None where it raises a SpecError, whose diagnostics are added to `found`."""
    try:
        return call()
    except SpecError as error:
        found.extend(error.diagnostics)
        return None
