"""`transhume demo`: a whole migration on the embedded server, from a legacy database to a verified target."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import click
import psycopg
from rich.console import Console

from runner import demo as data
from runner import embedded
from runner.apply import Options, apply
from runner.bars import Bars
from runner.commands.reporting import reporting
from runner.connect import Address
from runner.databases import SIDES, Side, stand_in
from runner.errors import FAILED, USAGE, RunnerError, SqlError
from runner.manifest import read_plan
from runner.progress import Lines, Progress
from runner.report import accounting_table, checks_table, red_lines, standard_output
from runner.verify import Verdict, verify


@click.command()
@click.argument("project", type=click.Choice([data.PROJECT]), default=data.PROJECT)
@click.option(
    "--scale",
    type=click.FloatRange(data.SMALLEST, data.LARGEST),
    default=1.0,
    show_default=True,
    help="How much data: 1 is about 200,000 rows.",
)
@click.option("--fresh/--keep", default=True, help="Make both databases anew (default), or go on with the last demo's.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Steps at a time.")
def demo(project: str, scale: float, fresh: bool, jobs: int) -> None:
    r"""Run a whole migration on the embedded PostgreSQL: plan, apply, verify.

    The source is a Django database with the dirt of fifteen years, the target is empty. It ends with a table of where
    every row is. No database of yours is touched, whatever the environment says.

    \b
    Example:
      transhume demo dispatch
      transhume demo dispatch --scale 10
    """
    started = time.monotonic()
    console = standard_output()
    with reporting():
        folder = _plan(project)
        with embedded.running() as server:
            _databases(server, scale, fresh)
            places = {side: stand_in(server, project, side) for side in SIDES}
            verdict = _migrate(folder, places, jobs, console)
        _tell(verdict, console, folder, time.monotonic() - started)
    sys.exit(0 if verdict.green else FAILED)


def _plan(project: str) -> Path:
    """Compile the specs, where they are here; the plan's folder. The compiler runs as its users run it: by itself."""
    folder, specs = Path("plans") / project, Path("specs") / project
    if (specs / "project.yaml").is_file():
        done = subprocess.run([sys.executable, "-m", "transhume", "plan", str(specs)], check=False)
        if done.returncode:
            sys.exit(done.returncode)
    elif not folder.is_dir():
        hint = "run it in a clone of Transhume, which holds them: `make demo`"
        raise RunnerError(f"there are no {specs} and no {folder} here", hint, USAGE)
    return folder


def _databases(server: embedded.Server, scale: float, fresh: bool) -> None:
    started = time.monotonic()
    try:
        data.create(server, scale, fresh=fresh)
    except psycopg.Error as error:
        raise SqlError(error) from None
    click.echo(
        f"embedded PostgreSQL {server.version}: source and target are there ({time.monotonic() - started:.1f} s)"
    )


def _migrate(folder: Path, places: dict[Side, Address], jobs: int, console: Console) -> Verdict:
    """Apply the plan, then verify what came of it."""
    plan = read_plan(folder)
    progress: Progress = Bars(console) if console.is_terminal else Lines(click.echo)
    outcome = apply(plan, places, progress, Options(jobs))
    moved = sum(account.moved for account in outcome.accounts)
    click.echo(f"applied: {moved:,} rows of {len(outcome.accounts)} tables moved in {outcome.seconds:.1f} s")
    return verify(plan, places, jobs)


def _tell(verdict: Verdict, console: Console, folder: Path, seconds: float) -> None:
    """The table of where every row is, and what was found wrong."""
    red = [check for check in verdict.checks if not check.green]
    if red:
        console.print(checks_table(verdict.checks))
    for line in red_lines(red):
        console.print(line, style="red", markup=False, highlight=False)
    console.print(accounting_table(verdict.accounts))
    found = (
        f"{len(red)} of {len(verdict.checks)} checks are red" if red else f"all {len(verdict.checks)} checks are green"
    )
    click.echo(f"verified: {found}, after {seconds:.1f} s")
    click.echo(f"look around: transhume rejects {folder} · transhume status {folder} · transhume rollback {folder}")
