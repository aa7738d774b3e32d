"""`transhume pause | resume | abort`: ask something of a run from another terminal."""

from __future__ import annotations

import json

import click

from runner.asking import Asked
from runner.asking import ask as ask_run
from runner.commands.choosing import chosen_plan, databases, json_option, plan_argument
from runner.commands.reporting import reporting
from runner.control import Wanted

wait_option = click.option("--wait", is_flag=True, help="Return once it has happened.")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=300, show_default=True, help="How many seconds --wait waits."
)


@click.command()
@plan_argument
@wait_option
@timeout_option
@json_option
def pause(plan: str, wait: bool, timeout: float, as_json: bool) -> None:
    r"""Let the run of PLAN pause, from another terminal than the runner's.

    Chunks in flight end and are committed, no other one starts until `transhume resume`. What is no chunk, such as an
    index that is being built, goes on. The runner stays, with its connections and its snapshot of the source; one that
    is started anew does not pause.

    \b
    Example:
      transhume pause dispatch
      transhume pause dispatch --wait --timeout 60
    """
    asked = _ask(plan, "pause", timeout if wait else None)
    happens = "is paused" if asked.waited else "pauses after the chunks in flight"
    if asked.before.wanted == "pause":
        happens = f"is paused already, by {asked.before.by_whom}"
    _tell(asked, "pause", f"{happens}; `transhume resume {plan}` lets it go on", as_json)


@click.command()
@plan_argument
@json_option
def resume(plan: str, as_json: bool) -> None:
    r"""Let a paused run of PLAN go on.

    \b
    Example:
      transhume resume dispatch
    """
    asked = _ask(plan, "go", None)
    happens = "goes on" if asked.before.wanted == "pause" else "was not paused"
    _tell(asked, "go", f"{happens}; it is held: {asked.before.hold}" if asked.before.hold else happens, as_json)


@click.command()
@plan_argument
@wait_option
@timeout_option
@json_option
def abort(plan: str, wait: bool, timeout: float, as_json: bool) -> None:
    r"""End the run of PLAN from another terminal, as Ctrl-C in its own would.

    What is committed stays: `transhume apply` goes on from there, `transhume rollback` takes it back.

    \b
    Example:
      transhume abort dispatch --wait
    """
    asked = _ask(plan, "stop", timeout if wait else None)
    happens = "has ended" if asked.waited else "ends after the chunks in flight"
    if asked.before.wanted == "stop" and not asked.waited:
        happens = f"is being aborted already, by {asked.before.by_whom}"
    _tell(asked, "stop", f"{happens}; what is committed stays, `transhume apply {plan}` goes on from there", as_json)


def _ask(plan: str, wanted: Wanted, wait: float | None) -> Asked:
    with reporting():
        read = chosen_plan(plan)
        with databases(read) as places:
            return ask_run(read, places, wanted, wait)


def _tell(asked: Asked, wanted: Wanted, happens: str, as_json: bool) -> None:
    if as_json:
        told = {"run": str(asked.run.run), "runner": asked.runner, "wanted": wanted, "before": asked.before.wanted}
        click.echo(json.dumps({**told, "hold": asked.before.hold, "waited": asked.waited}))
    else:
        click.echo(f"run {asked.run.run} {happens}")
