"""The preflight of tables and roles: each thing that it finds is found, and nothing is found where all is well."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runner.errors import RunnerError
from runner.manifest import Step
from tests.conftest import Databases
from tests.pg import by_hand
from tests.pg.migration import Migration
from tests.pg.preflighting import existing, look, preflight, refused, role, told

OWNER = (
    "source: GRANT USAGE ON SCHEMA public TO ROLE",
    "source: GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE",
    "target: ALTER SCHEMA app OWNER TO ROLE",
    "target: ALTER TABLE app.patients OWNER TO ROLE",
    "target: ALTER TABLE app.visits OWNER TO ROLE",
    "target: ALTER TABLE app.invoices OWNER TO ROLE",
)


def database(migration: Migration) -> str:
    """The name of the target."""
    return str(psycopg.conninfo.conninfo_to_dict(migration.target)["dbname"])


@pytest.mark.both_servers
def test_nothing_is_found(databases: Databases) -> None:
    """Two databases that are as the plan was reviewed against: no refusal, and no notice."""
    assert look(existing(databases), connections=10) == ((), ())


@pytest.mark.both_servers
def test_everything_is_told_at_once(databases: Databases) -> None:
    """What has nothing to do with each other is in one refusal, and what does not refuse is told beside it."""
    migration = existing(databases)
    migration.ask_source("ALTER TABLE visit ADD COLUMN note text")
    migration.ask("CREATE RULE also AS ON INSERT TO app.visits DO ALSO NOTIFY visits")
    migration.ask("CREATE PUBLICATION feed FOR TABLE app.patients")
    problems, notices = look(migration, env={"TRANSHUME_FREE_SPACE": "1kB"}, connections=10_000)

    assert problems[0].startswith("the target has ")
    assert problems[0].endswith(
        " free connections (max_connections 100, 0 of them reserved), the run opens up to 20000: "
        "--connections lowers that"
    )
    assert problems[1:3] == (
        "app.visits has the rule also, which rewrites what is written there: "
        "ALTER TABLE app.visits DISABLE RULE also, until the plan is applied",
        "public.visit in the source was changed since the plan was reviewed: "
        "`transhume snapshot demo` writes down how, then plan again",
    )
    assert problems[3].startswith("the load needs about ")
    assert problems[3].endswith("), and TRANSHUME_FREE_SPACE says that 1.0 kB are free: make room")
    assert notices == (
        "the publication feed sends every row of app.patients to its subscribers: their servers take the load too",
    )


@pytest.mark.both_servers
def test_target_tables_that_are_not_empty(databases: Databases) -> None:
    """Every table that has rows is named before any step; a run that goes on has rows there, and is not refused."""
    migration = existing(databases)
    migration.ask("ALTER TABLE app.patients DISABLE TRIGGER touch")
    migration.ask("INSERT INTO app.patients (name) VALUES ('x'); INSERT INTO app.visits (patient_id) VALUES (1)")
    migration.ask("ALTER TABLE app.patients ENABLE TRIGGER touch")

    assert refused(migration) == ("app.patients is not empty", "app.visits is not empty")
    assert refused(migration, fresh=False) == ()


@pytest.mark.both_servers
def test_target_tables_that_are_there_already(databases: Databases, tmp_path: Path) -> None:
    """What the first steps would create is there: said with exit code 4, and nothing was changed."""
    folder = by_hand.write_plan(tmp_path / "hand")
    migration = Migration(folder, databases.create("source", by_hand.source(10)), databases.create("target"))
    assert refused(migration) == ()

    migration.ask("CREATE SCHEMA app")
    done = migration.command("apply")
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: project hand cannot be applied here",
        "  | schema app is there already",
        "  = hint: nothing was changed",
    ]
    assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]


@pytest.mark.both_servers
def test_a_schema_transhume_that_is_somebody_elses(databases: Databases) -> None:
    """A schema of that name with other things in it is refused; an empty one is for the journal."""
    migration = existing(databases)
    migration.ask("CREATE SCHEMA transhume")
    assert refused(migration) == ()

    problem = (
        "the schema transhume in the target is somebody else's: the journal needs that name: rename the other schema"
    )
    migration.ask("CREATE TABLE transhume.event (id integer)")
    assert refused(migration) == (problem,)
    done = migration.command("apply")
    assert (done.returncode, done.stderr.splitlines()[1]) == (4, f"  | {problem}")
    migration.ask("DROP TABLE transhume.event; CREATE FUNCTION transhume.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert refused(migration) == (problem,)


@pytest.mark.both_servers
def test_rules_on_existing_tables(databases: Databases) -> None:
    """A rule rewrites an INSERT and is gone past by COPY: refused while it is enabled."""
    migration = existing(databases)
    migration.ask("CREATE RULE also AS ON INSERT TO app.visits DO ALSO NOTIFY visits")
    assert refused(migration) == (
        "app.visits has the rule also, which rewrites what is written there: "
        "ALTER TABLE app.visits DISABLE RULE also, until the plan is applied",
    )
    migration.ask("ALTER TABLE app.visits DISABLE RULE also")
    assert refused(migration) == ()


@pytest.mark.both_servers
def test_event_triggers(databases: Databases) -> None:
    """An event trigger is told: it may refuse DDL, or copy it elsewhere. A disabled one is not."""
    migration = existing(databases)
    migration.ask("CREATE FUNCTION app.veto() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    migration.ask("CREATE EVENT TRIGGER guard ON ddl_command_end EXECUTE FUNCTION app.veto()")
    assert told(migration) == (
        "the event trigger guard runs app.veto with the plan's DDL: it may refuse a statement, or copy it elsewhere",
    )
    migration.ask("ALTER EVENT TRIGGER guard DISABLE")
    assert told(migration) == ()


@pytest.mark.both_servers
def test_a_replica_identity_that_the_plan_drops(databases: Databases) -> None:
    """An index that is built anew is no replica identity any more: refused, whatever is published."""
    migration = existing(databases)
    migration.ask("ALTER TABLE app.visits ALTER at SET NOT NULL")
    migration.ask("ALTER TABLE app.visits REPLICA IDENTITY USING INDEX visits_at_key")
    problems, _ = look(migration)

    assert problems[0] == (
        "the plan drops visits_at_key, which is the replica identity of app.visits: "
        "ALTER TABLE app.visits REPLICA IDENTITY FULL first, and USING INDEX visits_at_key after the run"
    )
    migration.ask("ALTER TABLE app.visits REPLICA IDENTITY FULL; ALTER TABLE app.visits ALTER at DROP NOT NULL")
    assert look(migration) == ((), ())


@pytest.mark.both_servers
def test_row_security_hides_rows(databases: Databases) -> None:
    """Policies that hold for the role, on either side, are refused; FORCE makes them hold for the owner too."""
    migration = existing(databases)
    with role(migration, *OWNER, f"target: GRANT CREATE ON DATABASE {database(migration)} TO ROLE") as mine:
        assert refused(mine) == ()
        migration.ask_source("ALTER TABLE visit ENABLE ROW LEVEL SECURITY")
        migration.ask("ALTER TABLE app.patients ENABLE ROW LEVEL SECURITY")
        assert refused(mine) == ("policies hide rows of public.visit from the role: use its owner, or BYPASSRLS",)
        migration.ask("ALTER TABLE app.patients FORCE ROW LEVEL SECURITY")
        assert refused(mine) == (
            "policies hide rows of public.visit from the role: use its owner, or BYPASSRLS",
            "policies hide rows of app.patients from the role: use its owner, or BYPASSRLS",
        )


@pytest.mark.both_servers
def test_privileges_that_are_missing(databases: Databases) -> None:
    """All that the role lacks on both sides, in one refusal, with what to grant."""
    migration = existing(databases)
    name = database(migration)
    migration.ask(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    with role(migration, "source: GRANT SELECT ON public.patient TO ROLE") as mine:
        assert refused(mine) == (
            "the role may not read public.visit: GRANT SELECT, and USAGE on its schema",
            f"the role may not create schemas in the target: GRANT CREATE ON DATABASE {name}",
            f"the role may not create temporary tables in the target: GRANT TEMPORARY ON DATABASE {name}",
            "the role may not create tables in the schema app: GRANT CREATE, USAGE ON SCHEMA app",
            "the role does not own app.patients, whose indexes are built after the load: its owner can apply the plan",
            "the role does not own app.visits, whose indexes are built after the load: its owner can apply the plan",
            "the role does not own app.invoices, whose foreign key to app.visits is built after the load: "
            "its owner can apply the plan",
        )


@pytest.mark.both_servers
def test_an_extension_that_only_a_superuser_creates(databases: Databases, tmp_path: Path) -> None:
    """An extension that is neither installed nor trusted is refused to an ordinary role."""
    target = databases.create("target")
    with psycopg.connect(target) as session:
        row = session.execute("SELECT min(name) FROM pg_available_extension_versions WHERE NOT trusted").fetchone()
    if row is None or row[0] is None:
        pytest.skip("the server has only trusted extensions")
    extension = str(row[0])
    folder = by_hand.write_plan(tmp_path / "hand", requires={"extensions": ["plpgsql", extension]})
    migration = Migration(folder, databases.create("source", by_hand.source(0)), target)
    assert refused(migration) == ()
    with role(migration, f"target: GRANT CREATE ON DATABASE {database(migration)} TO ROLE") as mine:
        problem = f"the role may not create the extension {extension}: let a superuser create it"
        assert refused(mine) == (problem,)
        migration.ask(f"CREATE EXTENSION {extension}")
        assert refused(mine) == ()


@pytest.mark.both_servers
def test_a_source_without_its_schema(databases: Databases, tmp_path: Path) -> None:
    """A URL of the wrong database is told as such, not as fifty missing tables."""
    migration = existing(databases)
    migration.ask_source("ALTER SCHEMA public RENAME TO other")
    assert refused(migration) == ("the source has no schema public: does the URL lead to the right database?",)


def test_a_source_table_that_is_locked(databases: Databases) -> None:
    """A lock that keeps readers out is waited for no longer than lock_timeout; nothing was changed."""
    migration = existing(databases)
    with closing(psycopg.connect(migration.source)) as session:
        session.execute("LOCK visit IN ACCESS EXCLUSIVE MODE")
        done = migration.command("apply")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: canceling statement due to lock timeout [55P03]",
        "  = hint: another session holds the lock: pg_catalog.pg_locks shows which; then apply again",
    ]
    assert migration.ask("SELECT to_regnamespace('transhume')") == [(None,)]


def test_notices_come_through_the_run(databases: Databases) -> None:
    """What does not refuse is told by `apply` as a notice, and the run goes on."""
    migration = existing(databases)
    migration.ask("CREATE FUNCTION app.veto() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    migration.ask("CREATE EVENT TRIGGER guard ON login EXECUTE FUNCTION app.veto()")
    migration.ask("CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION app.veto()")
    done = migration.command("apply")

    assert done.returncode == 0
    assert done.stderr.splitlines()[0].startswith("the event trigger watch runs app.veto with the plan's DDL: ")


def test_a_privilege_that_is_lost_amid_a_run(databases: Databases, tmp_path: Path) -> None:
    """The step stops with the server's message (42501), what is committed stays, and after the GRANT it goes on."""
    folder = by_hand.write_plan(tmp_path / "hand")
    migration = Migration(folder, databases.create("source", by_hand.source(200)), databases.create("target"))
    grants = (
        "source: GRANT USAGE ON SCHEMA legacy TO ROLE",
        "source: GRANT SELECT ON ALL TABLES IN SCHEMA legacy TO ROLE",
        f"target: GRANT CREATE ON DATABASE {database(migration)} TO ROLE",
    )
    with role(migration, *grants) as mine:
        name = psycopg.conninfo.conninfo_to_dict(mine.target)["user"]

        def began(step: Step) -> None:
            if step.id == "load.orders":
                migration.ask_source(f"REVOKE SELECT ON legacy.orders FROM {name}")

        mine.notices.began = began  # type: ignore[method-assign]
        with pytest.raises(RunnerError) as caught:
            mine.apply(jobs=1)
        assert caught.value.message == "permission denied for table orders [42501]"
        assert migration.ask("SELECT count(*) FROM transhume.step WHERE state = 'done'")[0][0] > 0

        migration.ask_source(f"GRANT SELECT ON legacy.orders TO {name}")
        Migration(folder, mine.source, mine.target).apply()
        assert mine.verify().green


def test_the_number_of_queries_does_not_grow(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of 50 tables asks no more often than one of two."""
    asked: list[object] = []
    usual = psycopg.Cursor.execute

    def counted(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:
        asked.append(query)
        return usual(cursor, query, *values, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    counts = []
    for number in (2, 50):
        names = [f"t{n}" for n in range(number)]
        content = "CREATE SCHEMA legacy; " + "".join(f"CREATE TABLE legacy.{name} (id integer); " for name in names)
        relations = [
            {"database": "source", "relation": f"legacy.{name}", "fingerprint": "sha256:" + 64 * "0"} for name in names
        ]
        tables = [{"id": n, "source": f"legacy.{n}", "target": f"app.{n}", "keyset": ["id"], "rows": 9} for n in names]
        tables += [{"id": n, "source": n, "target": f"app.{n}", "keyset": ["id"], "rows": 9} for n in by_hand.TABLES]
        folder = by_hand.write_plan(tmp_path / str(number), tables=tables, relations=relations)
        migration = Migration(folder, databases.create("source", content), databases.create("target"))
        with preflight(migration, connections=4) as looking:
            asked.clear()
            assert sum(one.refuses for one in looking.findings({})) == number  # each fingerprint is another
            counts.append(len(asked))

    assert counts[0] == counts[1] < 60
