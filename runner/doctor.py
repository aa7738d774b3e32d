"""`transhume doctor`: what this machine and the databases lack for a migration, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.table import Table

from runner import embedded
from runner.doctor_databases import Finding, check_project, projects
from runner.embedded_home import major
from runner.errors import RunnerError

OLDEST_PYTHON = (3, 11)
ROOM = 2_000_000_000  # bytes: the demo's data, its indexes and max_wal_size
MARKS = {"ok": "[green]ok[/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}


@click.command()
@click.argument("project", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON list.")
def doctor(project: Path | None, as_json: bool) -> None:
    r"""Check this machine, and the databases of PROJECT, and say what to do.

    PROJECT is a name, or a folder under specs/ or plans/; without it, every project found there is checked. Nothing is
    written, but for the embedded server's own data folder. The exit code is 1 where a check failed.

    \b
    Example:
      transhume doctor plans/dispatch
      transhume doctor --json
    """
    chosen = projects(project, Path.cwd())
    findings = [*machine(), *(finding for path in chosen for finding in check_project(path, os.environ))]
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        show(findings)
    sys.exit(int(any(finding.status == "fail" for finding in findings)))


def machine() -> Iterator[Finding]:
    """What does not depend on a project."""
    yield check_python()
    yield check_packages()
    yield check_binaries()
    yield check_start()
    yield check_terminal()


def check_python() -> Finding:
    """The interpreter's version."""
    old = sys.version_info < OLDEST_PYTHON
    advice = "install Python {}.{} or later".format(*OLDEST_PYTHON) if old else ""
    return Finding("python", "fail" if old else "ok", f"{platform.python_version()} on {platform.platform()}", advice)


def check_packages() -> Finding:
    """The libraries that the package asks for, and that psycopg is not the slow one in pure Python."""
    wanted = [line for line in importlib.metadata.requires("transhume") or () if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted]
    missing = [name for name in names if not _installed(name)]
    if missing:
        return Finding("packages", "fail", f"missing: {', '.join(missing)}", "reinstall transhume")
    if psycopg.pq.__impl__ == "python":
        return Finding("packages", "warn", "psycopg runs in pure Python", "pip install 'psycopg[binary]': far faster")
    return Finding("packages", "ok", f"{len(names)} libraries, psycopg {psycopg.__version__} ({psycopg.pq.__impl__})")


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def check_binaries() -> Finding:
    """The binaries that the embedded server needs."""
    try:
        binaries = embedded.embedded_bin()
        return Finding("embedded binaries", "ok", f"PostgreSQL {major(binaries)} in {binaries}")
    except RunnerError as error:
        return Finding("embedded binaries", "fail", error.message, error.hint)


def check_start() -> Finding:
    """Whether the embedded server starts and answers, and whether its folder has room for a demo."""
    began = time.monotonic()
    try:
        with embedded.running() as server:
            embedded.databases(server)
            seconds = time.monotonic() - began
            free = shutil.disk_usage(server.data.parent.parent).free
    except RunnerError as error:
        return Finding("embedded server", "fail", "\n".join((error.message, *error.notes)), error.hint)
    found = f"answers after {seconds:.1f} s; {free / 1e9:.0f} GB free in {embedded.state_home()}"
    if free < ROOM:
        return Finding("embedded server", "warn", found, "TRANSHUME_HOME chooses a folder with more room")
    return Finding("embedded server", "ok", found)


def check_terminal() -> Finding:
    """Whether progress can be drawn, and every name printed."""
    encoding = (sys.stdout.encoding or "").lower()
    if encoding.replace("-", "") != "utf8":
        return Finding("terminal", "warn", f"its encoding is {encoding}", "set PYTHONIOENCODING=utf-8, or LANG=C.UTF-8")
    if not sys.stdout.isatty():
        return Finding("terminal", "ok", "none: progress is written in plain lines")
    return Finding("terminal", "ok", f"{shutil.get_terminal_size().columns} columns, {encoding}")


def show(findings: list[Finding]) -> None:
    """Print the findings as a table, what fails in red."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        advice = f"\n-> {finding.advice}" if finding.advice else ""
        table.add_row(MARKS[finding.status], finding.check, f"{finding.found}{advice}")
    Console(highlight=False).print(table)
