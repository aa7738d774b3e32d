"""The commands that need no database: arguments in, exit code out; nothing else."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from compiler.diagnostics import Diagnostic, SpecError, closest
from compiler.folder import Folder
from compiler.report import SPECS_HAVE_ERRORS, annotations, as_json, reporting, show, show_json

if TYPE_CHECKING:
    from compiler.graph import Format

STALE = 1


def project_folder(ctx: click.Context, param: click.Parameter, value: str) -> Path:
    """The folder of a project, given as a folder or by its name under specs/; a usage error where there is none."""
    for path in (Path(value), Path("specs") / value):
        if path.is_dir():
            return path
    close = closest(value, _projects())
    hint = f'; did you mean "{close}"?' if close else ""
    if Path(value).is_file():
        hint = ": that is a file, and a project is a folder"
    raise click.BadParameter(f'there is no project "{value}"{hint}', ctx, param)


def project_folders(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> list[Path]:
    """The folders of several projects."""
    return [project_folder(ctx, param, value) for value in values]


def only_project(ctx: click.Context, param: click.Parameter, value: str | None) -> Path:
    """The folder of the project that is asked for, or of the one that there is."""
    names = [value] if value is not None else _projects()
    if len(names) != 1:
        there = f"there are {', '.join(names)}" if names else "there is none under specs/"
        raise click.UsageError(f"which project? {there}", ctx)
    return project_folder(ctx, param, names[0])


def _projects() -> list[str]:
    return sorted(path.parent.name for path in Path("specs").glob("*/project.yaml"))


project_option = click.option("-p", "--project", callback=only_project, help="The project, where specs/ holds several.")


@click.command()
@click.argument("projects", nargs=-1, required=True, callback=project_folders)
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
def lint(projects: Sequence[Path], form: Literal["text", "json", "github"]) -> None:
    r"""Check the specs of PROJECTS: names or folders. Exits 3 where there are errors.

    \b
    Example:
      transhume lint specs/*
      transhume lint dispatch --format github
    """
    found = [(project, _findings(project)) for project in projects]
    if form == "json":
        show_json([entry for project, diagnostics in found for entry in as_json(diagnostics, project)])
    elif form == "github":
        for project, diagnostics in found:
            click.echo("".join(f"{line}\n" for line in annotations(diagnostics, project)), nl=False)
    else:
        for project, diagnostics in found:
            show(diagnostics, project)
    sys.exit(SPECS_HAVE_ERRORS if any(one.is_error for _, diagnostics in found for one in diagnostics) else 0)


def _findings(project: Path) -> Sequence[Diagnostic]:
    from compiler.pipeline import check, emit, lower

    try:
        ordered = check(project)
        emit(lower(ordered))
        return ordered.resolved.warnings
    except SpecError as error:
        return error.diagnostics


@click.command()
@click.argument("project", callback=project_folder)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Instead of plans/, beside specs/.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 with the difference where the plan is stale.")
@click.option("--json", "as_data", is_flag=True, help="What was done, as JSON.")
def plan(project: Path, out: Path | None, check: bool, as_data: bool) -> None:
    r"""Compile PROJECT, a name or a folder, into its plan: the SQL that reviewers read and the runner carries out.

    The same specs and catalogs always give the same bytes. Files that no longer belong to the plan are removed.

    \b
    Example:
      transhume plan dispatch
      transhume plan specs/dispatch --check
    """
    from compiler import pipeline
    from compiler.differences import differences

    with reporting(project):
        ordered = pipeline.check(project)
        files = pipeline.emit(pipeline.lower(ordered))
    show(ordered.resolved.warnings, project)
    folder = (out or _beside(project)) / ordered.resolved.project.name.text
    difference = list(islice(differences(folder, files), None if check else 1))
    if not check:
        _write(folder, files)
    if as_data:
        warnings = as_json(ordered.resolved.warnings, project)
        show_json({"plan": str(folder), "files": len(files), "changed": bool(difference), "warnings": warnings})
    elif check and difference:
        click.echo("\n".join(difference))
        click.echo(f"{folder} is not what {project} compiles to; run `transhume plan {project}`", err=True)
    else:
        click.echo(f"{folder}: {len(files)} files, {'written' if difference else 'unchanged'}")
    sys.exit(STALE if check and difference else 0)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    from compiler.write import write_folder

    with _writing(folder):
        write_folder(folder, files)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say what cannot be written, and why, without a traceback."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise click.ClickException(f"cannot write {place}: {(error.strerror or str(error)).lower()}") from None


def _beside(project: Path) -> Path:
    """plans/ beside specs/, named from here where it is below here."""
    plans = Folder.at(project).root / "plans"
    return plans.relative_to(Path.cwd()) if plans.is_relative_to(Path.cwd()) else plans


@click.command()
@click.argument("step")
@project_option
def explain(step: str, project: Path) -> None:
    r"""Show STEP: the spec it comes from, what it waits for, what waits for it, and its SQL.

    STEP is its name, such as load.orders, or its file in the plan.

    \b
    Example:
      transhume explain load.orders
      transhume explain plans/dispatch/load/orders.sql
      transhume explain plans/production/removals/users/3-drop/drop/users.sql
    """
    from compiler import pipeline
    from compiler.explain import explanation, find

    with reporting(project):
        ordered = pipeline.check(project)
        whole = pipeline.lower(ordered)
    found = find(whole, step)
    if found is None:
        close = closest(step, [one.id for plan in (whole, *whole.removals) for one in plan.steps])
        raise click.UsageError(f'there is no step "{step}"' + (f'; did you mean "{close}"?' if close else ""))
    having, named = found
    click.echo(explanation(named, having, ordered, pipeline.emit(having), project))


@click.command()
@click.argument("project", required=False, callback=only_project)
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "dot"]), default="text", show_default=True)
@click.option("--steps", is_flag=True, help="Every step of the plan, not only the tables.")
def graph(project: Path, form: "Format", steps: bool) -> None:
    r"""Show what comes before what in PROJECT, in the order in which it is loaded.

    \b
    Example:
      transhume graph dispatch
      transhume graph dispatch --format mermaid --steps
    """
    from compiler import pipeline
    from compiler.graph import draw, of_steps, of_tables

    with reporting(project):
        ordered = pipeline.check(project)
        edges = of_steps(pipeline.lower(ordered)) if steps else of_tables(ordered)
    click.echo(draw(edges, form))


@click.command()
@click.argument("name", required=False, type=click.Choice(["project", "table", "removal"]))
@click.option("--markdown", is_flag=True, help="The reference page instead: docs/spec.md.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the files into this folder.")
def schema(name: Literal["project", "table", "removal"] | None, markdown: bool, out: Path | None) -> None:
    r"""Print the JSON schema of a project.yaml, a table's or a removal's spec, for editors and for other tools.

    \b
    Example:
      transhume schema table
      transhume schema --out .schemas
      transhume schema --markdown
    """
    from compiler.schema import SCHEMAS, schema_text
    from compiler.schema_docs import markdown as page

    if markdown:
        click.echo(page(), nl=False)
    elif out is not None:
        with _writing(out):
            out.mkdir(parents=True, exist_ok=True)
            for each in SCHEMAS:
                (out / f"{each}.schema.json").write_text(schema_text(each), encoding="utf-8")
                click.echo(out / f"{each}.schema.json")
    elif name is None:
        raise click.UsageError("which schema? project, table or removal, or all of them with --out")
    else:
        click.echo(schema_text(name), nl=False)
