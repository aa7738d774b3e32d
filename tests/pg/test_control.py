"""A run at work that is paused, aborted, held by its neighbours: it obeys within a chunk, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from runner import asking, embedded
from runner.control import Wanted
from runner.manifest import read_plan
from runner.status import Status, status
from tests.conftest import UNSAFE
from tests.pg import by_hand
from tests.pg.migration import TRANSHUME, Migration, wait_for
from tests.pg.neighbours import standby, until, waiting
from transhume import main

Make = Callable[..., Migration]
ROWS = 400  # patients, in chunks of 4: long enough to be met at work
JOBS = 2
EXECUTORS = pytest.mark.parametrize("executor", ["threads", "processes"])
CHUNKS = "SELECT count(*) FROM transhume.chunk"
LATE = "SELECT count(*) FROM transhume.chunk WHERE committed_at > %s"


@contextlib.contextmanager
def applying(migration: Migration, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`transhume apply` in another process, which ends with the block."""
    command = [*TRANSHUME, "apply", str(migration.folder), "--jobs", str(JOBS), *options]
    with subprocess.Popen(
        command, env=migration.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def ask(migration: Migration, wanted: Wanted) -> object:
    """Ask, in this process, which is faster than the load; the time at which it was asked."""
    asking.ask(read_plan(migration.folder), migration.places, wanted)
    return migration.ask("SELECT clock_timestamp()")[0][0]


def pause(migration: Migration) -> object:
    """Ask for a pause and wait for it; the time at which it was asked."""
    asked = ask(migration, "pause")
    asking.ask(read_plan(migration.folder), migration.places, "pause", wait=60)
    return asked


def shown(migration: Migration) -> Status:
    """The run's status."""
    return status(read_plan(migration.folder), migration.places)


def held_by(migration: Migration) -> str:
    """Why the run waits; empty where it does not."""
    if migration.ask("SELECT to_regclass('transhume.control')") == [(None,)]:
        return ""
    return next((hold or "" for (hold,) in migration.ask("SELECT hold FROM transhume.control")), "")


def at_rest(migration: Migration) -> bool:
    """Whether no chunk is in flight, asked several times: a lane that has just read "go" is about to claim one."""
    query = """SELECT count(*) FROM pg_locks WHERE relation = 'transhume.chunk'::regclass AND mode = 'RowExclusiveLock'
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    return not any(migration.ask(query)[0][0] for _ in range(5))


def assert_right(migration: Migration, rows: int = ROWS) -> None:
    """All rows are where they belong."""
    verdict = migration.verify()
    assert verdict.green
    assert {one.table: one for one in verdict.accounts} == by_hand.accounts(rows)


@EXECUTORS
def test_a_paused_run_stands_still_and_goes_on(migrations: Make, executor: str) -> None:
    """Chunks in flight end, no other is committed until `resume`; then the run ends as if nothing had been."""
    migration = migrations(ROWS, chunk=(4, 4))
    with applying(migration, "--executor", executor) as process:
        wait_for(migration, False)
        asked = pause(migration)
        before = migration.ask(CHUNKS)
        assert migration.ask(LATE, asked)[0][0] <= JOBS, "more than the chunks in flight"
        told = json.loads(migration.command("status", "--json").stdout)
        assert told["state"] == "paused"
        assert told["control"]["by_whom"]
        assert migration.ask(CHUNKS) == before, "it moved on while it was paused"
        assert process.poll() is None

        assert migration.command("resume").returncode == 0
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
    assert_right(migration)


@EXECUTORS
def test_an_aborted_run_ends_as_after_ctrl_c(migrations: Make, executor: str) -> None:
    """Exit code 130 and who it was, after the chunks in flight; what is committed stays, and apply goes on."""
    migration = migrations(ROWS, chunk=(4, 4))
    with applying(migration, "--executor", executor) as process:
        wait_for(migration, False)
        asked = ask(migration, "stop")
        _, stderr = process.communicate(timeout=60)
    who = migration.ask("SELECT by_whom FROM transhume.control")[0][0]
    assert process.returncode == 130
    assert f"error: aborted by {who}\n" in stderr
    assert f"  = hint: what is committed stays; `transhume apply {migration.folder}` goes on from there" in stderr
    assert "Traceback" not in stderr
    assert migration.ask(CHUNKS)[0][0] > 0
    assert migration.ask(LATE, asked)[0][0] <= JOBS, "more than the chunks in flight"
    assert shown(migration).state == "stopped"

    migration.apply()
    assert_right(migration)


def test_a_runner_that_is_killed_while_it_is_paused(migrations: Make) -> None:
    """The next one is not paused: it goes on to the end."""
    migration = migrations(ROWS, chunk=(4, 4))
    with applying(migration) as process:
        wait_for(migration, False)
        pause(migration)
        process.kill()
        process.wait()

    migration.apply()
    assert migration.ask("SELECT state FROM transhume.run") == [("done",)]
    assert_right(migration)


def test_a_run_waits_while_others_wait_for_locks(migrations: Make) -> None:
    """The reason is shown, in the status and by the runner; no chunk is committed meanwhile; then it goes on."""
    migration = migrations(ROWS, chunk=(4, 4))
    migration.ask("CREATE TABLE public.busy ()")
    with applying(migration, "--max-waiters", "0") as process:
        wait_for(migration, False)
        with closing(psycopg.connect(migration.target)) as lock:
            lock.execute("LOCK TABLE public.busy")
            with waiting(migration.target, "TABLE public.busy", "web") as pid:
                reason = f"1 session waits for locks on the target, the bound is 0: process {pid} (web)"
                until(lambda: held_by(migration) == reason, "the run was never held")
                until(lambda: at_rest(migration), "a chunk is in flight")
                before = migration.ask(CHUNKS)
                assert shown(migration).state == "held"
                assert f"\nheld: {reason}\n" in migration.command("status").stdout
                assert migration.ask(CHUNKS) == before, "it moved on while it was held"
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
    assert reason in stderr
    assert held_by(migration) == ""
    assert_right(migration)


def test_a_run_waits_for_a_standby(home: Path, tmp_path: Path) -> None:
    """The reason is shown, with the figure and the standby's name; once that has caught up, the run ends."""
    rows = 50
    with embedded.running(home, settings=UNSAFE) as server, standby(server, "replica_a") as replica:
        for name in ("source", "target"):
            embedded.create_database(server, name)
        migration = Migration(
            by_hand.write_plan(tmp_path / "hand", chunk=(4, 4)), server.conninfo("source"), server.conninfo("target")
        )
        migration.ask_source(by_hand.source(rows))
        migration.ask("CREATE TABLE public.ballast AS SELECT repeat('x', 1000) FROM generate_series(1, 4000)")
        replica.stop_replay()
        migration.ask("INSERT INTO public.ballast TABLE public.ballast; CHECKPOINT")
        with applying(migration, "--max-lag", "1MB") as process:
            until(lambda: held_by(migration), "the run was never held")
            reason = held_by(migration)
            assert reason.startswith("replication lag ")
            assert ' of standby "replica_a" is past 1024 kB' in reason
            assert shown(migration).state == "held"
            replica.replay()
            _, stderr = process.communicate(timeout=120)
            assert process.returncode == 0, stderr
        assert ' of standby "replica_a" is past 1024 kB' in stderr
        assert_right(migration, rows)


def test_a_rate_is_kept(migrations: Make) -> None:
    """All lanes together move no more rows a second than `--max-rate`."""
    rate = 400.0
    migration = migrations(ROWS, chunk=(4, 40))
    with applying(migration, "--max-rate", str(rate)) as process:
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    query = """SELECT sum(loaded + filtered + rejected)::float8,
                      extract(epoch FROM max(committed_at) - min(committed_at - seconds * interval '1 s'))::float8
               FROM transhume.chunk"""
    rows, seconds = migration.ask(query)[0]
    unslept = JOBS * (40 + rate)  # the last chunk of each lane, and a second in which lanes that come share it anew
    assert rows > unslept
    assert (rows - unslept) / seconds <= rate
    assert_right(migration)


@pytest.mark.parametrize("option", ["--max-lag=5", "--max-lag=-1MB", "--max-waiters=-1", "--max-rate=0"])
def test_a_bound_that_is_none(migrations: Make, option: str) -> None:
    """A usage error."""
    migration = migrations(0)
    done = CliRunner().invoke(main, ["apply", str(migration.folder), option], env=migration.environment())
    assert done.exit_code == 2


def test_a_lag_that_the_role_may_not_see(migrations: Make) -> None:
    """A bound that would never be found to be passed is refused before anything is written."""
    migration = migrations(0)
    name = f"limited_{abs(hash(migration.target)) % 10**9}"
    database = migration.ask("SELECT current_database()")[0][0]
    migration.ask(f"CREATE ROLE {name} LOGIN; GRANT CREATE ON DATABASE {database} TO {name}")
    try:
        target = psycopg.conninfo.make_conninfo(migration.target, user=name)
        done = Migration(migration.folder, migration.source, target).command("apply", "--max-lag", "64MB")
        assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]
    finally:
        migration.ask(f"DROP OWNED BY {name}; DROP ROLE {name}")

    assert done.returncode == 4
    assert "error: the role may not see the replication lag of the target, which has a bound\n" in done.stderr
