"""`transhume rollback`: undo a run, in reverse order."""

from __future__ import annotations

import json

import click

from runner.commands.choosing import (
    chosen_plan,
    confirmed,
    databases,
    json_option,
    phase_option,
    plan_argument,
    progress,
    removal_option,
    yes_option,
)
from runner.commands.reporting import reporting
from runner.report import duration
from runner.rollback import roll_back


@click.command()
@plan_argument
@removal_option
@phase_option
@json_option
@yes_option
def rollback(plan: str, removal: str | None, phase: int | None, as_json: bool, yes: bool) -> None:
    r"""Undo the last run of PLAN: the revert of every step that was begun, in reverse order.

    It goes on where it was interrupted. The journal stays, with the rows that were set aside and the audit trail.

    \b
    Example:
      transhume rollback dispatch
      transhume rollback production --removal users --phase 2
    """
    with reporting():
        read = chosen_plan(plan, removal, phase)
        with databases(read) as places:
            confirmed(f"undo {read.folder} in", yes, places)
            outcome = roll_back(read, places, progress(as_json))
    if as_json:
        result = {"run": str(outcome.run.run), "steps": outcome.steps, "seconds": round(outcome.seconds, 3)}
        click.echo(json.dumps({"event": "finished", **result}))
    elif outcome.steps == 0 and outcome.seconds == 0:
        click.echo(f"run {outcome.run.run} is rolled back already")
    else:
        click.echo(f"{read.project} is rolled back: {outcome.steps} steps, {duration(outcome.seconds)}")
