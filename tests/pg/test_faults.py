"""Faults: each ends in one clear message and its exit code, keeps what is committed, and can be gone on from."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from runner.errors import Refused, RunnerError
from runner.snapshot import fingerprint, read_catalog
from tests.pg import by_hand
from tests.pg.migration import SLOW, TRANSHUME, Migration, wait_for, wait_for_sleep
from tests.pg.proxy import proxied

Make = Callable[..., Migration]


@contextmanager
def role(migration: Migration, *grants: str) -> Iterator[str]:
    """A role of few privileges in both databases; its name."""
    name = f"limited_{abs(hash(migration.target)) % 10**9}"
    migration.ask(f"CREATE ROLE {name} LOGIN")
    try:
        for grant in grants:
            side, _, statement = grant.partition(": ")
            (migration.ask_source if side == "source" else migration.ask)(statement.replace("ROLE", name))
        yield name
    finally:
        for ask in (migration.ask, migration.ask_source):
            ask(f"DROP OWNED BY {name} CASCADE")
        migration.ask(f"DROP ROLE {name}")


def as_role(migration: Migration, name: str) -> Migration:
    """The same migration by another role."""
    source, target = (
        psycopg.conninfo.make_conninfo(conninfo, user=name) for conninfo in (migration.source, migration.target)
    )
    return Migration(migration.folder, source, target)


def fingerprints(migration: Migration) -> list[dict[str, str]]:
    """The source's relations, as a plan would have them."""
    with closing(psycopg.connect(migration.source, autocommit=True)) as session:
        catalog = read_catalog(session, "source", ["legacy"])
    return [
        {"database": "source", "relation": name, "fingerprint": fingerprint(name, catalog)}
        for name in catalog["relations"]
    ]


def test_no_server(migrations: Make) -> None:
    """Where nothing listens, one message and exit code 1, at once, without a traceback."""
    migration = migrations(rows=0)
    nowhere = Migration(migration.folder, migration.source, "postgresql://u:s3cret@127.0.0.1:1/nowhere")

    for command in ("apply", "status", "verify", "rejects", "rollback"):
        done = nowhere.command(command)
        assert done.returncode == 1
        assert done.stderr.startswith("error: cannot connect to TARGET_DATABASE_URL (127.0.0.1, database nowhere): ")
        assert "is the server running, and is TARGET_DATABASE_URL its address?" in done.stderr
        assert "s3cret" not in done.stderr + done.stdout
        assert "Traceback" not in done.stderr


def test_a_url_that_is_none(migrations: Make) -> None:
    """A malformed URL is a usage error; nothing of it is shown, for it may hold a password."""
    migration = migrations(rows=0)
    wrong = Migration(migration.folder, "postgresql://user:p#ss/w%rd@host:x/db", migration.target)
    done = wrong.command("apply")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "error: LEGACY_DATABASE_URL is not a PostgreSQL URL"
    assert "w%rd" not in done.stderr


def test_only_one_url(migrations: Make) -> None:
    """One URL without the other is a usage error."""
    migration = migrations(rows=0)
    done = migration.command("apply", TARGET_DATABASE_URL="")

    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error: TARGET_DATABASE_URL is not set")


def test_no_plan(migrations: Make) -> None:
    """A folder without a manifest is a usage error."""
    migration = migrations(rows=0)
    (migration.folder / "plan.yaml").unlink()
    done = migration.command("apply")

    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f'error: no plan "{migration.folder}"')


def test_an_edited_plan(migrations: Make) -> None:
    """A file that was edited after it was compiled: exit code 4, and nothing was touched."""
    migration = migrations(rows=10)
    file = migration.folder / "load/orders.sql"
    file.write_text(file.read_text().replace("s.total", "s.total * 2"))
    done = migration.command("apply")

    assert done.returncode == 4
    assert done.stderr.splitlines()[:2] == [
        f"error: {file} was edited after it was compiled",
        f" --> {file}:1",
    ]
    assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]


def test_missing_privileges(migrations: Make) -> None:
    """All that the role lacks is told at once, with the GRANT; exit code 4, and nothing was touched."""
    migration = migrations(rows=10)
    relations = [{**relation, "fingerprint": "0" * 64} for relation in fingerprints(migration)]
    by_hand.write_plan(migration.folder, relations=relations)
    revoked = migration.ask("SELECT current_database()")[0][0]
    migration.ask(f"REVOKE TEMPORARY ON DATABASE {revoked} FROM PUBLIC")
    grants = ("source: GRANT USAGE ON SCHEMA legacy TO ROLE", "source: GRANT SELECT ON legacy.orders TO ROLE")
    with role(migration, *grants) as name:
        done = as_role(migration, name).command("apply")

    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: project hand cannot be applied here",
        "  | the role may not read legacy.patient: GRANT SELECT, and USAGE on its schema",
        f"  | the role may not create schemas in the target: GRANT CREATE ON DATABASE {revoked}",
        f"  | the role may not create temporary tables in the target: GRANT TEMPORARY ON DATABASE {revoked}",
        "  = hint: nothing was changed",
    ]
    assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]


def test_a_role_that_may_just_enough(migrations: Make) -> None:
    """CREATE on the target and SELECT on the source are all that a run needs."""
    migration = migrations(rows=100)
    name = migration.ask("SELECT current_database()")[0][0]
    grants = (
        "source: GRANT USAGE ON SCHEMA legacy TO ROLE",
        "source: GRANT SELECT ON ALL TABLES IN SCHEMA legacy TO ROLE",
        f"target: GRANT CREATE ON DATABASE {name} TO ROLE",
    )
    with role(migration, *grants) as limited:
        mine = as_role(migration, limited)
        mine.apply()
        assert mine.verify().green
        mine.roll_back()


@pytest.mark.parametrize("known", [True, False])
def test_rows_that_a_policy_hides(migrations: Make, known: bool) -> None:
    """Row security is refused beforehand; where the plan does not name the relation, reading it is an error (42501)."""
    migration = migrations(rows=10)
    if known:
        by_hand.write_plan(migration.folder, relations=fingerprints(migration))
    name = migration.ask("SELECT current_database()")[0][0]
    grants = (
        "source: GRANT USAGE ON SCHEMA legacy TO ROLE",
        "source: GRANT SELECT ON ALL TABLES IN SCHEMA legacy TO ROLE",
        "source: ALTER TABLE legacy.orders ENABLE ROW LEVEL SECURITY",
        f"target: GRANT CREATE ON DATABASE {name} TO ROLE",
    )
    with role(migration, *grants) as limited, pytest.raises(RunnerError) as caught:
        as_role(migration, limited).apply()

    if known:
        assert caught.value.notes == ("policies hide rows of legacy.orders from the role: use its owner, or BYPASSRLS",)
    else:
        expected = 'query would be affected by row-level security policy for table "orders" [42501]'
        assert caught.value.message == expected


def test_a_changed_source(migrations: Make) -> None:
    """A column that was added, and a table that was dropped, since the review: each is named, exit code 4."""
    migration = migrations(rows=10)
    by_hand.write_plan(migration.folder, relations=fingerprints(migration))
    assert migration.command("apply").returncode == 0
    migration.roll_back()
    migration.ask_source("ALTER TABLE legacy.orders ADD COLUMN note text; DROP TABLE legacy.patient")

    done = migration.command("apply")

    again = "`transhume snapshot hand` writes down how, then plan again"
    assert done.returncode == 4
    assert done.stderr.splitlines()[1:3] == [
        f"  | legacy.orders in the source was changed since the plan was reviewed: {again}",
        "  | legacy.patient is not in the source any more",
    ]


def test_the_target_is_the_source(migrations: Make) -> None:
    """Two URLs of one database are refused."""
    migration = migrations(rows=10)

    with pytest.raises(Refused) as caught:
        Migration(migration.folder, migration.source, migration.source).apply()
    assert caught.value.notes == ("LEGACY_DATABASE_URL and TARGET_DATABASE_URL lead to the same database",)


def test_what_the_plan_requires(migrations: Make) -> None:
    """Version, extensions and environment variables: whatever is missing is told at once."""
    requires = {"postgres": 99, "extensions": ["no_such_extension", "plpgsql"], "env": ["NO_SUCH_VARIABLE"]}
    migration = migrations(rows=10, requires=requires)

    with pytest.raises(Refused) as caught:
        migration.apply()
    assert [note.replace("15", "18") for note in caught.value.notes] == [
        "the source is PostgreSQL 18, the plan needs 99",
        "the target is PostgreSQL 18, the plan needs 99",
        "the target's server does not have the extension no_such_extension",
        "the environment variable NO_SUCH_VARIABLE is not set",
    ]


def test_a_pooler_is_refused(migrations: Make) -> None:
    """A connection whose process id is not the server's is a pooler's: its sessions are shared."""
    migration = migrations(rows=10)
    with proxied(migration.target, pooler=True) as (target, _), pytest.raises(Refused) as caught:
        Migration(migration.folder, migration.source, target).apply()

    assert caught.value.message.endswith(
        "is a connection pooler, which gives one session's settings and locks to another"
    )


@pytest.mark.parametrize("request_lost", [False, True])
def test_a_lost_commit(migrations: Make, request_lost: bool) -> None:
    """Whether a COMMIT or its reply is lost with the connection, the journal knows; nothing is doubled or lost."""
    migration = migrations(rows=200, chunk=(50, 50))
    lost = {4, 9, 14, 15, 21, 30, 40}
    with proxied(migration.target, lose=lost, request=request_lost) as (target, proxy):
        through = Migration(migration.folder, migration.source, target)
        through.apply()
        assert proxy.commits > max(lost)

    assert any("trying again" in text for text in through.notices.texts)
    assert migration.verify().green
    quiet = migrations(rows=200, chunk=(50, 50))
    quiet.apply()
    assert migration.content() == quiet.content()


def amid(migration: Migration, disturb: Callable[[], object], **options: Any) -> None:
    """Apply, and disturb it while it loads. Raises what apply raises."""
    errors: list[RunnerError] = []

    def run() -> None:
        try:
            migration.apply(**options)
        except RunnerError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(migration, False)
        disturb()
    finally:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("action", ["pg_terminate_backend", "pg_cancel_backend"])
def test_an_administrator_ends_sessions(migrations: Make, action: str) -> None:
    """Sessions that are ended, on both sides, are opened again; a statement that is cancelled is tried smaller."""
    migration = migrations(rows=300, chunk=(1, 1) if action == "pg_terminate_backend" else (20, 20))
    query = f"""SELECT {action}(pid) FROM pg_stat_activity WHERE application_name LIKE 'transhume:%%'
                AND (%s OR state = 'active' AND query ~ 'stage_|legacy') AND datname IN (%s, %s)"""
    names = [psycopg.conninfo.conninfo_to_dict(url)["dbname"] for url in (migration.source, migration.target)]

    def disturb() -> None:
        for _ in range(5):
            migration.ask(query, action == "pg_terminate_backend", *names)
            time.sleep(0.1)

    amid(migration, disturb)

    assert migration.verify().green


def test_a_table_that_is_locked(migrations: Make) -> None:
    """A lock that somebody holds is waited for, in short tries, with a notice; beyond the patience the step stops."""
    migration = migrations(rows=300, chunk=(2, 2))

    def lock(seconds: float) -> Callable[[], None]:
        def disturb() -> None:
            with closing(psycopg.connect(migration.target)) as session:
                session.execute("LOCK TABLE app.orders IN ACCESS EXCLUSIVE MODE")
                time.sleep(seconds)

        return disturb

    with pytest.raises(RunnerError, match=r"canceling statement due to lock timeout \[55P03\]"):
        amid(migration, lock(3), patience=1)
    assert any("lock timeout [55P03]; trying again" in text for text in migration.notices.texts)

    migration.apply()
    assert migration.verify().green


FULL = """numeric(12,2));
CREATE TABLE app.disk (full_up boolean);
INSERT INTO app.disk VALUES (true);
CREATE FUNCTION app.fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.legacy_id > 150 AND (SELECT full_up FROM app.disk) THEN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device'
    USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fill BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.fill()"""


def test_a_full_disk(migrations: Make) -> None:
    """53100 stops the run with everything kept; with room again, it goes on.

    The server's error is raised by a trigger: a file system of its own would need root.
    """
    migration = migrations(rows=100, chunk=(50, 50), edits={"create.orders": ("numeric(12,2))", FULL)})
    done = migration.command("apply")

    assert done.returncode == 1
    assert 'error: could not extend file "base/1/2": No space left on device [53100]' in done.stderr
    assert "  = hint: Check free disk space." in done.stderr
    journal = migration.ask("SELECT sum(loaded) FROM transhume.chunk WHERE step = 'load.orders'")
    assert migration.ask("SELECT count(*) FROM app.orders") == journal

    migration.ask("UPDATE app.disk SET full_up = false")
    migration.apply()
    assert migration.verify().green


def test_killed_during_a_long_statement(migrations: Make) -> None:
    """The server does not notice the death of a client at once: its orphan is ended before the run goes on."""
    migration = migrations(rows=50, edits={"constrain.orders": SLOW})
    with subprocess.Popen([*TRANSHUME, "apply", str(migration.folder)], env=migration.environment()) as runner:
        wait_for_sleep(migration)
        runner.kill()
    (pid,) = migration.ask("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")[0]

    second = threading.Thread(target=migration.command, args=("apply",))
    second.start()
    wait_for_another_sleep(migration, pid)
    migration.ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    second.join()

    states = dict(migration.ask("SELECT step, state FROM transhume.step"))
    assert states["constrain.orders"] == "failed"


def wait_for_another_sleep(migration: Migration, first: int) -> None:
    """Wait until the slow statement runs in another process, and the first one is gone."""
    query = "SELECT array_agg(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    deadline = time.monotonic() + 30
    while (found := migration.ask(query)[0][0]) is None or first in found:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_interrupting_a_long_statement(migrations: Make) -> None:
    """Ctrl-C does not wait for a long statement: after a while it is cancelled, at the second one at once."""
    migration = migrations(rows=50, edits={"constrain.orders": SLOW})
    command = [*TRANSHUME, "apply", str(migration.folder)]
    with subprocess.Popen(command, env=migration.environment(), stderr=subprocess.PIPE, text=True) as runner:
        wait_for_sleep(migration)
        started = time.monotonic()
        runner.send_signal(signal.SIGINT)
        time.sleep(0.3)
        runner.send_signal(signal.SIGINT)
        error = runner.communicate(timeout=20)[1]

    assert runner.returncode == 130, error
    assert time.monotonic() - started < 20  # the statement takes 30
    assert "error: interrupted" in error
    assert dict(migration.ask("SELECT step, state FROM transhume.step"))["constrain.orders"] == "running"
