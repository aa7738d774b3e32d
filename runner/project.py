"""What the runner needs of specs/<project>: the databases, their schemas, and the columns that must not go unnoticed.

The compiler says what is wrong with a spec; here is read what can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runner.databases import SIDES, Side
from runner.errors import USAGE, RunnerError
from runner.names import split

# what stands before a dot: a schema, or an alias, which is no schema's name and so is not found
QUALIFIER = re.compile(r'(?:"((?:[^"]|"")+)"|(\w+))\s*\.')
_WORD = re.compile(r'"((?:[^"]|"")+)"|(\w+)')


@dataclass(frozen=True, slots=True)
class Watched:
    """Columns whose uses the catalog keeps, by the name of one of `tables`: they are protected, or to be removed.

    With a `schema` there is one table. Without it the names are words of a spec, among which those of the source's
    tables and columns are. `code` are the folders in which the columns are looked for.
    """

    side: Side
    tables: frozenset[str]
    columns: frozenset[str]
    schema: str = ""
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """`variables` name the URLs, `schemas` are those that specs speak of, the project's own first."""

    folder: Path
    name: str
    variables: dict[Side, str]
    schemas: dict[Side, list[str]]
    code: tuple[str, ...] = ()
    watched: tuple[Watched, ...] = ()

    def file(self, side: Side) -> Path:
        """Where the catalog of one side is kept."""
        return self.folder / "catalog" / f"{side}.yaml"

    @property
    def root(self) -> Path:
        """The folder that holds specs/: what the names of code folders start from."""
        return self.folder.resolve().parent.parent


def read_project(project: str) -> Project:
    """The project of that name or folder. Raises RunnerError."""
    folder = next(
        (path for path in (Path(project), Path("specs") / project) if (path / "project.yaml").is_file()), None
    )
    if folder is None:
        raise RunnerError(f'no project "{project}"', f"is specs/{Path(project).name}/project.yaml there?", USAGE)
    data = _yaml(folder / "project.yaml", folder)
    try:
        variables: dict[Side, str] = {side: str(data[side]["env"]) for side in SIDES}
        schemas: dict[Side, list[str]] = {side: [str(data[side].get("schema", "public"))] for side in SIDES}
    except (KeyError, TypeError, AttributeError):
        raise RunnerError(f"{folder}/project.yaml names no source and target", _lint(folder), USAGE) from None
    tables, removals = _maps(folder, "tables"), _maps(folder, "removals")
    own = {side: schemas[side][0] for side in SIDES}
    code = tuple(_texts(data.get("code")))
    watched = (*_protected(data.get("protect"), tables, own, code), *_removed(removals, own, code))
    for table in tables:
        schemas["source"] += _qualifiers(table.get("from"))
        schemas["target"] += _qualifiers(table.get("table"))
    for one in watched:
        schemas[one.side] += [one.schema] if one.schema else []
    return Project(folder, folder.resolve().name, variables, schemas, code, watched)


def _protected(
    entries: Any, tables: Sequence[Mapping[str, Any]], own: Mapping[Side, str], code: tuple[str, ...]
) -> Iterator[Watched]:
    """A protected column, of whichever database has it; and what fills it, of the source."""
    for entry in entries if isinstance(entries, list) else ():
        *path, column = split(str(entry.get("column", ""))) if isinstance(entry, dict) else ("",)
        for side in SIDES if path else ():
            schema = path[-2] if len(path) > 1 else own[side]
            yield Watched(side, frozenset({path[-1]}), frozenset({column}), schema, code)
        for table in tables if path else ():
            if split(str(table.get("table", "")))[-1] == path[-1]:
                words, from_ = _words(_filling(table, column)), _words(table.get("from"))
                yield Watched("source", frozenset(from_), frozenset(words))


def _filling(table: Mapping[str, Any], column: str) -> Any:
    """What a spec says of one of its columns: the mapping, as it is written."""
    for part in (table.get("columns"), table.get("key")):
        if isinstance(part, dict) and column in part:
            return part[column]
    return column if column in _texts(table.get("same")) else None


def _removed(
    removals: Sequence[Mapping[str, Any]], own: Mapping[Side, str], code: tuple[str, ...]
) -> Iterator[Watched]:
    for removal in removals:
        side: Side = "source" if removal.get("on") == "source" else "target"
        *schema, table = split(str(removal.get("table", removal.get("removal", ""))))
        folders = tuple(dict.fromkeys((*code, *_texts(removal.get("code")))))
        columns = frozenset(_texts(removal.get("columns")) or "*")  # without columns the table itself
        yield Watched(side, frozenset({table}), columns, schema[0] if schema else own[side], folders)


def _maps(folder: Path, kind: str) -> list[Mapping[str, Any]]:
    """The specs of a kind that are mappings."""
    read = (_yaml(path, folder) for path in sorted((folder / kind).glob("*.yaml")))
    return [one for one in read if isinstance(one, dict)]


def _yaml(path: Path, folder: Path) -> Any:
    """The file's maps, lists and texts: numbers and dates stay as they are written."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise RunnerError(f"{path} cannot be read as YAML", _lint(folder), USAGE) from None


def _lint(folder: Path) -> str:
    return f"`transhume lint {folder}` says what is wrong with it"


def _texts(value: Any) -> list[str]:
    """A list of texts, or one text as a list of one."""
    return [str(item) for item in value] if isinstance(value, list) else [value] if isinstance(value, str) else []


def _words(value: Any) -> Iterator[str]:
    """Every name that a mapping or a query may mean."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str):
        yield from (quoted.replace('""', '"') or plain for quoted, plain in _WORD.findall(value))


def _qualifiers(name: Any) -> list[str]:
    """The schemas that a name or a query may mean."""
    text = name.get("sql") if isinstance(name, dict) else name
    found = QUALIFIER.findall(text) if isinstance(text, str) else []
    return [quoted.replace('""', '"') or plain for quoted, plain in found]
