"""What is asked of a run from another terminal, with a runner that only has the lock; runs at work: test_control.py."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result

from runner import asking, control, events, fence, journal, runs
from runner.connect import Session, open_target
from runner.control import Control
from runner.errors import Fenced, RunnerError
from runner.journal import Run
from runner.manifest import read_plan
from tests.pg.migration import Migration
from transhume import main

Make = Callable[..., Migration]


def call(migration: Migration, command: str, *options: str) -> Result:
    """A command on the plan, in this process."""
    return CliRunner().invoke(main, [command, str(migration.folder), *options], env=migration.environment())


def open_run(session: Session, migration: Migration) -> Run:
    """The migration's run, taken over; it is written down where there is none yet."""
    plan = read_plan(migration.folder)
    fence.lock(session, plan.project)
    journal.create(session)
    run = journal.latest_run(session, plan.project) or runs.begin(session, plan, "here", "there", "0")
    return runs.take_over(session, run, "started")


@contextlib.contextmanager
def at_work(migration: Migration) -> Iterator[tuple[Session, Run]]:
    """A runner that has taken the run over, and does nothing. At the end its lock is free."""
    with closing(open_target(migration.places["target"], "transhume", 2)) as session:
        yield session, open_run(session, migration)
        end(session)


def end(session: Session) -> None:
    """A runner ends, if it has not yet. A session that is only closed would have its lock for a moment longer."""
    if not session.closed:
        session.execute("SELECT pg_catalog.pg_advisory_unlock_all()")
        session.close()


def trail(migration: Migration, run: UUID) -> list[str]:
    """What happened to a run."""
    return [what for (what,) in migration.ask("SELECT what FROM transhume.event WHERE run = %s ORDER BY event", run)]


@pytest.mark.both_servers
def test_pause_and_resume_are_written_down_with_who(migrations: Make) -> None:
    """Each is in the control table and in the audit trail, once; the same again changes nothing and says so."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, run):
        assert control.read(session, run) == Control()
        done = call(migration, "pause")
        assert (done.exit_code, done.stderr) == (0, "")
        folder = migration.folder
        expected = f"run {run.run} pauses after the chunks in flight; `transhume resume {folder}` lets it go on\n"
        assert done.stdout == expected
        paused = control.read(session, run)
        assert (paused.wanted, paused.goes) == ("pause", False)
        assert paused.by_whom.split(" process ")[0] == events.who().split(" process ")[0]

        again = call(migration, "pause", "--wait")
        assert f"is paused already, by {paused.by_whom}; " in again.stdout

        told = json.loads(call(migration, "resume", "--json").stdout)
        runner = told.pop("runner")
        assert runner.startswith(run.owner)
        assert told == {"run": str(run.run), "wanted": "go", "before": "pause", "hold": None, "waited": False}
        assert control.read(session, run).goes
        assert call(migration, "resume").stdout == f"run {run.run} was not paused\n"
        assert trail(migration, run.run) == ["begun", "started", "pause asked", "resume asked"]
        assert events.broken_link(session, run) is None


def test_an_aborted_run_is_told_nothing_else(migrations: Make) -> None:
    """After `abort` neither `pause` nor `resume` brings the run back: they are refused, and say what to do."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, run):
        assert call(migration, "abort").exit_code == 0
        who = control.read(session, run).by_whom
        for command in ("pause", "resume"):
            done = call(migration, command)
            assert done.exit_code == 4
            assert done.stderr.splitlines() == [
                f"error: the run is being aborted by {who}",
                "  = hint: once it has ended, `transhume apply` goes on",
            ]
        again = call(migration, "abort")
        assert f"run {run.run} is being aborted already, by {who}; " in again.stdout
        late = call(migration, "abort", "--wait", "--timeout", "0")
        assert late.exit_code == 1
        assert late.stderr.splitlines()[0] == "error: the runner is still at work after 0 s"


def test_there_has_to_be_a_runner(migrations: Make) -> None:
    """Never applied, stopped, just starting, rolling back, done: each is refused in a sentence of its own."""
    migration = migrations(rows=0)

    def refused(command: str = "pause") -> list[str]:
        done = call(migration, command)
        assert done.exit_code == 4
        return done.stderr.splitlines()

    folder = migration.folder
    assert refused()[0] == "error: project hand was never applied to this target"
    with at_work(migration) as (_, run):
        pass
    nobody = ["error: nobody is at work on project hand", f"  = hint: `transhume apply {folder}` goes on"]
    assert [refused(command) for command in ("pause", "resume", "abort")] == [nobody] * 3
    with closing(open_target(migration.places["target"], "transhume", 2)) as session:
        fence.lock(session, "hand")
        assert refused()[0] == "error: a runner of project hand is just starting"
    with at_work(migration) as (session, run):
        journal.set_state(session, run, "rolling back")
        assert refused("abort")[0] == "error: the run of project hand is being rolled back"
        journal.set_state(session, run, "done")
        assert refused() == ["error: the run of project hand is done: nobody is at work"]
        assert "pause asked" not in trail(migration, run.run)


def test_a_runner_that_takes_over_is_asked_nothing(migrations: Make) -> None:
    """What was asked of a runner that is gone, and why it was held, does not hold the next one."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, run):
        control.hold(session, run, "replication lag")
        control.limit(session, run, 12.5)
        assert call(migration, "pause").exit_code == 0
        found = control.read(session, run)
        assert (found.wanted, found.hold, found.rate) == ("pause", "replication lag", 12.5)
    with at_work(migration) as (session, run):
        assert control.read(session, run) == Control()


def test_a_runner_that_was_taken_over_holds_nobody(migrations: Make) -> None:
    """Only the run's one runner writes why it waits and how fast it goes."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, before):
        run = runs.take_over(session, before, "resumed")
        with pytest.raises(Fenced):
            control.hold(session, before, "replication lag")
        with pytest.raises(Fenced):
            control.limit(session, before, 1)
        assert control.read(session, run) == Control()


def test_nothing_of_it_waits_for_a_chunk_in_flight(migrations: Make) -> None:
    """A chunk locks the run's row until its end: asking, reading, holding and resuming all happen meanwhile."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, run):
        journal.begin_step(session, run, "load.orders")
        journal.add_ranges(session, run, "load.orders", [journal.Range(0)])
        lane = closing(open_target(migration.places["target"], fence.application(run), 2))
        with lane as chunk, chunk.transaction():
            fence.hold(chunk, run)
            assert control.in_flight(session, run) == 0
            journal.claim_chunk(chunk, run, "load.orders", 1, None, ("1",))
            assert control.in_flight(session, run) == 1
            assert call(migration, "pause").exit_code == 0
            control.hold(session, run, "a reason")
            assert not control.read(session, run).goes
            late = call(migration, "pause", "--wait", "--timeout", "0")
            assert late.exit_code == 1
            assert late.stderr.splitlines() == [
                "error: chunks are still in flight after 0 s",
                "  = hint: it stays asked; `transhume status` shows how far it is",
            ]
            assert call(migration, "resume").stdout == f"run {run.run} goes on; it is held: a reason\n"
        assert control.in_flight(session, run) == 0


def test_waiting_ends_with_the_runner(migrations: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """`abort --wait` returns once the lock is free; `pause --wait` says that there is nobody to pause any more."""
    migration = migrations(rows=0)
    plan, places = read_plan(migration.folder), migration.places
    with at_work(migration) as (session, _):
        monkeypatch.setattr("runner.asking.time.sleep", lambda seconds: end(session))
        assert asking.ask(plan, places, "stop", wait=30).waited
    monkeypatch.undo()
    with at_work(migration) as (session, _):
        monkeypatch.setattr("runner.asking.time.sleep", lambda seconds: end(session))
        with pytest.raises(RunnerError, match="the runner has ended meanwhile"):
            asking.ask(plan, places, "pause", wait=30)


def test_status_says_that_a_run_waits_and_why(migrations: Make) -> None:
    """One word in the table's title, one line with who or why, and all of it as JSON."""
    migration = migrations(rows=0)

    def shown() -> tuple[str, str]:
        state = json.loads(call(migration, "status", "--json").stdout)["state"]
        return state, call(migration, "status").stdout

    with at_work(migration) as (session, run):
        assert shown()[0] == "running"
        control.hold(session, run, 'replication lag 2 MB of standby "a" is past 1024 kB')
        state, text = shown()
        assert state == "held"
        assert "hand: held, " in text
        assert '\nheld: replication lag 2 MB of standby "a" is past 1024 kB\n' in text
        call(migration, "pause")
        state, text = shown()
        assert state == "paused"
        who = control.read(session, run).by_whom
        assert f"\npaused by {who}: `transhume resume` lets it go on\n" in text
        asked = json.loads(call(migration, "status", "--json").stdout)["control"]
        assert asked["wanted"] == "pause"
        call(migration, "abort")
        state, text = shown()
        assert state == "aborting"
        assert "\naborted by " in text
    assert shown()[0] == "stopped"


def test_an_unknown_wish_is_refused_by_the_table(migrations: Make) -> None:
    """The journal holds nothing that a lane does not understand."""
    migration = migrations(rows=0)
    with at_work(migration) as (session, _), pytest.raises(psycopg.errors.CheckViolation):
        session.execute("UPDATE transhume.control SET wanted = 'faster'")
