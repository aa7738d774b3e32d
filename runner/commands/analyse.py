"""`transhume analyse`: everything that uses a column, as a table, as JSON, as a block for a removal's spec."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runner.analysis import LIMITS, Analysis, NotThere, Wanted, analyse, search
from runner.code_uses import Folder
from runner.commands.reporting import reporting
from runner.connect import address
from runner.databases import SIDES, Side, addresses
from runner.dependents_block import block
from runner.errors import USAGE, RunnerError
from runner.names import split
from runner.project import Project, read_project
from runner.report import standard_output
from runner.report_uses import code_table, code_title, summary, title, uses_table, values


@click.command("analyse")
@click.argument("columns", nargs=-1, required=True, metavar="TABLE.COLUMN...")
@click.option("-p", "--project", help="The project, where specs/ holds several: its databases, schemas, code folders.")
@click.option("--source", "side", flag_value="source", help="Only in the project's source.")
@click.option("--target", "side", flag_value="target", help="Only in the project's target.")
@click.option("--url", help="Another database than the project's.")
@click.option("--schema", help="The schema of tables that are named without one, instead of the project's.")
@click.option("--code", multiple=True, type=click.Path(path_type=Path), help="A folder of code to look in, too.")
@click.option("--json", "form", flag_value="json", help="Print JSON, for machines; every file is in it.")
@click.option("--block", "form", flag_value="block", help="Print only the block for a removal's spec.")
def analyse_command(
    columns: Sequence[str], project: str | None, side: Side | None, url: str | None, schema: str | None,
    code: Sequence[Path], form: str | None,
) -> None:  # fmt: skip
    r"""Show everything that uses columns, in the database and in code, and what a drop would do to it.

    TABLE.* is the table itself.

    Without --source and --target, the project's databases are searched that have the table. Without a project, --url
    says where. The database is read only, and nothing in it is locked. With no URL set, the embedded server's is read.

    \b
    Example:
      transhume analyse profiles.hashed_password
      transhume analyse users.hashed_password users.is_active --target --block
      transhume analyse auth_user.password --url postgresql://localhost/legacy --code ../backend
    """
    with reporting():
        read = _project(project, url)
        if url is not None:
            found = analyse(address("--url", url), _wanted(columns, schema or "public"))
        else:
            assert read is not None  # without a URL there is one
            found = _in_project(read, columns, schema, side)
        names = list(dict.fromkeys(one.wanted.called(column) for one in found for column in one.wanted.columns))
        folders = search([*_folders(read, found), *((str(path), path) for path in code)], names)
    text = block((uses for one in found for uses in one.uses), found[0].wanted.schema)
    if form == "json":
        click.echo(json.dumps(values(found, folders, text, LIMITS), indent=2, ensure_ascii=False))
    elif form == "block":
        click.echo(text)
    else:
        _show(found, folders, text)


def _project(name: str | None, url: str | None) -> Project | None:
    """The project that is asked for, or the one that there is; none is needed with a URL. Raises RunnerError."""
    names = sorted(path.parent.name for path in Path("specs").glob("*/project.yaml"))
    if name is not None:
        return read_project(name)
    if url is not None:
        return None
    if len(names) != 1:
        there = f"there are {', '.join(names)}" if names else "there is none under specs/"
        raise RunnerError(f"which project? {there}", "name it with --project, or a database with --url", USAGE)
    return read_project(names[0])


def _wanted(columns: Sequence[str], schema: str) -> list[Wanted]:
    """The columns by table, in the order named. Raises RunnerError."""
    tables: dict[tuple[str, str], list[str]] = {}
    for text in columns:
        parts = split(text)
        if not 2 <= len(parts) <= 3 or not all(parts):
            raise RunnerError(f'"{text}" is no table and column', "write table.column, or schema.table.column", USAGE)
        of = (parts[0], parts[1]) if len(parts) == 3 else (schema, parts[0])
        tables.setdefault(of, []).append(parts[-1])
    return [Wanted(*of, tuple(dict.fromkeys(names))) for of, names in tables.items()]


def _in_project(
    project: Project, columns: Sequence[str], schema: str | None, side: Side | None
) -> list[Analysis]:  # fmt: skip
    """In the databases asked for, or in those that have the columns. Raises RunnerError."""
    found: list[Analysis] = []
    missing: list[NotThere] = []
    sides: tuple[Side, ...] = (side,) if side else SIDES
    with addresses(project.name, project.variables, sides) as places:
        for one, where in places.items():
            try:
                found += analyse(where, _wanted(columns, schema or project.schemas[one][0]))
            except NotThere as error:
                missing.append(error)
    if not found:
        raise max(missing, key=_closeness)
    return found


def _closeness(error: NotThere) -> tuple[bool, bool]:
    """Of two databases that lack a column, the one is told of that nearly has it."""
    return "has no column" in error.message, error.hint.startswith("did you mean")


def _folders(project: Project | None, found: Sequence[Analysis]) -> Iterator[tuple[str, Path]]:
    """The project's code folders, and those of the removals of these columns."""
    if project is None:
        return
    names = {(one.wanted.schema, one.wanted.table) for one in found}
    removals = [one for one in project.watched if any((one.schema, table) in names for table in one.tables)]
    for folder in (*project.code, *(folder for one in removals for folder in one.code)):
        yield folder, project.root / folder


def _show(found: Sequence[Analysis], folders: Sequence[Folder], text: str) -> None:
    console = standard_output()
    for one in found:
        for uses in one.uses:
            click.echo(title(one, uses))
            if uses.all:
                console.print(uses_table(uses, console.is_terminal))
            click.echo(f"{summary(one.wanted.called(uses.column), uses, folders)}\n")
    for folder in folders:
        click.echo(code_title(folder))
        if folder.files or folder.left_out:
            console.print(code_table(folder, console.is_terminal))
        click.echo()
    click.echo(f"For a removal's spec:\n\n{text}\n")
    for limit in LIMITS:
        click.echo(f"note: {limit}")
