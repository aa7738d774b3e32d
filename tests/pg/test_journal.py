"""The journal: created once, readable by `status` while a runner is at work, and its trail shows what was edited."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from runner import events, fence, journal
from runner.errors import Fenced, Refused
from runner.manifest import read_plan
from runner.status import status
from tests.pg.migration import Migration, wait_for

Make = Callable[..., Migration]


def test_creating_it_again_changes_nothing(migrations: Make) -> None:
    """The DDL may be run again, by two at once too."""
    migration = migrations(rows=0)
    with closing(psycopg.connect(migration.target, autocommit=True)) as one:
        threads = [threading.Thread(target=_create, args=(migration.target,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journal.journal_format(one) == journal.FORMAT
        journal.create(one)


def _create(target: str) -> None:
    with closing(psycopg.connect(target, autocommit=True)) as session:
        journal.create(session)


def test_another_format_is_refused(migrations: Make) -> None:
    """A journal of a later version is not touched."""
    migration = migrations(rows=10)
    migration.apply()
    migration.ask("UPDATE transhume.journal SET format = 4")

    with pytest.raises(Refused, match="the journal in the target has format 4, this runner knows format 3"):
        migration.apply()


def test_the_trail_shows_what_was_edited(migrations: Make) -> None:
    """An event that was changed, and one that was taken away, break the chain; verify is red then."""
    migration = migrations(rows=10)
    migration.apply()
    with closing(psycopg.connect(migration.target, autocommit=True)) as session:
        run = journal.latest_run(session, "hand")
        assert run is not None
        assert events.broken_link(session, run) is None

        session.execute("UPDATE transhume.event SET detail = detail || '!' WHERE event = 3")
        assert events.broken_link(session, run) == 3
        session.execute("UPDATE transhume.event SET detail = rtrim(detail, '!') WHERE event = 3")
        session.execute("DELETE FROM transhume.event WHERE event = 5")
        assert events.broken_link(session, run) == 6

    red = [check for check in migration.verify().checks if not check.green]
    assert [check.problems for check in red] == [("event 6 was changed, or one before it is gone",)]


def test_the_trail_tells_the_run(migrations: Make) -> None:
    """Who did what: begun, every step, done, verified, rolled back."""
    migration = migrations(rows=10)
    migration.apply()
    migration.verify()
    migration.roll_back()

    found = [what for (what,) in migration.ask("SELECT what FROM transhume.event ORDER BY event")]

    assert found[:2] == ["begun", "started"]
    assert found.count("done") == 14
    assert found[-17:] == ["done", "verified", "rolling back", *["reverted"] * 13, "rolled back"]


def test_the_fence_holds(migrations: Make) -> None:
    """A transaction under an old epoch is refused; taking over waits for one under the present epoch."""
    migration = migrations(rows=10)
    migration.apply()
    with closing(psycopg.connect(migration.target, autocommit=True)) as one:
        run = journal.latest_run(one, "hand")
        assert run is not None
        with one.transaction():
            fence.hold(one, run)
            with closing(psycopg.connect(migration.target, autocommit=True)) as two:
                two.execute("SET lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    fence.take_over(two, run, "me")
        newer = fence.take_over(one, run, "me")
        assert newer.epoch == run.epoch + 1
        with one.transaction(), pytest.raises(Fenced):
            fence.hold(one, run)


def test_a_load_that_started_anew_has_other_ranges(migrations: Make) -> None:
    """Who is still at a range of before can claim no chunk of it; and one in flight is waited for."""
    migration = migrations(rows=10)
    migration.apply()
    with (
        closing(psycopg.connect(migration.target, autocommit=True)) as one,
        closing(psycopg.connect(migration.target, autocommit=True)) as two,
    ):
        run = journal.latest_run(one, "hand")
        assert run is not None
        two.execute("SET lock_timeout = '50ms'")
        with one.transaction():
            journal.claim_chunk(one, run, "load.orders", 900, None, None)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                journal.forget_load(two, run, "load.orders")
        journal.forget_load(two, run, "load.orders")
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="chunk_range"):
            journal.claim_chunk(one, run, "load.orders", 901, None, None)


def test_status_while_a_runner_is_at_work(migrations: Make) -> None:
    """Another terminal sees the state, the steps, rows, rate and who is at work; and afterwards, that it is done."""
    migration = migrations(rows=200, chunk=(1, 1))
    runner = threading.Thread(target=migration.apply)
    runner.start()
    wait_for(migration, False)
    while migration.ask("SELECT count(size) FROM transhume.step") != [(2,)]:  # the other load may not have begun
        time.sleep(0.01)
    during = json.loads(migration.command("status", "--json").stdout)
    runner.join()
    after = migration.command("status")

    assert (during["state"], during["size"]) == ("running", 800)
    assert 0 < during["read"] <= 800
    assert during["rate"] > 0
    assert "process" in during["runner"]
    assert {step["state"] for step in during["steps"]} >= {"done", "running", "waiting"}
    assert "hand: done, 13 of 13 steps begun, 0 wait" in after.stdout
    assert "800 of 800 rows, " in after.stdout


def test_status_of_a_stopped_run(migrations: Make) -> None:
    """After a crash, status says that nobody is at work, and how to go on."""
    migration = migrations(rows=50, chunk=(5, 5))
    migration.command("apply", TRANSHUME_FAILPOINT="after-commit:3")

    text = migration.command("status").stdout

    assert "hand: stopped" in text
    assert "nobody is at work: `transhume apply` goes on, `transhume rollback` takes it back" in text


def test_status_after_a_rollback(migrations: Make) -> None:
    """A reverted step has no duration: the journal's end of it is that of the revert."""
    migration = migrations(rows=10)
    migration.apply()
    done = status(read_plan(migration.folder), migration.places)
    migration.roll_back()
    reverted = status(read_plan(migration.folder), migration.places)

    assert all(step.seconds is not None for step in done.steps)
    assert {(step.state, step.seconds) for step in reverted.steps} == {("reverted", None)}


def test_status_of_a_step_that_is_tried_again(migrations: Make) -> None:
    """A step at work goes on, whenever it failed before."""
    migration = migrations(rows=10)
    migration.apply()
    migration.ask("UPDATE transhume.step SET state = 'running', started_at = 'epoch', finished_at = 'epoch'")
    again = status(read_plan(migration.folder), migration.places)

    assert all(step.seconds is not None and step.seconds > 0 for step in again.steps)


def test_a_long_key_is_set_aside_once(migrations: Make) -> None:
    """A key may be longer than what an index takes, about 2.7 kB; the same one twice is still refused."""
    migration = migrations(rows=0)
    migration.apply()
    insert = """INSERT INTO transhume.reject (run, step, table_id, source, key, reason, sqlstate, action, target_column)
                SELECT run, 'load.x', 'x', 'x', ARRAY[%s, NULL, (
                  SELECT string_agg(sha512(n::text::bytea)::text, '') FROM generate_series(1, 100) AS n
                )], '', '22000', %s, %s FROM transhume.run"""
    for key, action, column in (("a", "rejected", None), ("b", "rejected", None), ("a", "nulled", "c")):
        migration.ask(insert, key, action, column)

    with pytest.raises(psycopg.errors.UniqueViolation, match="reject_once"):
        migration.ask(insert, "a", "rejected", None)
    assert migration.ask("SELECT count(*), min(length(key[3])) > 10000 FROM transhume.reject") == [(3, True)]


def test_status_without_a_run(migrations: Make) -> None:
    """A target that was never touched is not an empty table, and is not written to."""
    migration = migrations(rows=0)
    done = migration.command("status")

    assert (done.returncode, done.stdout) == (4, "")
    assert "error: project hand was never applied to this target" in done.stderr
    assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]
