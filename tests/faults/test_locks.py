"""Others at work beside the runner: the application with its locks, an administrator, other runners."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner.connect import Session
from tests.conftest import Databases
from tests.faults.conftest import Make, Quietly, rarely
from tests.faults.depot import SOURCE, Depot, until, write_plan
from tests.pg.migration import TRANSHUME

# A table of the application's own, with a key that makes way for the load.
EXISTING = """
CREATE SCHEMA app;
CREATE TABLE app.shops (id uuid PRIMARY KEY, legacy_id integer NOT NULL, code text NOT NULL, name text);
CREATE UNIQUE INDEX shops_code ON app.shops (code);
"""
SHOPS = """
table: shops
from: shop
create: false
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [code, name]
"""


def existing(databases: Databases, folder: Path, more: str = "") -> Depot:
    """A migration whose target's own migrations have made one of the tables; `more` SQL was run on the target."""
    source, target = databases.create("source", SOURCE), databases.create("target", EXISTING + more)
    return Depot(write_plan(folder, source, target, shops=SHOPS), source, target)


@contextmanager
def holding(depot: Depot, statement: str) -> Iterator[Session]:
    """A transaction of the application that has run a statement, and goes on."""
    with closing(psycopg.connect(depot.target)) as session:
        session.execute(statement.encode())
        yield session


def waiting(depot: Depot, table: str, has: str = "") -> bool:
    """Whether a session of the runner waits for a lock of a table; one that `has` a stronger lock of another."""
    query = """SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
               WHERE a.application_name LIKE 'transhume:%%' AND NOT l.granted AND a.datname = current_database()
                 AND l.relation = to_regclass(%s) AND (%s = '' OR EXISTS (
                   SELECT FROM pg_locks AS h WHERE h.pid = l.pid AND h.granted AND h.relation = to_regclass(%s)
                     AND h.mode = 'ShareRowExclusiveLock'))"""
    return depot.ask(query, table, has, has) != [(0,)]


def test_a_long_reader(databases: Databases, tmp_path: Path, quietly: Quietly) -> None:
    """A reader keeps the runner waiting; it gives up and comes again, so that readers behind it are served at once."""
    depot = existing(databases, tmp_path)
    with holding(depot, "SELECT count(*) FROM app.shops"):
        runner = depot.start()
        until(lambda: waiting(depot, "app.shops"), 0.002)
        for _ in range(5):
            with closing(psycopg.connect(depot.target)) as other:
                other.execute("SET statement_timeout = '5s'")
                other.execute("SELECT count(*) FROM app.shops")
    told = runner.ended()

    assert any("lock timeout [55P03]; trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


def test_a_deadlock_with_the_application(depots: Make, quietly: Quietly) -> None:
    """Of two that wait for each other the runner gives way, and not the application.

    A foreign key takes locks on two tables: the runner has one and waits for the other, the application the other way.
    """
    depot = depots()
    blocked = threading.Event()
    query = "SELECT count(*) FROM transhume.step WHERE step = 'index.customers' AND state = 'done'"

    def application() -> None:
        until(lambda: depot.begun() and depot.ask(query) == [(1,)], 0.002)
        with holding(depot, "LOCK TABLE app.customers IN SHARE UPDATE EXCLUSIVE MODE") as session:
            until(lambda: waiting(depot, "app.customers", has="app.purchases"), 0.002)
            session.execute("LOCK TABLE app.purchases IN ACCESS EXCLUSIVE MODE")
            blocked.set()

    thread = threading.Thread(target=application, daemon=True)
    thread.start()
    told = depot.start().ended()
    thread.join()

    assert blocked.is_set()
    assert any("lock timeout [55P03]; trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


def beside_vacuum(depot: Depot, role: str = "postgres") -> list[str]:
    """A run during which somebody holds the lock of VACUUM and ANALYZE, for a while; what it has noticed.

    It is held from when there is the table, which no load minds, until the index has given way to it.
    """
    source, target = (make_conninfo(conninfo, user=role) for conninfo in (depot.source, depot.target))
    runner = Depot(depot.folder, source, target).start()
    until(lambda: depot.ask("SELECT to_regclass('app.lines') IS NOT NULL") == [(True,)], 0.002)
    with holding(depot, "LOCK TABLE app.lines IN SHARE UPDATE EXCLUSIVE MODE") as session:
        until(lambda: "trying again" in runner.so_far())
        assert session.execute("SELECT 1").fetchone() == (1,)
    return runner.ended()


def test_vacuum_is_at_work(depots: Make, quietly: Quietly) -> None:
    """What holds the lock of VACUUM and ANALYZE is waited for in short tries, and not ended."""
    depot = depots()
    assert any("lock timeout [55P03]; trying again" in text for text in beside_vacuum(depot))
    assert depot.end().differs(quietly().end) == []


def test_a_statement_timeout_of_the_role(depots: Make, quietly: Quietly) -> None:
    """Timeouts that a role has from its application are not the runner's: it waits as long as the plan says."""
    depot = depots()
    timeouts = ("lock_timeout = '50ms'", "statement_timeout = '100ms'", "transaction_timeout = '100ms'")
    for statement in ("CREATE ROLE hurried LOGIN SUPERUSER", *(f"ALTER ROLE hurried SET {one}" for one in timeouts)):
        depot.ask(statement)
    try:
        told = beside_vacuum(depot, "hurried")
    finally:
        depot.ask("REASSIGN OWNED BY hurried TO postgres")
        depot.ask("DROP ROLE hurried")

    again = [text for text in told if "trying again" in text]
    assert again
    assert all("canceling statement due to lock timeout [55P03]" in text for text in again)
    assert depot.end().differs(quietly().end) == []


# A check that fails with an error of the server's own now and then, told by a sequence: no rollback undoes its count.
FAILING = """
CREATE SEQUENCE app.tries;
CREATE FUNCTION app.trouble() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('app.tries') IN (3, 9, 25) THEN RAISE EXCEPTION 'trouble' USING ERRCODE = '{}'; END IF;
  RETURN true;
END $$;
ALTER TABLE app.shops ADD CONSTRAINT trouble CHECK (app.trouble());
"""


@pytest.mark.parametrize("sqlstate", ["40001", *rarely("40P01", "55P03"), "57014"])
def test_an_error_that_passes(databases: Databases, tmp_path: Path, quietly: Quietly, sqlstate: str) -> None:
    """A serialization failure, a deadlock, a lock timeout, a cancelled statement: the chunk is tried again, smaller."""
    depot = existing(databases, tmp_path, FAILING.format(sqlstate))
    told = depot.start().ended()

    assert any(f"load.shops: trouble [{sqlstate}]; trying again" in text for text in told)
    assert depot.ask("SELECT last_value > 25 FROM app.tries") == [(True,)]
    assert depot.end().differs(quietly().end) == []


CONFLICT = """
CREATE FUNCTION public.conflict() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objid = 4711) THEN
    RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
  END IF;
  RETURN true;
END $$;
"""
CONFLICTING = """
table: shops
from: {sql: "SELECT s.id, s.code, s.name FROM public.shop AS s WHERE public.conflict()", key: id}
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [code, name]
indexes: [{columns: [code], unique: true}]
"""


def test_an_error_of_the_source_that_passes(databases: Databases, tmp_path: Path, quietly: Quietly) -> None:
    """A standby that ends what reads it, to go on with its recovery, is read again."""
    source, target = databases.create("source", SOURCE + CONFLICT), databases.create("target")
    depot = Depot(write_plan(tmp_path, source, target, shops=CONFLICTING), source, target)
    said = tmp_path / "events"
    with closing(psycopg.connect(source)) as session, said.open("w") as events:
        session.execute("SELECT pg_advisory_lock(4711)")
        command = [*TRANSHUME, "apply", str(depot.folder), "--json"]
        with subprocess.Popen(command, env=depot.environment(), stdout=events) as runner:
            until(lambda: said.read_text().count("conflict with recovery [40001]; trying again") > 1)
            session.execute("SELECT pg_advisory_unlock(4711)")

    assert runner.returncode == 0
    assert depot.end().differs(quietly().end) == []


@pytest.mark.parametrize("sqlstate", ["53100", *rarely("53200", "58030", "XX001")])
def test_an_error_that_stays(databases: Databases, tmp_path: Path, quietly: Quietly, sqlstate: str) -> None:
    """Full, out of memory, unreadable, corrupt: the step stops with the server's words; applied again, it goes on."""
    depot = existing(databases, tmp_path, FAILING.format(sqlstate))
    errors = []
    while (done := depot.command("apply")).returncode:
        assert depot.torn() == []
        errors.append(done.stderr)

    assert len(errors) == 3
    assert all(f"error: trouble [{sqlstate}]\n" in error for error in errors)
    assert depot.end().differs(quietly().end) == []


@pytest.mark.parametrize("number", [*rarely(1), 2])
def test_four_runners_at_once(depots: Make, quietly: Quietly, number: int) -> None:
    """One works; the others are refused, or find it done."""
    depot = depots(number)
    runners = [depot.start() for _ in range(4)]
    said = [(runner.end()[1], runner.returncode) for runner in runners]

    assert sum(code == 0 for _, code in said) >= 1
    assert all(code == 0 or "another runner is at work on project depot: " in error for error, code in said)
    assert all(code in (0, 4) for _, code in said)
    assert depot.end().differs(quietly(number).end) == []


@pytest.mark.parametrize("number", [*rarely(1), 2])
def test_a_frozen_runner(depots: Make, quietly: Quietly, number: int) -> None:
    """A runner that was frozen, and taken for dead when the network forgot it, can change nothing when it thaws."""
    depot = depots(number)
    frozen = depot.start()
    until(lambda: depot.chunks() > 20)
    frozen.send_signal(signal.SIGSTOP)
    try:
        depot.ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        depot.applied()
    finally:
        frozen.send_signal(signal.SIGCONT)
    error = frozen.end()[1]

    assert frozen.returncode == 4, error
    assert "another runner has taken this run over" in error
    assert depot.end().differs(quietly(number).end) == []


def test_another_project_wants_the_same_table(databases: Databases, tmp_path: Path, quietly: Quietly) -> None:
    """A second project that would fill a table which the first has begun to fill is refused; the first goes on."""
    depot = existing(databases, tmp_path)
    other = write_plan(tmp_path / "other", depot.source, depot.target, project="barn", shops=SHOPS)
    depot.killed_once(lambda: depot.chunks() > 5 and depot.ask("SELECT count(*) > 0 FROM app.shops") == [(True,)])
    done = Depot(other, depot.source, depot.target).command("apply")

    assert done.returncode == 4, done.stderr
    assert "project barn cannot be applied here\n  | " in done.stderr
    assert "app.shops " in done.stderr  # it is not empty; or not as it was reviewed, its indexes being gone
    depot.applied()
    assert depot.end().differs(quietly().end) == []
