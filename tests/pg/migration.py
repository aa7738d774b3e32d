"""A migration under test: the plan written by hand, its databases, and the runner, in this process or in another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from runner import apply as runner_apply
from runner import rollback, verify
from runner.connect import Address, address
from runner.manifest import read_plan
from runner.progress import Silent
from runner.sections import Side

TRANSHUME = (sys.executable, "-m", "transhume")
ROOT = Path(__file__).parents[2]

# The rows of a table as one number: a sum, so that neither a lost row nor a doubled one goes unnoticed.
CONTENT = """SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM app.{} AS t"""


@dataclass
class Notices(Silent):
    """Remembers what it was told."""

    texts: list[str] = field(default_factory=list)

    def notice(self, text: str) -> None:
        """Remember it."""
        self.texts.append(text)


@dataclass(frozen=True, slots=True)
class Migration:
    """The plan in `folder` between two databases, given as conninfo."""

    folder: Path
    source: str
    target: str
    notices: Notices = field(default_factory=Notices)

    @property
    def places(self) -> Mapping[Side, Address]:
        return {
            "source": address("LEGACY_DATABASE_URL", self.source),
            "target": address("TARGET_DATABASE_URL", self.target),
        }

    def apply(self, jobs: int = 2, patience: float = 5, **options: Any) -> runner_apply.Outcome:
        """Apply in this process."""
        chosen = runner_apply.Options(jobs=jobs, patience=patience, **options)
        return runner_apply.apply(read_plan(self.folder), self.places, self.notices, chosen)

    def verify(self) -> verify.Verdict:
        """Verify in this process."""
        return verify.verify(read_plan(self.folder), self.places)

    def roll_back(self) -> rollback.Outcome:
        """Roll back in this process."""
        return rollback.roll_back(read_plan(self.folder), self.places, self.notices, patience=5)

    def environment(self, **more: str) -> dict[str, str]:
        """What a command in another process needs."""
        urls = {"LEGACY_DATABASE_URL": self.source, "TARGET_DATABASE_URL": self.target}
        return {**os.environ, **urls, "PYTHONPATH": str(ROOT), **more}

    def command(self, name: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command of transhume on the plan, in another process."""
        return subprocess.run(
            [*TRANSHUME, name, str(self.folder), *options], env=self.environment(**env), capture_output=True,
            text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the target."""
        return _ask(self.target, query, values)

    def ask_source(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the source; with autocommit, so that it may be changed too."""
        return _ask(self.source, query, values)

    def content(self) -> list[tuple[Any, ...]]:
        """Count and sum of each table of the target."""
        return [row for table in ("patient", "orders") for row in self.ask(CONTENT.format(table))]

    def rejects(self) -> list[tuple[Any, ...]]:
        """What was set aside in the last run, in a fixed order."""
        return self.ask(
            """SELECT table_id, key, action, reason, sqlstate, step FROM transhume.reject
               WHERE run = (SELECT run FROM transhume.run ORDER BY started_at DESC LIMIT 1)
               ORDER BY table_id, key, action, target_column, step"""
        )


def _ask(conninfo: str, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    with closing(psycopg.connect(conninfo, autocommit=True)) as session:
        cursor = session.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def wait_for(migration: Migration, second: bool) -> None:
    """Wait until the runner, the first or the second of this run, is amid a load."""
    query = (
        "SELECT count(*) > 5 FROM transhume.chunk WHERE epoch = %s AND epoch = (SELECT max(epoch) FROM transhume.run)"
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        known = migration.ask("SELECT to_regclass('transhume.event') IS NOT NULL")[0][0]
        if known and migration.ask(query, 2 if second else 1)[0][0]:
            return
        time.sleep(0.02)
    raise AssertionError("the runner never loaded anything")


SLOW = (
    "ALTER TABLE app.orders VALIDATE CONSTRAINT orders_patient",
    "SELECT pg_catalog.pg_sleep(30);\nALTER TABLE app.orders VALIDATE CONSTRAINT orders_patient",
)


def wait_for_sleep(migration: Migration) -> None:
    """Wait until the slow statement of SLOW is running."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    deadline = time.monotonic() + 30
    while migration.ask(query) == [(0,)]:
        assert time.monotonic() < deadline, "the statement was never reached"
        time.sleep(0.05)
