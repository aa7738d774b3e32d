"""The doctor shows what the preflight of a plan finds, for as many of its two databases as answer."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from runner import doctor as examined
from tests.conftest import Databases
from tests.pg.migration import Migration
from tests.pg.preflighting import existing
from transhume import main

ADVICE = "it may refuse a statement, or copy it elsewhere"


@pytest.fixture(autouse=True)
def only_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what does not depend on the plan."""
    monkeypatch.setattr(examined, "machine", lambda: iter(()))


def doctor(migration: Migration, **env: str) -> tuple[int, list[tuple[str, ...]]]:
    """The exit code, and the findings of the migration's plan, but for those that are ok."""
    urls = {"LEGACY_DATABASE_URL": migration.source, "TARGET_DATABASE_URL": migration.target, **env}
    result = CliRunner().invoke(main, ["doctor", str(migration.folder), "--json"], env=urls)
    found = [tuple(one.values()) for one in json.loads(result.stdout)]
    return result.exit_code, [one for one in found if one[1] != "ok"]


@pytest.mark.both_servers
def test_what_the_preflight_finds(databases: Databases) -> None:
    """Refusals are failures, notices are warnings; a run that is done has its tables filled, and is well."""
    migration = existing(databases)
    assert doctor(migration) == (0, [])

    migration.ask("CREATE FUNCTION app.veto() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    migration.ask("CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION app.veto()")
    watched = ("expected: target", "warn", "the event trigger watch runs app.veto with the plan's DDL", ADVICE)
    assert doctor(migration) == (0, [watched])
    migration.ask("CREATE RULE also AS ON INSERT TO app.visits DO ALSO NOTIFY visits")
    ruled = (
        "expected: target", "fail", "app.visits has the rule also, which rewrites what is written there",
        "ALTER TABLE app.visits DISABLE RULE also, until the plan is applied",
    )  # fmt: skip
    assert doctor(migration) == (1, [ruled, watched])

    migration.ask("DROP RULE also ON app.visits")
    migration.apply()
    assert doctor(migration) == (0, [watched])


def test_one_database_that_does_not_answer(databases: Databases) -> None:
    """What can be said of the other is said all the same."""
    migration = existing(databases)
    migration.ask("CREATE RULE also AS ON INSERT TO app.visits DO ALSO NOTIFY visits")
    code, found = doctor(migration, LEGACY_DATABASE_URL="postgresql://127.0.0.1:1/x")

    assert code == 1
    assert found[0][2].startswith("cannot connect to LEGACY_DATABASE_URL (127.0.0.1, database x): ")
    assert [one[2] for one in found[1:]] == ["app.visits has the rule also, which rewrites what is written there"]


def test_a_schema_transhume_that_is_somebody_elses(databases: Databases) -> None:
    """The doctor says so too, and is not thrown by tables that are named as the journal's."""
    migration = existing(databases)
    migration.ask("CREATE SCHEMA transhume; CREATE TABLE transhume.journal (id int); CREATE TABLE transhume.event ()")
    assert doctor(migration) == (
        1,
        [
            (
                "expected: target", "fail", "the schema transhume in the target is somebody else's",
                "the journal needs that name: rename the other schema",
            )
        ],
    )  # fmt: skip
