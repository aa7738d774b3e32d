"""Projects for tests of the runner: a source as SQL, specs as text, compiled into a plan between real databases."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.pipeline import compile_project
from compiler.write import write_folder
from runner.connect import address, open_source
from runner.sections import Side
from runner.snapshot import read_catalog, write_catalog
from tests.conftest import Databases
from tests.pg.migration import Migration

PROJECT = """\
project: moves
source: {env: LEGACY_DATABASE_URL, schema: public}
target: {env: TARGET_DATABASE_URL, schema: app}
ids: {namespace: 1b671a64-40d5-491e-99b0-da01ff1f3341, version: 3}
limits: {rejected: 100%MORE}
"""
CONTENT = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM app.{} AS t"
# What of the rows set aside does not depend on how the rows were cut into chunks.
ASIDE = """SELECT table_id, source, key, raw, target_column, reason, sqlstate, action FROM transhume.reject
           ORDER BY table_id, key, target_column, reason"""
Found = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Projects:
    """Makes migrations below a folder."""

    databases: Databases
    here: Path

    def __call__(self, source: str, specs: Mapping[str, str], limits: str = "", target: str = "") -> Migration:
        """The specs by table, compiled against a source of that content; `limits` are added to the project's."""
        one, other = self.databases.create("source", source), self.databases.create("target", target)
        return self.between(one, other, specs, limits)

    def between(self, source: str, target: str, specs: Mapping[str, str], limits: str = "") -> Migration:
        """The same between two databases that are there."""
        number = len(list(self.here.glob("moves*")))
        folder, made = self.here / f"moves{number}" / "specs" / "moves", self.here / f"moves{number}" / "plan"
        (folder / "catalog").mkdir(parents=True)
        (folder / "tables").mkdir()
        made.mkdir()
        sides: tuple[tuple[Side, str, str], ...] = (("source", source, "public"), ("target", target, "app"))
        for side, conninfo, schema in sides:
            with closing(open_source(address("DATABASE", conninfo), "test")) as session:
                write_catalog(read_catalog(session, side, [schema]), folder / "catalog" / f"{side}.yaml")
        (folder / "project.yaml").write_text(PROJECT.replace("MORE", limits))
        for table, spec in specs.items():
            (folder / "tables" / f"{table}.yaml").write_text(spec)
        write_folder(made, compile_project(folder))
        return Migration(made, source, target)


def found(migration: Migration, *tables: str) -> tuple[Found, Found]:
    """The content of each table, as count and sum, and what was set aside."""
    return [row for table in tables for row in migration.ask(CONTENT.format(table))], migration.ask(ASIDE)
