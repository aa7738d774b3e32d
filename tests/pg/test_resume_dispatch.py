"""The demo's own plan, killed at random instants: resumed each time, it ends with the very same content."""

from __future__ import annotations

import random
import subprocess
import time

import psycopg
import pytest

from runner import demo
from tests.conftest import Databases
from tests.pg.migration import CONTENT, ROOT, TRANSHUME, Migration

TABLES = ("offices", "profiles", "doctors", "patients", "orders", "comments")
SCALE = 0.05
Content = tuple[list[object], list[object]]


@pytest.fixture
def migration(databases: Databases) -> Migration:
    """The committed plan between a small legacy database and an empty one."""
    made = Migration(ROOT / "plans" / "dispatch", databases.create("source"), databases.create("target"))
    with psycopg.connect(made.source) as connection:
        demo.fill(connection, SCALE)
    return made


def content(migration: Migration) -> Content:
    """Count and hash of each table, and what was set aside, of the last run."""
    return [row for table in TABLES for row in migration.ask(CONTENT.format(table))], list(migration.rejects())


def undisturbed(migration: Migration) -> tuple[Content, float]:
    """What a run without trouble leaves, and the seconds that it takes."""
    started = time.monotonic()
    done = migration.command("apply")
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    found = content(migration)
    migration.roll_back()
    return found, seconds


def was_killed(migration: Migration, delay: float) -> bool:
    """Run apply, kill it after `delay` seconds; False where it was done before."""
    runner = subprocess.Popen([*TRANSHUME, "apply", str(migration.folder)], env=migration.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        assert runner.wait(delay) == 0
        return False
    except subprocess.TimeoutExpired:
        runner.kill()
        runner.wait()
        return True


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_killed_at_random_instants(migration: Migration, seed: int) -> None:
    """Six times a run is killed, resumed, compared with the undisturbed run, and rolled back."""
    clock = random.Random(seed)
    expected, seconds = undisturbed(migration)
    kills = 0
    while kills < 6:
        if was_killed(migration, clock.uniform(0.2, seconds)):
            kills += 1
            migration.apply()
        assert content(migration) == expected
        assert migration.ask("SELECT state FROM transhume.run ORDER BY started_at DESC LIMIT 1") == [("done",)]
        migration.roll_back()
