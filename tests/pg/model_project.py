"""A made-up world as databases and files: the SQL that makes them, the rows in them, and the specs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from compiler.pipeline import compile_project
from compiler.write import write_folder
from runner.connect import address, open_source
from runner.snapshot import read_catalog, write_catalog
from tests.pg.migration import Migration
from tests.pg.model_columns import NAMESPACE, Fill, quoted
from tests.pg.model_tables import Link, Table, Unique, World, spec_name

SOURCE_TYPES = "CREATE TYPE public.size AS ENUM ('S', 'M', 'L XL')"
TARGET_TYPES = "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy')"
__all__ = ["plan", "source", "target"]


def source(world: World, conninfo: str) -> None:
    """Make the legacy tables and their rows."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as session:
        session.execute(SOURCE_TYPES.encode())
        for table in world.tables.values():
            session.execute(f"CREATE TABLE public.{quoted(table.source)} ({', '.join(_legacy(table))})".encode())
            _fill(session, table)


def _legacy(table: Table) -> Iterator[str]:
    for column in table.columns:
        yield f"{quoted(column.name)} {column.type}{'' if column.null else ' NOT NULL'}"
        if column.name == "code":
            yield "UNIQUE (code)"
    if table.key:
        yield f"{'UNIQUE' if table.kind == 'unique' else 'PRIMARY KEY'} ({', '.join(map(quoted, table.key))})"


def _fill(session: psycopg.Connection[Any], table: Table) -> None:
    names = [column.name for column in table.columns]
    copy = sql.SQL("COPY public.{} ({}) FROM STDIN").format(
        sql.Identifier(table.source), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with session.cursor() as cursor, cursor.copy(copy) as rows:
        for row in table.rows:
            rows.write_row([row[name] for name in names])


def target(world: World, conninfo: str) -> None:
    """Make what the target has before the move: a type, and the tables that its own migrations made."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as session:
        session.execute(TARGET_TYPES.encode())
        there = [table for table in world.tables.values() if not table.create]
        for table in there:
            session.execute(f"CREATE TABLE app.{quoted(table.name)} ({', '.join(_existing(world, table))})".encode())
        for statement in [each for table in there for each in _beside(world, table)]:
            session.execute(statement.encode())


def _existing(world: World, table: Table) -> Iterator[str]:
    for fill in table.all:
        type = fill.type if isinstance(fill, Fill) else _key_type(world, fill)
        yield f"{quoted(fill.name)} {type.replace('public.', 'app.')}{' NOT NULL' if fill.filled else ''}"
    if table.target_key:
        yield f"PRIMARY KEY ({', '.join(quoted(fill.name) for fill in table.target_key)})"
    if table.check:
        yield f"CHECK ({table.check[1]})"


def _key_type(world: World, link: Link) -> str:
    (key,) = world.tables[link.table].target_key
    assert isinstance(key, Fill)
    return key.type


def _beside(world: World, table: Table) -> Iterator[str]:
    name = f"app.{quoted(table.name)}"
    for unique in table.uniques:
        columns = ", ".join(map(quoted, unique.columns))
        yield f"CREATE UNIQUE INDEX ON {name} ({columns})"
    for link in (fill for fill in table.fills if isinstance(fill, Link)):
        other = world.tables[link.table]
        if not other.create:
            to = f"app.{quoted(other.name)} ({quoted(other.target_key[0].name)})"
            yield f"ALTER TABLE {name} ADD FOREIGN KEY ({quoted(link.name)}) REFERENCES {to}"


def plan(world: World, here: Path, source: str, target: str) -> Migration:
    """Write the project below `here`, take its snapshots, compile it."""
    folder = here / "specs" / "world"
    (folder / "catalog").mkdir(parents=True)
    (folder / "tables").mkdir()
    for side, conninfo, schema in (("source", source, "public"), ("target", target, "app")):
        with closing(open_source(address("LEGACY_DATABASE_URL", conninfo), "test")) as session:
            write_catalog(read_catalog(session, side, [schema]), folder / "catalog" / f"{side}.yaml")  # type: ignore[arg-type]
    _write(folder / "project.yaml", _project(world))
    for place, table in enumerate(world.tables.values()):
        _write(folder / "tables" / f"{place}.yaml", _spec(table))
    made = here / "plans" / "world"
    made.mkdir(parents=True)
    write_folder(made, compile_project(folder))
    return Migration(made, source, target)


def _write(path: Path, entry: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(entry, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _project(world: World) -> dict[str, Any]:
    env = "LEGACY_DATABASE_URL" if world.databases == 1 else "TARGET_DATABASE_URL"
    return {
        "project": "world",
        "source": {"env": "LEGACY_DATABASE_URL", "schema": "public"},
        "target": {"env": env, "schema": "app"},
        "ids": {"namespace": str(NAMESPACE), "version": 3},
        "limits": {"rejected": "100%"},
    }


def _spec(table: Table) -> dict[str, Any]:
    entry: dict[str, Any] = {"table": spec_name(table.name), "from": spec_name(table.source)}
    entry["key"] = {fill.name: fill.spec for fill in table.target_key}
    entry["columns"] = {fill.name: fill.spec for fill in table.fills}
    entry["same"] = [fill.name for fill in table.same]
    entry["where"] = table.where[0] if table.where else None
    entry["checks"] = {"a check": table.check[1]} if table.check and table.create else None
    entry["indexes"] = [_index(unique) for unique in table.uniques]
    entry["chunk"] = {"rows": 7, "max": 13}
    entry |= {"create": None if table.create else False, "map_table": table.map_table or None}
    return {name: value for name, value in entry.items() if value is not None and value not in ({}, [])}


def _index(unique: Unique) -> dict[str, Any]:
    entry = {"columns": list(unique.columns), "unique": True, "duplicates": unique.duplicates}
    return entry | ({"where": f"{quoted(unique.positive)} > 0"} if unique.positive else {})
