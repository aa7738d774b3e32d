"""The preflight of servers: of one that is full, old, replicated or a standby, and of two that differ."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner import embedded
from runner.embedded import Server, embedded_bin
from runner.embedded_home import account
from tests.conftest import SECOND, UNSAFE, Databases
from tests.pg import by_hand
from tests.pg.migration import Migration
from tests.pg.preflighting import existing, look, refused, role, told

SETTINGS = {
    **UNSAFE, "max_connections": "20", "max_prepared_transactions": "5", "wal_level": "logical",
    "autovacuum_freeze_max_age": "100000", "vacuum_failsafe_age": "0", "timezone": "Europe/Berlin",
}  # fmt: skip
MISSING = pytest.mark.skipif(not (SECOND / "postgres").exists(), reason=f"no PostgreSQL in {SECOND}")


BOTH = [pytest.param(None, id="embedded"), pytest.param(SECOND, id="second", marks=MISSING)]


@pytest.fixture(scope="module", params=BOTH)
def small(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of its own for this module, where little room is left for anything."""
    folder = Path(tempfile.mkdtemp(prefix="transhume-", dir="/tmp"))
    folder.chmod(0o711)
    binaries = request.param or embedded_bin()
    try:
        with embedded.running(folder, settings=SETTINGS, bin=binaries) as server:
            yield server
    finally:
        embedded.stop(folder, bin=binaries)
        shutil.rmtree(folder)


@pytest.fixture
def there(small: Server) -> Iterator[Databases]:
    """Makes databases on the small server."""
    made = Databases(small)
    yield made
    made.drop()


def hand(databases: Databases, folder: Path, **options: object) -> Migration:
    """The plan written by hand, between two fresh databases that nobody has given a time zone."""
    plan = by_hand.write_plan(folder / "hand", **options)  # type: ignore[arg-type]
    return Migration(plan, databases.create("source", by_hand.source(0)), databases.create("target"))


def alone(databases: Databases) -> None:
    """Wait until the sessions of what was done before have ended, for they are counted too."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 30
    with closing(psycopg.connect(databases.server.conninfo("postgres"), autocommit=True)) as session:
        while session.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline, "somebody else is connected"
            time.sleep(0.02)


def test_free_connections(there: Databases) -> None:
    """The run's sessions must fit below max_connections, less those reserved; both sides of one server count."""
    migration = existing(there)
    alone(there)
    assert refused(migration, connections=10) == ()
    alone(there)
    assert refused(migration, connections=11) == (
        "the target has 20 free connections (max_connections 20, 0 of them reserved), the run opens up to 22: "
        "--connections lowers that",
    )
    alone(there)
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(closing(psycopg.connect(migration.source)))
        assert refused(migration, connections=9)[0].startswith("the target has 16 free connections (")


def test_connections_of_the_role_and_the_database(there: Databases) -> None:
    """An ordinary role has limits of its own, and the reserved connections are not for it."""
    migration = existing(there)
    alone(there)
    name = psycopg.conninfo.conninfo_to_dict(migration.target)["dbname"]
    grants = (
        "source: GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE",
        "target: ALTER SCHEMA app OWNER TO ROLE",
        "target: ALTER TABLE app.patients OWNER TO ROLE",
        "target: ALTER TABLE app.visits OWNER TO ROLE",
        "target: ALTER TABLE app.invoices OWNER TO ROLE",
        f"target: GRANT CREATE ON DATABASE {name} TO ROLE",
    )
    with role(migration, *grants, options="CONNECTION LIMIT 6") as mine:
        user = psycopg.conninfo.conninfo_to_dict(mine.target)["user"]
        assert refused(mine, connections=3) == ()
        migration.ask(f"ALTER DATABASE {name} CONNECTION LIMIT 3")
        alone(there)
        assert refused(mine, connections=9) == (
            "the target has 17 free connections (max_connections 20, 3 of them reserved), the run opens up to 18: "
            "--connections lowers that",
            f"the target has 6 free connections (limit of the role {user}: 6), the run opens up to 18: "
            "--connections lowers that",
            f"the target has 3 free connections (limit of the database {name}: 3), the run opens up to 9: "
            "--connections lowers that",
        )


def test_prepared_transactions(there: Databases) -> None:
    """One that locks a target table is refused, and in the source one that keeps readers out; the others are told."""
    migration = existing(there)
    with transaction(migration.target, "harmless", "CREATE TABLE app.other (id integer)"):
        (notice,) = told(migration)
        assert notice.startswith('the prepared transaction "harmless" in the target holds vacuum back since 20')
        assert notice.endswith(": is its coordinator still there?")
        with transaction(migration.target, "forgotten", "LOCK app.visits IN ROW EXCLUSIVE MODE"):
            problems, notices = look(migration)
            assert problems == (
                'the prepared transaction "forgotten" in the target locks app.visits: '
                "COMMIT PREPARED or ROLLBACK PREPARED ends it",
            )
            assert notices == (notice,)
    with transaction(migration.source, "reader", "LOCK visit IN SHARE MODE"):
        assert told(migration)[0].startswith('the prepared transaction "reader" in the source holds vacuum back since')
    with transaction(migration.source, "writer", "LOCK visit IN ACCESS EXCLUSIVE MODE"):
        assert refused(migration) == (
            'the prepared transaction "writer" in the source locks public.visit: '
            "COMMIT PREPARED or ROLLBACK PREPARED ends it",
        )
    assert look(migration) == ((), ())


@contextlib.contextmanager
def transaction(conninfo: str, name: str, statement: str) -> Iterator[None]:
    """A prepared transaction, rolled back in the end."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as session:
        session.execute(f"BEGIN; {statement}; PREPARE TRANSACTION '{name}'".encode())
        try:
            yield
        finally:
            session.execute(f"ROLLBACK PREPARED '{name}'".encode())


def test_publications_of_the_target(there: Databases) -> None:
    """Who publishes a target table is told, with the tables; one of something else is not."""
    migration = existing(there)
    migration.ask("CREATE PUBLICATION other FOR TABLE app.invoices")
    assert look(migration) == ((), ())
    migration.ask("CREATE PUBLICATION feed FOR TABLE app.visits; CREATE PUBLICATION whole FOR ALL TABLES")
    takes = "to its subscribers: their servers take the load too"
    assert told(migration) == (
        f"the publication feed sends every row of app.visits {takes}",
        f"the publication whole sends every row of app.patients, app.visits {takes}",
    )
    migration.ask("DROP PUBLICATION feed, whole; CREATE PUBLICATION named FOR TABLES IN SCHEMA app")
    assert told(migration) == (f"the publication named sends every row of app.patients, app.visits {takes}",)


def test_published_tables_without_a_replica_identity(there: Databases, tmp_path: Path) -> None:
    """A table that will have no primary key, and is published with updates: the server will refuse these."""
    edits = {"index.patient": ("patient_pkey PRIMARY KEY (id)", "patient_pkey UNIQUE (id)")}
    migration = hand(there, tmp_path, edits=edits)
    migration.ask("CREATE PUBLICATION feed FOR ALL TABLES WITH (publish = 'insert')")
    assert len(told(migration)) == 1
    migration.ask("ALTER PUBLICATION feed SET (publish = 'insert, update')")
    assert told(migration)[1:] == (
        "app.patient is published and has no replica identity after the load: "
        "the server refuses updates and deletes there until it has a primary key",
    )


def test_subscriptions_that_write_to_the_target(there: Databases) -> None:
    """A subscription that fills a target table too is told; a disabled one is not."""
    migration = existing(there)
    connection = make_conninfo(migration.source, dbname="postgres").replace("'", "''")
    migration.ask(f"CREATE SUBSCRIPTION feed CONNECTION '{connection}' PUBLICATION feed WITH (connect = false)")
    migration.ask("INSERT INTO pg_subscription_rel SELECT oid, 'app.visits'::regclass, 'r' FROM pg_subscription")
    assert look(migration) == ((), ())
    migration.ask("UPDATE pg_subscription SET subenabled = true")
    assert told(migration) == (
        "the subscription feed writes to app.visits: ALTER SUBSCRIPTION ... DISABLE it, or the counts will not fit",
    )
    migration.ask("ALTER SUBSCRIPTION feed DISABLE; ALTER SUBSCRIPTION feed SET (slot_name = NONE)")
    migration.ask("DROP SUBSCRIPTION feed")


def test_a_replication_slot_that_nobody_reads(there: Databases) -> None:
    """It keeps all WAL of the run: told, with what it keeps now, and counted in what the load needs."""
    migration = existing(there)
    migration.ask("SELECT pg_create_physical_replication_slot('left_behind', true)")
    migration.ask("SELECT pg_switch_wal()")
    try:
        (notice,) = told(migration)
    finally:
        migration.ask("SELECT pg_drop_replication_slot('left_behind')")
    assert notice.startswith("nobody reads the replication slot left_behind, which keeps ")
    assert notice.endswith(" of WAL: all WAL of the run stays too: drop the slot where it is not needed")
    assert look(migration) == ((), ())


def test_time_zones(there: Databases, tmp_path: Path) -> None:
    """Zoneless times that the plan takes as UTC, on a server whose sessions are in Berlin: told."""
    edits = {"load.patient": ("s.weight::integer", "extract(day FROM s.born::timestamp AT TIME ZONE 'UTC')::integer")}
    migration = hand(there, tmp_path, edits=edits)
    assert told(migration) == (
        "the plan takes times without a time zone as UTC, the source's default is Europe/Berlin: "
        "`time_zone:` in the spec says in which zone they were written",
    )
    name = psycopg.conninfo.conninfo_to_dict(migration.source)["dbname"]
    migration.ask(f"ALTER DATABASE {name} SET timezone = 'Etc/UTC'")
    assert told(migration) == ()


def test_encodings_and_collations(there: Databases) -> None:
    """Another encoding and another order of texts are told, in both directions."""
    migration = existing(there)
    for encoding in ("LATIN1", "SQL_ASCII"):
        name = f"{encoding.lower()}_{os.getpid()}"
        there.made.append(name)
        options = f"TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        with closing(psycopg.connect(there.server.conninfo("postgres"), autocommit=True)) as session:
            session.execute(f"CREATE DATABASE {name} {options}".encode())
    latin, ascii_only = (there.server.conninfo(f"{name}_{os.getpid()}") for name in ("latin1", "sql_ascii"))
    order = "C.UTF-8 (builtin)" if there.server.version >= 17 else "C.UTF-8 (libc)"

    assert look(replace(migration, target=latin))[1] == (
        "the source's encoding is UTF8, the target's LATIN1: rows with characters that it lacks are set aside",
        f"texts are ordered by {order} in the source, by C (libc) in the target: what is unique, or sorted, may differ",
    )
    assert look(replace(migration, source=ascii_only))[1] == (
        "the source's encoding is SQL_ASCII, which lets any byte in: rows with texts that are not UTF-8 are set aside",
        f"texts are ordered by C (libc) in the source, by {order} in the target: what is unique, or sorted, may differ",
    )


def test_a_collation_of_another_version(there: Databases) -> None:
    """A library that was updated under its indexes orders texts otherwise than they do: told."""
    migration = existing(there)
    collation = "LOCALE_PROVIDER icu ICU_LOCALE 'de'"
    name = f"icu_{os.getpid()}"
    with closing(psycopg.connect(there.server.conninfo("postgres"), autocommit=True)) as session:
        try:
            session.execute(f"CREATE DATABASE {name} TEMPLATE template0 {collation}".encode())
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("the server was built without ICU")
        there.made.append(name)
        is_now = session.execute("SELECT datcollversion FROM pg_database WHERE datname = %s", (name,)).fetchone()
        migration = replace(migration, target=there.server.conninfo(name))
        assert "built under" not in str(look(migration))
        session.execute("UPDATE pg_database SET datcollversion = '1.2' WHERE datname = %s", (name,))
    assert is_now is not None
    assert look(migration)[1][0] == (
        f"the target's collation de (icu) is of version {is_now[0]}, its indexes were built under 1.2: "
        "REINDEX what orders texts, then ALTER DATABASE ... REFRESH COLLATION VERSION"
    )


def test_a_standby(there: Databases, small: Server, tmp_path: Path) -> None:
    """A real standby is refused as the target; as the source it is told that it cancels reads."""
    migration = existing(there)
    with standby(small) as copied:
        host = str(copied)
        to, of = (make_conninfo(conninfo, host=host) for conninfo in (migration.target, migration.source))
        problems, notices = look(replace(migration, target=to))
        assert (problems, notices) == (("the target is a standby, which takes no writes",), ())
        assert told(replace(migration, source=of)) == (
            "the source is a standby, which cancels reads that replay conflicts with: "
            "hot_standby_feedback = on spares the run from reading again",
        )
        done = replace(migration, target=to).command("apply")
        assert (done.returncode, done.stderr.splitlines()[1]) == (
            4, "  | the target is a standby, which takes no writes",
        )  # fmt: skip


@contextlib.contextmanager
def standby(server: Server) -> Iterator[Path]:
    """A standby of the server; the folder of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="transhume-", dir="/tmp"))
    user = account(server.data)
    if user.switch():
        shutil.chown(folder, user.uid, user.gid)
    data, socket = folder / "data", ("-c", f"unix_socket_directories={folder}", "-c", "listen_addresses=")
    try:
        copy = (server.bin / "pg_basebackup", "-h", server.socket, "-U", "postgres", "-D", data, "-R", "-c", "fast")
        copied = user.run(*copy, "--no-sync", cwd=folder)
        assert copied.returncode == 0, copied.stdout
        options = " ".join((*socket, *(f"-c {key}={value}" for key, value in SETTINGS.items())))
        started = user.run(
            server.bin / "pg_ctl", "start", "-D", data, "-s", "-w", "-l", folder / "log", "-o", options, cwd=folder
        )
        assert started.returncode == 0, started.stdout
        yield folder
    finally:
        user.run(server.bin / "pg_ctl", "stop", "-D", data, "-s", "-m", "immediate", cwd=folder)
        shutil.rmtree(folder)


def test_transaction_numbers_that_run_out(there: Databases) -> None:
    """Beyond the age at which the server itself would drop everything else: refused, until it is frozen."""
    migration = existing(there)
    with closing(psycopg.connect(migration.source)) as old:
        old.execute("SELECT pg_current_xact_id()")  # nothing younger can be frozen while it is open
        burn = "DO $$ BEGIN FOR n IN 1..106000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        migration.ask(burn)
        problems, notices = look(migration)
        old.rollback()  # a session that is only closed may still be there when the vacuum comes
    assert notices == ()
    assert [problem.split(" is ")[0] for problem in problems] == [
        "the oldest unfrozen transaction of the source",
        "the oldest unfrozen transaction of the target",
    ]
    assert all(problem.endswith(" transactions old: VACUUM FREEZE the database first") for problem in problems)
    for conninfo in (migration.source, migration.target, there.server.conninfo("template1")):
        with closing(psycopg.connect(conninfo, autocommit=True)) as session:
            session.execute("VACUUM FREEZE")
    assert look(migration) == ((), ())
