"""What uses the columns that a project watches -> the `uses` of a catalog's relations (docs/catalog.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from runner.analysis import TABLE
from runner.catalog_entries import ORDER
from runner.code_uses import scan
from runner.databases import Side
from runner.names import split
from runner.project import Project, Watched
from runner.uses import read_uses, uses_entry

TABLES = ("table", "partitioned table", "foreign table")
Catalog = dict[str, Any]


def add_uses(conn: psycopg.Connection[Any], catalog: Catalog, project: Project, side: Side) -> None:
    """Write into the catalog what uses the columns that are watched and there. Raises psycopg.Error, RunnerError."""
    relations = catalog["relations"]
    for name, columns in _found(relations, [one for one in project.watched if one.side == side]).items():
        schema, table = split(name)
        entry = {
            uses.column: uses_entry(uses, _counts(project.root, uses.column, table, columns[uses.column]))
            for uses in read_uses(conn, schema, table, sorted(columns))
        }
        whole = {**relations[name], "uses": entry}
        relations[name] = {key: whole[key] for key in ORDER if key in whole}


def _found(
    relations: Mapping[str, Any], watched: Sequence[Watched]
) -> dict[str, dict[str, tuple[str, ...]]]:  # fmt: skip
    """The watched columns of each relation, each with its code folders."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, relation in relations.items():
        if relation["kind"] not in TABLES:
            continue
        for column, code in _of(split(name), relation.get("columns", {}), watched):
            folders = found.setdefault(name, {}).setdefault(column, ())
            found[name][column] = tuple(dict.fromkeys((*folders, *code)))
    return found


def _of(
    name: tuple[str, ...], columns: Mapping[str, Any], watched: Sequence[Watched]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in watched:
        if name[1] in one.tables and one.schema in ("", name[0]):
            yield from ((column, one.code) for column in (*columns, TABLE) if column in one.columns)


def _counts(root: Path, column: str, table: str, folders: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    return {folder: _counted(root / folder, folder, table if column == TABLE else column) for folder in folders}


@cache
def _counted(path: Path, shown: str, column: str) -> tuple[int, int]:
    return scan(path, [column], shown).total(column)
