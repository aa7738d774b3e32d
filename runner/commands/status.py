"""`transhume status`: how far a run is, from any terminal."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from runner.commands.choosing import chosen_plan, databases, json_option, phase_option, plan_argument, removal_option
from runner.commands.reporting import reporting
from runner.report import duration, megabytes, standard_output, status_table
from runner.status import Status
from runner.status import status as read_status

WAITS = {
    "paused": "paused by {who}: `transhume resume` lets it go on",
    "aborting": "aborted by {who}: it ends with the chunks in flight",
    "held": "held: {hold}",
}
ASIDE = ("rejected", "reconciled")  # other rows that are listed have moved, or were filtered


@click.command()
@plan_argument
@removal_option
@phase_option
@json_option
def status(plan: str, removal: str | None, phase: int | None, as_json: bool) -> None:
    r"""Show how far the last run of PLAN is, while it is at work or after.

    \b
    Example:
      transhume status dispatch
      watch transhume status plans/dispatch
      transhume status production --removal users --phase 1
    """
    with reporting():
        read = chosen_plan(plan, removal, phase)
        with databases(read) as places:
            found = read_status(read, places)
    if as_json:
        click.echo(json.dumps({"state": found.state, **asdict(found)}, default=str))
    else:
        _show(found)


def _show(found: Status) -> None:
    standard_output().print(status_table(found))
    aside = sum(rows for actions in found.set_aside.values() for action, rows in actions.items() if action in ASIDE)
    click.echo(f"run {found.run.run}, begun {found.run.started_at:%Y-%m-%d %H:%M:%S %Z}")
    if found.runner and found.state != "done":
        click.echo(f"at work: {found.runner}")
    rows = f"{found.read:,} of {found.size:,} rows, {aside:,} set aside"
    click.echo(f"{rows}, {found.rate:,.0f} rows/s, {duration(found.left)} left" if found.state == "running" else rows)
    if line := WAITS.get(found.state):
        click.echo(line.format(hold=found.control.hold, who=found.control.by_whom))
    if found.run.peak_memory is not None:
        click.echo(f"peak memory of the runner and its workers: {megabytes(found.run.peak_memory)}")
    if found.state == "stopped":
        click.echo("nobody is at work: `transhume apply` goes on, `transhume rollback` takes it back")
