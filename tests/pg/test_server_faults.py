"""Faults of a server of its own: passwords, a crash and restart amid a run."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import psycopg
import pytest

from runner import autovacuum, connect, embedded, journal
from tests.pg import by_hand
from tests.pg.crashing import SETTINGS, crash
from tests.pg.migration import Migration, wait_for


def made(folder: Path, tmp_path: Path, rows: int) -> Migration:
    """A migration on that server."""
    server = embedded.start(folder, settings=SETTINGS)
    for name in ("source", "target"):
        embedded.drop_database(server, name)
        embedded.create_database(server, name)
    source, target = server.conninfo("source"), server.conninfo("target")
    with contextlib.closing(psycopg.connect(source, autocommit=True)) as session:
        session.execute(by_hand.source(rows).encode())
    return Migration(by_hand.write_plan(tmp_path / "hand", chunk=(4, 4)), source, target)


def test_a_wrong_password(fragile: Path, tmp_path: Path) -> None:
    """The server's reason is told, and no password: neither the right one nor the wrong one."""
    migration = made(fragile, tmp_path, 0)
    hba = Path(migration.ask("SHOW hba_file")[0][0])
    before = hba.read_text()
    migration.ask("DROP ROLE IF EXISTS careful")
    migration.ask("CREATE ROLE careful LOGIN PASSWORD 'right-Secret'")
    try:
        hba.write_text("local all careful scram-sha-256\n" + before)
        migration.ask("SELECT pg_reload_conf()")
        wrong = psycopg.conninfo.make_conninfo(migration.target, user="careful", password="wrong-Secret")
        done = Migration(migration.folder, migration.source, wrong).command("apply")
    finally:
        hba.write_text(before)
        migration.ask("SELECT pg_reload_conf()")

    assert done.returncode == 1
    assert 'password authentication failed for user "careful"' in done.stderr
    assert "= hint: check the user and the password in TARGET_DATABASE_URL" in done.stderr
    assert "Secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_server_crashes_and_comes_back(fragile: Path, tmp_path: Path) -> None:
    """A crash of the server amid the load costs the chunks in flight; the run goes on by itself, nothing is lost."""
    migration = made(fragile, tmp_path, 150)
    runner = threading.Thread(target=migration.apply, kwargs={"patience": 30})
    runner.start()
    wait_for(migration, False)
    crash(embedded.start(fragile, settings=SETTINGS))
    embedded.start(fragile, settings=SETTINGS)
    runner.join()

    assert any("trying again" in text for text in migration.notices.texts)
    assert migration.ask("SELECT state FROM transhume.run") == [("done",)]
    verdict = migration.verify()
    assert verdict.green
    assert {one.table: one for one in verdict.accounts} == by_hand.accounts(150)


def test_the_server_stays_away(fragile: Path, tmp_path: Path) -> None:
    """Beyond the outage that may be waited for, the run stops with what is committed, and goes on later."""
    migration = made(fragile, tmp_path, 120)
    server = embedded.start(fragile, settings=SETTINGS)
    done = []
    runner = threading.Thread(target=lambda: done.append(migration.command("apply", "--outage", "1")))
    runner.start()
    wait_for(migration, False)
    crash(server)
    runner.join()
    embedded.start(fragile, settings=SETTINGS)

    assert done[0].returncode == 1, done[0].stderr
    assert "error: cannot connect to " in done[0].stderr
    assert "Traceback" not in done[0].stderr
    migration.apply()
    assert migration.verify().green


SLOW = """ALTER TABLE app.moved SET (autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0,
            autovacuum_vacuum_threshold = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"""
AT_IT = "SELECT true FROM pg_stat_progress_vacuum WHERE relid = 'app.moved'::regclass"


@pytest.mark.slow
def test_autovacuum_gives_way(fragile: Path, tmp_path: Path) -> None:
    """Autovacuum that is at a table of the plan for longer than anybody waits goes; who asks need be nobody special."""
    migration = made(fragile, tmp_path, 0)
    migration.ask("CREATE SCHEMA app")
    migration.ask("CREATE TABLE app.moved AS SELECT n AS id, repeat('x', 500) FROM generate_series(1, 20000) AS n")
    migration.ask("DROP ROLE IF EXISTS nobody_special")
    migration.ask("CREATE ROLE nobody_special LOGIN")
    migration.ask("ALTER TABLE app.moved OWNER TO nobody_special")
    migration.ask("GRANT ALL ON SCHEMA app TO nobody_special")
    migration.ask(SLOW)
    where = connect.address("TARGET", psycopg.conninfo.make_conninfo(migration.target, user="nobody_special"))
    until = time.monotonic() + 30
    while not migration.ask(AT_IT):
        assert time.monotonic() < until, "autovacuum has not come"
        time.sleep(0.05)

    with contextlib.closing(connect.open_target(where, "test", 2.0)) as session:
        with pytest.raises(psycopg.errors.LockNotAvailable), session.transaction():
            session.execute("CREATE INDEX ON app.moved (id)")
        assert migration.ask(AT_IT)
        with session.transaction():
            autovacuum.outlast(session, ["app"])
            session.execute("CREATE INDEX ON app.moved (id)")
        assert journal.scalar(session, "SELECT current_setting('lock_timeout')") == "800ms"


def test_nobody_else_is_outlasted(fragile: Path, tmp_path: Path) -> None:
    """Where an application holds a table, or autovacuum another one, the runner gives way as quickly as ever."""
    migration = made(fragile, tmp_path, 0)
    migration.ask("CREATE SCHEMA app")
    migration.ask("CREATE TABLE app.moved (id integer)")
    with contextlib.closing(psycopg.connect(migration.target)) as application:
        application.execute("LOCK TABLE app.moved IN SHARE UPDATE EXCLUSIVE MODE")
        where = connect.address("TARGET", migration.target)
        with contextlib.closing(connect.open_target(where, "test", 2.0)) as session, session.transaction():
            autovacuum.outlast(session, ["app", "unknown"])
            assert journal.scalar(session, "SELECT current_setting('lock_timeout')") == "800ms"
