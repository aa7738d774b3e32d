"""Resume: killed at any instant, the run goes on to the same content; nothing is lost and nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from runner.errors import Refused, RunnerError
from tests.pg.migration import SLOW, TRANSHUME, Migration, wait_for, wait_for_sleep

Make = Callable[..., Migration]

CHUNK_POINTS = (
    "before-fence", "after-fence", "after-claim", "mid-copy", "after-copy", "after-load", "before-commit",
    "after-commit",
)  # fmt: skip
OTHER_POINTS = ("ddl-before-fence", "ddl-before-record", "ddl-before-commit", "ddl-after-commit")

# A runner that is wrong on purpose: its checkpoint is committed before the rows.
EARLY_CHECKPOINT = """
import psycopg, runner.journal as journal
claim = journal.claim_chunk
def early(session, run, step, chunk, after, upto):
    with psycopg.connect(session.info.dsn) as other:
        claim(other, run, step, chunk, after, upto)
        other.execute("UPDATE transhume.chunk SET loaded = 0, filtered = 0, rejected = 0, nulled = 0")
journal.claim_chunk = early
import transhume
transhume.main()
"""


def killed(migration: Migration, failpoint: str) -> None:
    """Run apply until it is killed."""
    done = migration.command("apply", TRANSHUME_FAILPOINT=failpoint)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def undisturbed(migrations: Make) -> object:
    """The content that a run without trouble gives."""
    migration = migrations(rows=200, chunk=(50, 50))
    migration.apply()
    return migration.content(), migration.rejects()


@pytest.mark.parametrize("point", [f"{point}:3" for point in CHUNK_POINTS] + [f"{point}:4" for point in OTHER_POINTS])
def test_killed_at_a_failpoint(migrations: Make, undisturbed: object, point: str) -> None:
    """Wherever the crash is, applying again ends with the content of a run without trouble."""
    migration = migrations(rows=200, chunk=(50, 50))
    killed(migration, point)

    migration.apply()

    assert (migration.content(), migration.rejects()) == undisturbed
    assert migration.verify().green


@pytest.mark.parametrize("point", ["before-commit:2", "after-commit:2"])
def test_killed_within_one_database(migrations: Make, undisturbed: object, point: str) -> None:
    """Where source and target are one database, the same holds."""
    migration = migrations(rows=200, chunk=(50, 50), databases=1)
    killed(migration, point)

    migration.apply()

    assert (migration.content(), migration.rejects()) == undisturbed


def test_a_checkpoint_outside_the_transaction_loses_rows(migrations: Make, undisturbed: object) -> None:
    """The test can fail: with a checkpoint that is committed before its rows, a crash loses them, and it is noticed.

    By verify, or before that by the budget, where it was the rows that others refer to.
    """
    migration = migrations(rows=200, chunk=(50, 50))
    command = [sys.executable, "-c", EARLY_CHECKPOINT, "apply", str(migration.folder)]
    env = migration.environment(TRANSHUME_FAILPOINT="before-commit:3")
    assert subprocess.run(command, env=env, capture_output=True, check=False).returncode == -signal.SIGKILL

    with pytest.raises(RunnerError, match=r"is red|would be set aside"):
        migration.apply()

    assert (migration.content(), migration.rejects()) != undisturbed


def test_interrupted_runs_go_on(migrations: Make, undisturbed: object) -> None:
    """SIGINT ends the chunks in flight with exit code 130 and says how to go on; so does SIGTERM."""
    migration = migrations(rows=200, chunk=(1, 1))
    for number in (signal.SIGINT, signal.SIGTERM):
        runner = subprocess.Popen(
            [*TRANSHUME, "apply", str(migration.folder)], env=migration.environment(), stderr=subprocess.PIPE, text=True
        )
        wait_for(migration, number == signal.SIGTERM)
        runner.send_signal(number)
        error = runner.communicate(timeout=60)[1]
        assert runner.returncode == 130, error
        assert f"error: interrupted\n  = hint: what is committed stays; `transhume apply {migration.folder}`" in error
        assert migration.ask("SELECT state FROM transhume.run") == [("open",)]
    migration.apply()

    assert migration.content() == undisturbed[0]  # type: ignore[index]


def test_applying_again_changes_nothing(migrations: Make) -> None:
    """A run that is done says so, with exit code 0, and touches nothing."""
    migration = migrations(rows=50)
    migration.apply()
    before = migration.ask("SELECT count(*), max(epoch) FROM transhume.event, transhume.run")

    again = migration.command("apply")

    assert again.returncode == 0, again.stderr
    assert "was applied before, by run" in again.stdout
    assert migration.ask("SELECT count(*), max(epoch) FROM transhume.event, transhume.run") == before


def test_another_source_is_refused(migrations: Make) -> None:
    """A run does not go on with another source than the one that it was begun with."""
    migration = migrations(rows=200, chunk=(50, 50))
    killed(migration, "after-commit:2")
    other = migrations(rows=200, chunk=(50, 50))

    with pytest.raises(Refused, match="was begun with another source"):
        Migration(migration.folder, other.source, migration.target).apply()


def test_another_plan_is_refused(migrations: Make) -> None:
    """An unfinished run of another version of the plan is to be rolled back first; a finished one too."""
    migration = migrations(rows=200, chunk=(50, 50))
    killed(migration, "after-commit:2")
    changed = migrations(rows=200, chunk=(50, 60))

    with pytest.raises(Refused, match="the open run of project hand was made by another version of the plan"):
        Migration(changed.folder, migration.source, migration.target).apply()


def test_a_second_runner_is_refused(migrations: Make) -> None:
    """While a runner is at work, another one says who it is and exits with 4, quickly."""
    migration = migrations(rows=50, edits={"constrain.orders": SLOW})
    with subprocess.Popen([*TRANSHUME, "apply", str(migration.folder)], env=migration.environment()) as first:
        wait_for_sleep(migration)
        second = migration.command("apply")
        first.kill()

    assert second.returncode == 4, second.stderr
    assert second.stderr.startswith("error: another runner is at work on project hand: ")
    assert f" process {first.pid}, since " in second.stderr


def test_a_zombie_is_fenced(migrations: Make) -> None:
    """A runner that was overtaken while it hung can commit nothing any more, and says so."""
    migration = migrations(rows=500, chunk=(1, 1))
    errors: list[BaseException] = []

    def first() -> None:
        try:
            migration.apply()
        except RunnerError as error:
            errors.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    wait_for(migration, False)
    migration.ask("UPDATE transhume.run SET epoch = epoch + 1")
    thread.join()

    assert [str(error).splitlines()[0] for error in errors] == ["another runner has taken this run over"]
    loaded = migration.ask("SELECT sum(loaded) FROM transhume.chunk WHERE step = 'load.orders'")
    assert migration.ask("SELECT count(*) FROM app.orders") == loaded
