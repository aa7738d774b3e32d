"""Removals under test: a database, a spec, the plans of its phases, and an application that goes on writing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from compiler.pipeline import compile_project
from compiler.render import render
from compiler.sql import literal
from compiler.write import write_folder
from runner import rollback
from runner.apply import Options, Outcome, apply
from runner.connect import Address, address, open_source
from runner.manifest import PHASES, Plan, read_plan
from runner.project import read_project
from runner.removals import restore as way
from runner.sections import Side
from runner.snapshot import read_catalog, write_catalog
from runner.watched import add_uses
from tests.conftest import Databases
from tests.pg.migration import ROOT, TRANSHUME, Notices

ENV = "PRODUCTION_DATABASE_URL"
PROJECT = f"""\
project: production
source: {{env: {ENV}, schema: app}}
target: {{env: {ENV}, schema: app}}
skip: {{"*": nothing moves here}}
"""


@dataclass(frozen=True, slots=True)
class Removing:
    """The plans of one removal, and the database that they are for."""

    plans: Path
    folder: Path
    conninfo: str
    notices: Notices = field(default_factory=Notices)

    @property
    def places(self) -> Mapping[Side, Address]:
        where = address(ENV, self.conninfo)
        return {"source": where, "target": where}

    def plan(self, phase: int) -> Plan:
        """The plan of a phase; 5 is the restore's."""
        return read_plan(self.folder / PHASES[phase])

    def apply(self, phase: int, patience: float = 20) -> Outcome:
        """Apply a phase in this process."""
        return apply(self.plan(phase), self.places, self.notices, Options(jobs=1, patience=patience))

    def undo(self, phase: int) -> rollback.Outcome:
        """Undo a phase in this process."""
        return rollback.roll_back(self.plan(phase), self.places, self.notices, patience=20)

    def restore(self, patience: float = 20) -> way.Restored:
        """Take the removal back in this process, from wherever it is."""
        return way.restore(self.folder, self.places, self.notices, Options(jobs=1, patience=patience))

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, or change it."""
        with closing(psycopg.connect(self.conninfo, autocommit=True)) as session:
            session.execute("SELECT set_config('search_path', '', false)")
            cursor = session.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def descriptor(self, column: str, table: str = "users") -> dict[str, Any]:
        """Everything that the server knows of a column."""
        query = render("removal/descriptor", schema=literal("app"), relation=literal(table), column=literal(column))
        ((found,),) = self.ask(query)
        return dict(found)

    def environment(self, **more: str) -> dict[str, str]:
        """What a command in another process needs."""
        return {**os.environ, ENV: self.conninfo, "PYTHONPATH": str(ROOT), **more}

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a command in another process, beside the plans."""
        return subprocess.Popen(
            [*TRANSHUME, *words], env=self.environment(**env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, stdin=subprocess.DEVNULL, cwd=self.plans.parent,
        )  # fmt: skip

    def command(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command in another process, beside the plans."""
        return subprocess.run(
            [*TRANSHUME, *words], env=self.environment(**env), capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False, cwd=self.plans.parent,
        )  # fmt: skip


def removing(
    databases: Databases, here: Path, content: str, spec: str, files: Mapping[str, str] | None = None,
    name: str = "users",
) -> Removing:  # fmt: skip
    """Compile the removal against a fresh database of that content."""
    return against(databases.create("production", content), here, spec, files, name)


def against(
    conninfo: str, here: Path, spec: str, files: Mapping[str, str] | None = None, name: str = "users"
) -> Removing:  # fmt: skip
    """Compile the removal against a database that is there."""
    folder, plans = here / "specs" / "production", here / "plans"
    (folder / "catalog").mkdir(parents=True, exist_ok=True)
    (folder / "removals" / "sql").mkdir(parents=True, exist_ok=True)
    (folder / "project.yaml").write_text(PROJECT)
    (folder / "removals" / f"{name}.yaml").write_text(f"removal: {name}\n{spec}")
    for file, text in (files or {}).items():
        (folder / "removals" / file).write_text(text)
    sides: tuple[Side, Side] = ("source", "target")
    project = read_project(str(folder))
    for side in sides:
        with closing(open_source(address(ENV, conninfo), "test")) as session:
            catalog = read_catalog(session, side, ["app"])
            add_uses(session, catalog, project, side)
            write_catalog(catalog, folder / "catalog" / f"{side}.yaml")
    write_folder(plans / "production", compile_project(folder))
    return Removing(plans, plans / "production" / "removals" / name, conninfo)


def shown(value: object) -> str:
    """A descriptor, or a part of one, as a text that can be compared line by line."""
    return json.dumps(value, indent=1, sort_keys=True, default=str)
