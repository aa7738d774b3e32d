"""`transhume apply`: carry a plan out, or go on where it stopped."""

from __future__ import annotations

from pathlib import Path

import click

from runner.apply import Options, Outcome
from runner.apply import apply as apply_plan
from runner.commands.choosing import (
    Size,
    chosen_plan,
    confirm_purge,
    confirmed,
    databases,
    jobs_option,
    json_option,
    phase_option,
    plan_argument,
    progress,
    removal_option,
    yes_option,
)
from runner.commands.reporting import reporting
from runner.commands.telling import Listen, events_option, metrics_option, telling, webhook_option
from runner.report import accounting_table, duration, standard_output
from runner.retry import PATIENCE
from runner.throttle import Bounds


@click.command()
@plan_argument
@jobs_option
@click.option(
    "--outage", type=click.FloatRange(min=0), default=PATIENCE, show_default=True,
    help="Seconds to wait for a server that restarts, or for a lock.",
)  # fmt: skip
@click.option(
    "--connections", type=click.IntRange(min=1),
    help="The most connections to open, over both servers; fewer than the jobs need make fewer jobs.",
)  # fmt: skip
@click.option(
    "--executor", default="threads", show_default=True, metavar="threads|processes|dask://HOST:PORT",
    help="Where rows are moved: threads of this process, processes of this machine, or a Dask cluster.",
)  # fmt: skip
@click.option("--max-rate", type=click.FloatRange(min=0, min_open=True), help="Rows a second, over all lanes.")
@click.option("--max-lag", type=Size(), help="Wait while a standby of the target is so many bytes behind: 64MB.")
@click.option("--max-waiters", type=click.IntRange(0), help="Wait while more sessions wait for locks in the target.")
@json_option
@events_option
@metrics_option
@webhook_option
@removal_option
@phase_option
@click.option("--confirm", metavar="NAME", help="The removal's name: phase 4 asks for it where it is not given here.")
@yes_option
def apply(
    plan: str, jobs: int, outage: float, connections: int | None, executor: str, max_rate: float | None,
    max_lag: int | None, max_waiters: int | None, as_json: bool, events: Path | None, metrics: Listen | None,
    webhook: str | None, removal: str | None, phase: int | None, confirm: str | None, yes: bool,
) -> None:  # fmt: skip
    r"""Carry PLAN out, or go on where it stopped.

    PLAN is a folder that `transhume plan` wrote, or its name under plans/. The databases are those that its environment
    variables lead to; with none of them set, the embedded server's. Whatever stops a run, a crash too, the same command
    goes on from the last checkpoint. Ctrl-C ends the chunks in flight.

    \b
    Example:
      transhume apply dispatch
      transhume apply plans/dispatch --jobs 4 --json
      transhume apply dispatch --max-rate 20000 --max-lag 64MB --max-waiters 0
      transhume apply dispatch --metrics 9100 --events dispatch.jsonl
      transhume apply production --removal users --phase 1
    """
    with reporting():
        read = chosen_plan(plan, removal, phase)
        confirm_purge(read, confirm)
        with databases(read) as places:
            confirmed(f"apply {read.folder} to", yes, places)
            options = Options(jobs, connections, executor, outage, Bounds(max_lag, max_waiters, max_rate))
            with telling(read.project, progress(as_json), metrics, webhook, events) as told:
                outcome = apply_plan(read, places, told, options)
                told.finished(outcome.run, outcome.accounts, outcome.before, outcome.seconds)
    if not as_json:  # an event has told it
        _show(outcome)


def _show(outcome: Outcome) -> None:
    """The account of every table; a removal moves none."""
    run = outcome.run
    if outcome.accounts:
        standard_output().print(accounting_table(outcome.accounts))
    if outcome.before:
        click.echo(f"{run.project} was applied before, by run {run.run}, at {run.finished_at:%Y-%m-%d %H:%M:%S %Z}")
    else:
        click.echo(f"{run.project} is applied: run {run.run}, {duration(outcome.seconds)}")
