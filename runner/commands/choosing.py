"""What the commands of a run have in common: the plan they are about, its databases, the options."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from rich.console import Console

from runner.bars import Bars
from runner.connect import Address
from runner.databases import addresses
from runner.errors import USAGE, RunnerError
from runner.json_events import Events
from runner.manifest import NAME, Plan, read_plan
from runner.progress import Lines, Progress
from runner.sections import Side
from runner.units import size

plan_argument = click.argument("plan")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="How many steps at a time."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask before the target is changed.")


class Size(click.ParamType[int]):
    """A number of bytes: `64MB`."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        if re.fullmatch(r"[0-9]+(kB|KB|MB|GB)", value) is None:
            self.fail(f'"{value}" is no size, as 512kB, 64MB and 2GB are', param, ctx)
        return size(value)


def chosen_plan(name: str) -> Plan:
    """The plan of that folder, or of that name under plans/. Raises RunnerError."""
    places = (Path(name), Path("plans") / name)
    folder = next((path for path in places if (path / NAME).is_file()), None)
    if folder is None:
        hint = f"is plans/{Path(name).name}/{NAME} there? `transhume plan` writes it"
        hint = f"that is a file: name the folder of the plan, {Path(name).parent}" if Path(name).is_file() else hint
        raise RunnerError(f'no plan "{name}"', hint, USAGE)
    return read_plan(folder)


@contextlib.contextmanager
def databases(plan: Plan) -> Iterator[Mapping[Side, Address]]:
    """Where the plan's databases are. One that is source and target is found as the source."""
    with addresses(plan.project, {"source": plan.source.env, "target": plan.target.env}) as found:
        yield {**found, "target": found["source"]} if plan.databases == 1 else found


def confirm(question: str, yes: bool, places: Mapping[Side, Address]) -> None:
    """Ask on a terminal, where the target is not the embedded server's. Raises RunnerError for no."""
    if yes or not sys.stdin.isatty() or "embedded" in places["target"].env:
        return
    if not click.confirm(f"{question} {places['target']}?", err=True):
        raise RunnerError("nothing was changed", exit_code=USAGE)


def progress(as_json: bool) -> Progress:
    """How a run tells what it does: events for machines, bars on a terminal, lines in a log."""
    if as_json:
        return Events(click.echo)
    return Bars(Console(stderr=True)) if sys.stderr.isatty() else Lines(lambda line: click.echo(line, err=True))
