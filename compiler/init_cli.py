"""`transhume init`: a project's first specs, drafted from its catalogs; files that are there stay as they are."""

import uuid
from collections.abc import Sequence
from pathlib import Path

import click

from compiler.catalog import Catalog
from compiler.folder import PROJECT, Folder, load_project, read_catalogs
from compiler.init import drafts, file_name
from compiler.init_draft import Draft, Keys
from compiler.init_existing import existing
from compiler.init_text import flow, text
from compiler.report import reporting
from compiler.spec import Project
from compiler.validate import validate

SCHEMAS = "../../.schemas"  # from a project's folder; `transhume schema --out .schemas` writes them
NEW_PROJECT = """\
# yaml-language-server: $schema={schemas}/project.schema.json
project: {name}
about: What moves, and why
source: {{env: LEGACY_DATABASE_URL, schema: public}}
target: {{env: TARGET_DATABASE_URL, schema: app}}
ids: {{namespace: {namespace}, version: 3}}
limits: {{window: 4h, rejected: 0}}
"""


@click.command()
@click.argument("project")
@click.option(
    "--keys",
    type=click.Choice(["uuid", "same"]),
    help="What becomes of integer keys in tables that are new: derived UUIDs (the default where the project has ids),"
    " or the same integers. In a table that the target has already, its types decide.",
)
def init(project: str, keys: Keys | None) -> None:
    r"""Draft the specs of PROJECT: its project.yaml, and once there are catalogs, a spec for each source table.

    Tables and columns are matched by name and type, references come from foreign keys. Files that are there already
    stay as they are, and so do the tables that they fill. Nothing is asked of a database.

    \b
    Example:
      transhume init shop                 write specs/shop/project.yaml, then edit it
      transhume snapshot shop
      transhume init shop --keys uuid     write specs/shop/tables/*.yaml, then edit them
    """
    path = Path(project) if "/" in project or (Path(project) / PROJECT).is_file() else Path("specs") / project
    with reporting(path):
        if (path / PROJECT).is_file():
            _tables(Folder.at(path), keys)
        else:
            _project(Folder.at(path))


def _project(folder: Folder) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    written = NEW_PROJECT.format(schemas=SCHEMAS, name=flow(folder.name), namespace=uuid.uuid4())
    (folder.path / PROJECT).write_text(written, encoding="utf-8")
    click.echo(f"{folder.shown}/{PROJECT}: new")
    click.echo(f"edit it, then: transhume snapshot {folder.name} && transhume init {folder.name}")


def _tables(folder: Folder, keys: Keys | None) -> None:
    project_document, documents = load_project(folder)
    project = validate(project_document, (), folder.name).project
    source, target = read_catalogs(folder)
    chosen: Keys = keys or ("uuid" if project.ids else "same")
    if chosen == "uuid" and project.ids is None:
        raise click.UsageError('--keys uuid needs "ids: {namespace: <a new UUID>, version: 3}" in project.yaml')
    found = drafts(project, source, target or Catalog.empty("target"), chosen, existing(project, documents))
    new = [draft for draft in found if _write(folder, draft)]
    _report(folder, project, new, len(documents))


def _write(folder: Folder, draft: Draft) -> bool:
    """Write a spec unless its file is there; whether it was written."""
    path = folder.path / "tables" / file_name(draft)
    path.parent.mkdir(exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text(draft, f"../{SCHEMAS}/table.schema.json"))
    except FileExistsError:
        return False
    return True


def _report(folder: Folder, project: Project, new: Sequence[Draft], kept: int) -> None:
    click.echo(f"{folder.shown}/tables: {len(new)} specs written, {kept} kept")
    undecided = [draft for draft in new if draft.undecided]
    if undecided:
        columns = sum(len(draft.undecided) for draft in undecided)
        click.echo(
            f"undecided: {columns} columns of {len(undecided)} tables are required in the target and not in the source;"
            " look for `undecided` in"
        )
        for draft in undecided:
            click.echo(f"  {folder.shown}/tables/{file_name(draft)}: {', '.join(draft.undecided)}")
    dropped = sum(len(draft.drop) for draft in new)
    left = sum(len(draft.notes) for draft in new)
    if dropped or left:
        click.echo(f"left behind: {dropped} columns under `drop:`, {left} indexes and constraints in comments")
