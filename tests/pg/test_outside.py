"""Builds outside of a transaction: killed at any instant they are done once and whole, and what is others' stays."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from runner.errors import RunnerError
from tests.conftest import Databases
from tests.pg.migration import TRANSHUME, Migration
from tests.pg.test_golden_plans_pg import catalog, content, migration_of
from tests.test_golden import GOLDEN, compiled

CASE = GOLDEN / "plans" / "concurrently"
BUILDS = """SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query ~ '^CREATE (UNIQUE )?INDEX CONCURRENTLY'"""
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"

Compile = Callable[..., Path]


@pytest.fixture
def compile_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compile:
    """Compiles a golden case with one text in its tables replaced; the plan's folder."""

    def make(case: Path, table: str, old: str, new: str) -> Path:
        changed = Path(shutil.copytree(case, tmp_path / "case"))
        spec = changed / "tables" / f"{table}.yaml"
        assert old in spec.read_text()
        spec.write_text(spec.read_text().replace(old, new))
        (tmp_path / "project").mkdir()
        monkeypatch.chdir(tmp_path / "project")
        assert compiled(changed, tmp_path / "project").exit_code == 0
        return tmp_path / "project" / "plans" / "demo"

    return make


@contextmanager
def old_transaction(migration: Migration) -> Iterator[psycopg.Connection]:
    """A transaction that every build has to wait for, and that locks nothing."""
    with closing(psycopg.connect(migration.target)) as session:
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.execute("SELECT count(*) FROM pg_class")
        yield session


def wait_for_builds(migration: Migration, gone: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]
    """Wait until builds are waiting, none of them in a process of `gone`; their processes."""
    deadline = time.monotonic() + 30
    while True:
        found = {pid for (pid,) in migration.ask(BUILDS)}
        if found and not found & gone:
            return found
        assert time.monotonic() < deadline, "the build was never reached"
        time.sleep(0.05)


@pytest.mark.both_servers
@pytest.mark.parametrize("point", ["outside-before-intent:2", "outside-before-record:3"])
def test_killed_between_statements(databases: Databases, point: str) -> None:
    """Before the intent, or after the build and before its record: what is built stays, and the rest is built."""
    migration = migration_of(CASE, databases)
    assert migration.command("apply", TRANSHUME_FAILPOINT=point).returncode == -signal.SIGKILL
    built = set(migration.ask("SELECT indexrelid FROM pg_index WHERE indrelid::regclass::text ~ '^app' AND indisvalid"))

    migration.apply()

    assert built <= set(migration.ask("SELECT indexrelid FROM pg_index"))
    assert migration.ask(INVALID) == []
    assert len(migration.rejects()) == 40
    assert migration.verify().green


@pytest.mark.both_servers
def test_killed_amid_a_build(databases: Databases) -> None:
    """The orphan is ended, the invalid index that it left dropped, and built again; two builds are never at work."""
    migration = migration_of(CASE, databases)
    command = [*TRANSHUME, "apply", str(migration.folder), "--jobs", "1"]
    with old_transaction(migration) as older:
        with subprocess.Popen(command, env=migration.environment(), stderr=subprocess.DEVNULL) as runner:
            orphans = wait_for_builds(migration)
            runner.kill()
        (invalid,) = migration.ask(INVALID)
        with subprocess.Popen(command, env=migration.environment(), stderr=subprocess.DEVNULL) as second:
            assert len(orphans) == len(wait_for_builds(migration, orphans)) == 1
            assert not orphans & {pid for (pid,) in migration.ask("SELECT pid FROM pg_stat_activity")}
            assert migration.ask(INVALID) == [invalid]
            older.rollback()
            assert second.wait(timeout=60) == 0

    assert migration.ask(INVALID) == []
    assert migration.verify().green
    migration.roll_back()
    assert migration.ask("SELECT count(*) FROM app.visits") == [(0,)]


def test_a_connection_lost_amid_a_build(databases: Databases) -> None:
    """The runner finds the invalid index that its lost session left, drops it, and builds it again."""
    migration = migration_of(CASE, databases)
    with old_transaction(migration) as older:
        applying = threading.Thread(target=migration.apply, kwargs={"jobs": 1})
        applying.start()
        (lost,) = wait_for_builds(migration)
        migration.ask("SELECT pg_terminate_backend(%s)", lost)
        wait_for_builds(migration, {lost})
        older.rollback()
        applying.join()

    assert any("trying again" in text for text in migration.notices.texts)
    assert migration.ask(INVALID) == []
    assert migration.verify().green


def test_an_older_transaction_that_does_not_end(databases: Databases) -> None:
    """It is waited for longer than other locks are, and not for ever; the next apply goes on from there."""
    migration = migration_of(CASE, databases)
    with old_transaction(migration), pytest.raises(RunnerError, match=r"lock timeout \[55P03\]"):
        migration.apply(jobs=1, patience=0.2)
    assert migration.ask("SELECT state, error FROM transhume.step WHERE state = 'failed'") == [
        ("failed", "canceling statement due to lock timeout [55P03]")
    ]

    migration.apply()
    assert migration.verify().green


@pytest.mark.both_servers
def test_duplicates_that_stop_the_step(databases: Databases, compile_case: Compile) -> None:
    """A unique index that cannot be built is not left behind, where it would refuse the application's rows."""
    folder = compile_case(CASE, "visits", "duplicates: first", "duplicates: fail")
    target = databases.create("target", content(CASE, "target"))
    migration = Migration(folder, databases.create("source", content(CASE, "source")), target)

    with pytest.raises(RunnerError, match=r'could not create unique index "visit_once" \[23505\]') as caught:
        migration.apply()
    assert caught.value.hint.startswith("the plan does not say which of the rows that are equal go")
    assert migration.ask(INVALID) == []
    assert migration.ask("SELECT to_regclass('app.visit_once')") == [(None,)]


def test_within_one_database(databases: Databases, compile_case: Compile) -> None:
    """No session of the runner holds a snapshot that its own builds would wait for."""
    case = GOLDEN / "plans" / "one_database"
    index = "same: [name]\nindexes: [{columns: [name], concurrently: true}]"
    folder = compile_case(case, "patients", "same: [name]", index)
    both = databases.create("source", content(case, "source"))
    migration = Migration(folder, both, both)

    migration.apply(patience=0.5)

    assert migration.verify().green
    assert not any("trying again" in text for text in migration.notices.texts)


FOREIGN = "CREATE TABLE app.notes (name text); CREATE INDEX patients_born_idx ON app.notes (name)"


def test_an_index_of_somebody_else(databases: Databases) -> None:
    """An index of that name on another table stops the step before anything of it; it stays, also when rolled back."""
    migration = migration_of(CASE, databases)
    migration.ask(FOREIGN)
    before = catalog(migration.target)

    with pytest.raises(RunnerError, match=r"index\.patients: gate is red") as caught:
        migration.apply()
    assert caught.value.notes == ("patients_born_idx is there already",)
    migration.roll_back()
    assert catalog(migration.target) == before


@pytest.mark.parametrize(
    "made, note",
    [
        (FOREIGN, "patients_born_idx is there, and is another index"),
        (
            "CREATE INDEX patients_born_idx ON app.patients (born) WHERE born > '3'",
            '"patients_born_idx" is there already, valid, and this run did not build it',
        ),
    ],
)
def test_an_index_that_came_meanwhile(databases: Databases, made: str, note: str) -> None:
    """An index that somebody makes under the name, before the intent, is theirs: it is not dropped, nor taken over."""
    migration = migration_of(CASE, databases)
    done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT="outside-before-intent:4")
    assert done.returncode == -signal.SIGKILL
    migration.ask(made)

    with pytest.raises(RunnerError, match='probe of "patients_born_idx" is red') as caught:
        migration.apply()

    assert caught.value.notes == (note,)
    assert migration.ask("SELECT to_regclass('app.patients_born_idx') IS NOT NULL") == [(True,)]
