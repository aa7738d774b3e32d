"""`transhume snapshot`: write the catalogs of the live databases into the specs, or say that they are stale."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import psycopg

from runner.commands.reporting import reporting
from runner.connect import Address, open_source, unreachable
from runner.databases import SIDES, Side, addresses
from runner.errors import FAILED, RunnerError, SqlError
from runner.project import Project, read_project
from runner.snapshot import catalog_text, read_catalog, write_catalog
from runner.watched import add_uses


@click.command()
@click.argument("project")
@click.option("--only", type=click.Choice(SIDES), help="Only this database's catalog.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 with the difference where a file is stale.")
def snapshot(project: str, only: Side | None, check: bool) -> None:
    r"""Write the catalogs of PROJECT's live databases into its specs.

    PROJECT is a name, or its folder under specs/. Review and commit what changes: compiling reads these files and never
    asks a database. The databases are read only. With no database URL set, the embedded server's are read.

    \b
    Example:
      transhume snapshot dispatch
      transhume snapshot specs/dispatch --only target --check
    """
    stale = False
    with reporting():
        read = read_project(project)
        with addresses(read.name, read.variables, (only,) if only else SIDES) as found:
            for side, where in found.items():
                catalog = _catalog(where, side, read)
                stale |= (_check if check else _write)(catalog, read.file(side))
    sys.exit(FAILED if check and stale else 0)


def _catalog(where: Address, side: Side, project: Project) -> dict[str, Any]:
    """Read one database, and what uses the columns that are watched. Raises RunnerError."""
    schemas = project.schemas[side]
    try:
        session = open_source(where, "transhume snapshot")
    except psycopg.Error as error:
        raise unreachable(where, error) from None
    try:
        with closing(session):
            catalog = read_catalog(session, side, schemas)
            add_uses(session, catalog, project, side)
    except psycopg.Error as error:
        raise SqlError(error) from None
    if side == "source" and schemas[0] not in catalog["schemas"]:
        raise RunnerError(f'{where} has no schema "{schemas[0]}"', "check the source's schema in project.yaml", FAILED)
    return catalog


def _write(catalog: dict[str, Any], path: Path) -> bool:
    """Write the file where it differs; one line says what is in it. Whether it differed."""
    before = _committed(path)
    changed = before != catalog_text(catalog)
    if changed:
        try:
            write_catalog(catalog, path)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunnerError(f"cannot write {path}: {reason}", "is the folder there, and yours to write to?") from None
    click.echo(f"{path}: {_size(catalog)}, {'unchanged' if not changed else 'changed' if before else 'new'}")
    return changed


def _check(catalog: dict[str, Any], path: Path) -> bool:
    """Print how the file differs from the database. Whether it does."""
    before, now = _committed(path), catalog_text(catalog)
    for line in _difference(before, now, str(path)):
        click.echo(line)
    click.echo(f"{path}: {_size(catalog)}, {'stale' if before != now else 'as committed'}")
    return before != now


def _committed(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _difference(before: str, now: str, path: str) -> Iterator[str]:
    return difflib.unified_diff(before.splitlines(), now.splitlines(), path, "the live database", lineterm="")


def _size(catalog: dict[str, Any]) -> str:
    relations = catalog["relations"].values()
    return f"{len(relations)} relations, {sum(len(relation.get('columns', ())) for relation in relations)} columns"
