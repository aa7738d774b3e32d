"""`transhume rejects`: the rows that were set aside, and why."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from runner import runs
from runner.commands.choosing import chosen_plan, databases, json_option, plan_argument
from runner.commands.reporting import reporting
from runner.errors import USAGE, RunnerError
from runner.rejects import Reject, listed, set_aside
from runner.report import rejects_table, standard_output


@click.command()
@plan_argument
@click.option("--table", help="Only the rows of this table, by its id in the plan.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many rows.")
@click.option("--raw", is_flag=True, help="The rows themselves too: they may hold personal data.")
@json_option
def rejects(plan: str, table: str | None, limit: int, raw: bool, as_json: bool) -> None:
    r"""Show the rows that the last run of PLAN set aside, each with its key and the reason.

    \b
    Example:
      transhume rejects dispatch --table orders
      transhume rejects dispatch --raw --json > rejects.jsonl
    """
    with reporting():
        read = chosen_plan(plan)
        known = [each.id for each in read.tables]
        if table is not None and table not in known:
            raise RunnerError(f'the plan has no table "{table}"', f"it has {', '.join(known)}", USAGE)
        with databases(read) as places, runs.session_on(places["target"], "transhume rejects") as session:
            run = runs.need_run(session, read)
            found = listed(session, run, table, limit)
            total = sum(
                sum(actions.values()) for name, actions in set_aside(session, run).items() if table in (None, name)
            )
    if as_json:
        for one in found:
            click.echo(json.dumps(_values(one, raw), default=str, ensure_ascii=False))
        return
    console = standard_output()
    console.print(rejects_table(found))
    for one in found if raw else ():
        console.print(f"{one.table_id} {', '.join(one.key)}: {json.dumps(one.raw, ensure_ascii=False)}", markup=False)
    click.echo(f"{total:,} rows" + (f", {len(found):,} of them shown" if len(found) < total else ""))


def _values(one: Reject, raw: bool) -> dict[str, object]:
    return {name: value for name, value in asdict(one).items() if raw or name != "raw"}
