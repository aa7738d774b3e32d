"""`transhume removals` and `transhume restore`: where every removal is, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from runner import runs
from runner.apply import Options
from runner.commands.choosing import confirmed, databases, json_option, plan_folder, progress, yes_option
from runner.commands.reporting import reporting
from runner.errors import USAGE, RunnerError
from runner.manifest import PHASES, RESTORE, read_plan
from runner.removals.listing import Listed, drop_plan, listed, removals_of
from runner.removals.restore import Way, way_back
from runner.removals.restore import restore as take_back
from runner.report import duration, standard_output
from runner.retry import PATIENCE


@click.command()
@click.argument("plan", required=False)
@json_option
def removals(plan: str | None, as_json: bool) -> None:
    r"""List the removals of PLAN, or of every plan: the phase each is in, what it waits for, until when.

    \b
    Example:
      transhume removals
      transhume removals production --json
    """
    with reporting():
        found = [_listed(folder) for project in _projects(plan) for folder in removals_of(project)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], default=str))
    elif not found:
        click.echo("there are no removals: specs/<project>/removals/<name>.yaml, then `transhume plan`")
    else:
        standard_output().print(_table(found))


@click.command()
@click.argument("what")
@click.option("-p", "--plan", "project", help="The project's plan, where plans/ holds several.")
@click.option("--check", is_flag=True, help="Change nothing; say how, and how long that is predicted to take.")
@click.option(
    "--outage", type=click.FloatRange(min=0), default=PATIENCE, show_default=True,
    help="Seconds to wait for a server that restarts, or for a lock.",
)  # fmt: skip
@json_option
@yes_option
def restore(what: str, project: str | None, check: bool, outage: float, as_json: bool, yes: bool) -> None:
    r"""Bring back what a removal took: WHAT is a removal's name, or a table.column that one removes.

    From phases 1 and 2 their steps are undone. From phase 3 on the columns are added, filled from the backup in chunks,
    and get all that they had, while the application goes on writing. Whatever stops it, the same command goes on.

    \b
    Example:
      transhume restore users --check
      transhume restore users.hashed_password -p production
    """
    with reporting():
        folder = _chosen(what, project)
        plan = read_plan(folder / PHASES[RESTORE])
        with databases(plan) as places:
            way = way_back(folder, places)
            if check:
                _say(way, as_json)
                return
            confirmed(f"restore {what} in", yes, places)
            done = take_back(folder, places, progress(as_json), Options(jobs=1, patience=outage))
    if as_json:
        click.echo(json.dumps({"event": "restored", "removal": folder.name, "seconds": round(done.seconds, 3)}))
    else:
        click.echo(f"{what} is restored: {duration(done.seconds)}")


def _projects(plan: str | None) -> list[Path]:
    return [plan_folder(plan)] if plan else sorted(path.parent for path in Path("plans").glob("*/plan.yaml"))


def _listed(folder: Path) -> Listed:
    plan = drop_plan(folder)
    with databases(plan) as places, runs.session_on(places["target"], "transhume removals") as session:
        return listed(session, plan)


def _chosen(what: str, project: str | None) -> Path:
    """The removal's folder that is meant. Raises RunnerError."""
    folders = [folder for one in _projects(project) for folder in removals_of(one)]
    found = [folder for folder in folders if what in set(_called(folder))]
    if len(found) == 1:
        return found[0]
    hint = "`transhume removals` lists them" if not found else "name the project: -p"
    raise RunnerError(f'{"no" if not found else "more than one"} removal is called "{what}"', hint, USAGE)


def _called(folder: Path) -> Iterator[str]:
    removal = drop_plan(folder).removal
    assert removal is not None
    yield removal.name
    yield removal.table
    for column in removal.columns:
        yield f"{removal.table}.{column}"
        yield f"{removal.table.partition('.')[2]}.{column}"


def _say(way: Way, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(way)))
        return
    click.echo(way.why)
    if way.seconds is None:
        click.echo("nothing was measured: how long it takes cannot be told")
    elif way.rebuilds:
        click.echo(f"{way.rows:,} rows, predicted to take {duration(way.seconds)}")
    else:
        click.echo(f"predicted to take less than {duration(way.seconds)}")


def _table(found: list[Listed]) -> Table:
    table = Table(title="Removals", title_justify="left")
    for name in ("removal", "what", "phase", "since", "who", "waits for", "until"):
        table.add_column(name)
    for one in found:
        since = f"{one.since:%Y-%m-%d %H:%M}" if one.since else ""
        until = f"{one.until:%Y-%m-%d %H:%M %Z}" if one.until else "now" if one.waits.startswith("phase") else ""
        state = f"{one.phase} {one.state}" if one.phase in (1, 2, 3, 4) else one.state
        table.add_row(*map(escape, (one.name, one.what, state, since, one.who, one.waits, until)))
    return table
