"""What the commands of a run have in common: the plan they are about, its databases, the options."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import click
from rich.console import Console

from runner.bars import Bars
from runner.connect import Address
from runner.databases import addresses
from runner.errors import USAGE, RunnerError
from runner.json_events import Events
from runner.manifest import NAME, PHASES, Plan, read_plan
from runner.progress import Lines, Progress
from runner.sections import Side
from runner.units import size

plan_argument = click.argument("plan")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="How many steps at a time."
)
removal_option = click.option("--removal", metavar="NAME", help="A removal of the plan's project, instead of the plan.")
phase_option = click.option("--phase", type=click.IntRange(1, 4), help="Which phase of the removal.")
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


def chosen_plan(name: str, removal: str | None = None, phase: int | None = None) -> Plan:
    """The plan of that folder, or of that name under plans/; or that of a phase of a removal. Raises RunnerError."""
    folder = plan_folder(name)
    if removal is None and phase is None:
        return read_plan(folder)
    if removal is None or phase is None:
        raise RunnerError("--removal and --phase go together", "--removal users --phase 1", USAGE)
    return read_plan(phase_folder(folder, removal, phase))


def phase_folder(folder: Path, removal: str, phase: int) -> Path:
    """The plan of a phase of a removal, in the folder of its project's plan. Raises RunnerError."""
    found = folder / "removals" / file_name(removal) / PHASES[phase]
    if not (found / NAME).is_file():
        names = sorted(unquote(path.name) for path in (folder / "removals").glob("*") if path.is_dir())
        hint = f"there are: {', '.join(names)}" if names else "`transhume plan` writes those of specs/*/removals"
        raise RunnerError(f'no removal "{removal}" in {folder}', hint, USAGE)
    return found


def file_name(name: str) -> str:
    """A removal's name as its folder is called."""
    return quote(name, safe="")


def plan_folder(name: str) -> Path:
    """The folder of that name, or of that name under plans/, with a plan in it. Raises RunnerError."""
    places = (Path(name), Path("plans") / name)
    folder = next((path for path in places if (path / NAME).is_file()), None)
    if folder is None:
        hint = f"is plans/{Path(name).name}/{NAME} there? `transhume plan` writes it"
        hint = f"that is a file: name the folder of the plan, {Path(name).parent}" if Path(name).is_file() else hint
        raise RunnerError(f'no plan "{name}"', hint, USAGE)
    return folder


@contextlib.contextmanager
def databases(plan: Plan) -> Iterator[Mapping[Side, Address]]:
    """Where the plan's databases are. One that is source and target is found as the source, a removal's as it says."""
    with addresses(plan.project, {"source": plan.source.env, "target": plan.target.env}) as found:
        if plan.removal is not None:
            yield {"source": found[plan.removal.on], "target": found[plan.removal.on]}
            return
        yield {**found, "target": found["source"]} if plan.databases == 1 else found


def confirm_purge(plan: Plan, typed: str | None) -> None:
    """Let the removal's name be typed before its backup goes: nothing leads back from there. Raises RunnerError."""
    removal = plan.removal
    if removal is None or PHASES[4] != removal.phase:
        return
    if typed is None and sys.stdin.isatty():
        question = f"the backup of removal {removal.name} ({removal.table}) goes for good; type its name"
        typed = click.prompt(question, default="", show_default=False, err=True)
    if typed != removal.name:
        said = "was not typed" if not typed else f'is not "{typed}"'
        raise RunnerError(f"the removal's name {said}: nothing was changed", f"--confirm {removal.name}", USAGE)


def confirmed(question: str, yes: bool, places: Mapping[Side, Address]) -> None:
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
