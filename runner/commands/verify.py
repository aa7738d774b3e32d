"""`transhume verify`: compare source and target."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from runner.commands.choosing import chosen_plan, databases, jobs_option, json_option, plan_argument
from runner.commands.reporting import reporting
from runner.commands.telling import Listen, metrics_option, telling
from runner.errors import FAILED
from runner.progress import Silent
from runner.report import accounting_table, checks_table, red_lines, standard_output
from runner.verify import Verdict
from runner.verify import verify as verify_plan


@click.command()
@plan_argument
@jobs_option
@json_option
@metrics_option
def verify(plan: str, jobs: int, as_json: bool, metrics: Listen | None) -> None:
    r"""Compare source and target of PLAN as they are now: every row accounted for, every column's sum, every rule.

    The exit code is 1 where a check is red. The verdict goes into the journal.

    \b
    Example:
      transhume verify dispatch
    """
    with reporting():
        read = chosen_plan(plan)
        with databases(read) as places, telling(read.project, Silent(), metrics) as told:
            verdict = verify_plan(read, places, jobs, told)
    (_json if as_json else _show)(verdict)
    sys.exit(0 if verdict.green else FAILED)


def _json(verdict: Verdict) -> None:
    checks = [{**asdict(check), "green": check.green} for check in verdict.checks]
    accounts = [asdict(one) for one in verdict.accounts]
    click.echo(json.dumps({"green": verdict.green, "checks": checks, "accounts": accounts}, ensure_ascii=False))


def _show(verdict: Verdict) -> None:
    console = standard_output()
    console.print(checks_table(verdict.checks))
    console.print(accounting_table(verdict.accounts))
    for line in red_lines(verdict.checks):
        console.print(line, style="red", markup=False, highlight=False)
    red = sum(not check.green for check in verdict.checks)
    click.echo(
        f"{len(verdict.checks)} checks, all green" if verdict.green else f"{red} of {len(verdict.checks)} are red"
    )
