"""What else acts on the target, or on the role that fills it: triggers, rules, publications, planted functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Databases
from tests.faults.conftest import Make, Quietly, Record
from tests.faults.depot import Depot, until
from tests.faults.test_locks import existing
from tests.faults.test_network import terminate
from tests.pg.migration import ROOT

TRIGGERS = """
CREATE TABLE app.mail (code text);
CREATE FUNCTION app.send() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO app.mail VALUES (NEW.code);
  RETURN NEW;
END $$;
CREATE TRIGGER usual BEFORE INSERT ON app.shops FOR EACH ROW EXECUTE FUNCTION app.send();
CREATE TRIGGER always BEFORE INSERT ON app.shops FOR EACH ROW EXECUTE FUNCTION app.send();
ALTER TABLE app.shops ENABLE ALWAYS TRIGGER always;
"""


def test_triggers_do_not_fire(databases: Databases, tmp_path: Path, quietly: Quietly) -> None:
    """The target's own triggers send no mail for rows that are moved, and are as they were afterwards."""
    depot = existing(databases, tmp_path, TRIGGERS)
    query = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'app.shops'::regclass"
    before = sorted(depot.ask(query))
    depot.applied()

    assert depot.ask("SELECT count(*) FROM app.mail") == [(0,)]
    assert sorted(depot.ask(query)) == before
    assert depot.end().differs(quietly().end) == []


def test_no_session_stands_in_for_a_replica() -> None:
    """Nothing that moves rows sets session_replication_role: keys are checked, and missing references looked for.

    Only the refill of a removal's restore does: the application's triggers are not to fire, and keys come after it.
    """
    for path in [*ROOT.glob("templates/**/*"), *ROOT.glob("runner/**/*.*"), *ROOT.glob("compiler/**/*.py")]:
        if path.suffix in (".py", ".sql", ".j2") and path.parent.name not in ("removal", "removals"):
            assert "session_replication_role" not in path.read_text(encoding="utf-8"), path


RULE = "CREATE RULE elsewhere AS ON INSERT TO app.shops DO INSTEAD NOTHING;"


def test_a_rule_takes_the_rows(databases: Databases, tmp_path: Path) -> None:
    """A rule that rewrites what is inserted is refused, or does nothing, or its chunk is found to lack rows."""
    depot = existing(databases, tmp_path, RULE)
    done = depot.command("apply")

    assert depot.torn() == []
    if done.returncode == 0:
        assert depot.ask("SELECT count(*) FROM app.shops") == [(20,)]
    else:
        assert re.search("rule|unaccounted", done.stderr), done.stderr


VETO = """
CREATE FUNCTION public.veto() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'no keys on a Friday';
END $$;
CREATE EVENT TRIGGER veto_{0} ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.veto();
"""


def test_an_event_trigger_refuses(depots: Make, quietly: Quietly) -> None:
    """DDL that an event trigger refuses stops the run with the trigger's words; without it, the run goes on."""
    depot = depots()
    depot.ask(VETO.format("index"))
    done = depot.command("apply")

    assert done.returncode in (1, 4), done.stderr
    assert "no keys on a Friday [P0001]" in done.stderr or "event trigger" in done.stderr
    assert depot.torn() == []
    depot.ask("DROP EVENT TRIGGER veto_index")
    depot.applied()
    assert depot.end().differs(quietly().end) == []


FUNCTIONS = (
    ("md5", "bytea", "text"),
    ("lower", "varchar", "text"),
    ("to_date", "varchar, varchar", "date"),
    ("count", "varchar", "bigint"),
    ("convert_to", "varchar, varchar", "bytea"),
    ("hashtextextended", "varchar, integer", "bigint"),
    ("clock_timestamp", "", "timestamptz"),
)


def test_functions_that_were_planted(depots: Make, quietly: Quietly) -> None:
    """Functions, operators and tables in public and in the role's path are never taken for the server's own."""
    depot = depots()
    for ask in (depot.ask, depot.ask_source):
        ask("CREATE TABLE public.loot (what text); GRANT ALL ON public.loot TO PUBLIC")
        for name, arguments, result in FUNCTIONS:
            ask(
                f"""CREATE FUNCTION public.{name}({arguments}) RETURNS {result} LANGUAGE plpgsql AS $$ BEGIN
                    RAISE EXCEPTION 'taken by public.{name}'; END $$"""
            )
        ask(
            """CREATE FUNCTION public.differ(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
               RAISE EXCEPTION 'taken by an operator'; END $$;
               CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.differ);
               CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = public.differ);
               CREATE TABLE public.pg_class (relname text)"""
        )
        name = ask("SELECT current_database()")[0][0]
        ask(f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
    depot.applied()
    for ask in (depot.ask, depot.ask_source):
        name = ask("SELECT pg_catalog.current_database()")[0][0]
        ask(f"ALTER DATABASE {name} RESET search_path")
    depot.ask("DROP SCHEMA public CASCADE")

    assert depot.end().differs(quietly().end) == []


def test_no_functions_of_its_own() -> None:
    """What runs with its owner's rights cannot be misused: only removals create such functions, their path pinned.

    What a load creates is temporary, and its session's.
    """
    texts = [*ROOT.glob("templates/**/*.j2"), *ROOT.glob("runner/*.sql"), *ROOT.glob("runner/removals/*.sql")]
    assert len(texts) > 20
    for path in texts:
        text = path.read_text(encoding="utf-8")
        made = re.findall(r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+(.*?)\(", text.upper())
        pinned = "LANGUAGE PLPGSQL SECURITY DEFINER SET SEARCH_PATH = PG_CATALOG, PG_TEMP"
        own = len(made) if path.parent.name == "removal" else 0
        assert own == text.upper().count(pinned) == text.upper().count("SECURITY DEFINER"), path
        assert own or made == ["{{ FUNCTION }}"] * (path.name == "sift.sql.j2"), path
    loads = [path.read_text(encoding="utf-8") for path in ROOT.glob("plans/*/load/*.sql")]
    names = {name for text in loads for name in re.findall(r"CREATE OR REPLACE FUNCTION (.*?)\(", text)}
    assert names
    assert all(name.startswith("pg_temp.") for name in names)


@contextmanager
def role(depot: Depot) -> Iterator[str]:
    """A role of its own for the target, which owns nothing else."""
    name = f"mover_{abs(hash(depot.target)) % 10**9}"
    database = depot.ask("SELECT current_database()")[0][0]
    depot.ask(f"CREATE ROLE {name} LOGIN")
    depot.ask(f"GRANT CREATE, TEMPORARY ON DATABASE {database} TO {name}")
    try:
        yield name
    finally:
        depot.ask(f"DROP OWNED BY {name} CASCADE")
        depot.ask(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    "taken, given",
    [
        ("REVOKE INSERT ON app.lines FROM {0}", "GRANT INSERT ON app.lines TO {0}"),
        ("ALTER ROLE {0} NOLOGIN", "ALTER ROLE {0} LOGIN"),
    ],
    ids=["table", "login"],
)
def test_a_privilege_is_taken_away(depots: Make, quietly: Quietly, taken: str, given: str) -> None:
    """A role that loses what it needs amid a run stops; with it again, it goes on."""
    depot = depots()
    with role(depot) as name:
        target = psycopg.conninfo.make_conninfo(depot.target, user=name)
        runner = Depot(depot.folder, depot.source, target).start("--outage", "1")
        until(lambda: depot.ask("SELECT to_regclass('app.lines') IS NOT NULL") == [(True,)])
        depot.ask(taken.format(name))
        terminate(depot.ask)
        error = runner.end()[1]
        assert runner.returncode == 1, error
        assert "[42501]" in error or "is not permitted to log in" in error
        assert depot.torn() == []

        depot.ask(given.format(name))
        Depot(depot.folder, depot.source, target).applied()
        assert depot.end().differs(quietly().end) == []


def test_rows_cost_no_transaction_ids(depots: Make, record_property: Record) -> None:
    """Dirt costs a subtransaction for each half of a chunk, never one for each row: ids are not used up."""
    depot = depots()
    query = "SELECT pg_current_xact_id()::text::bigint"
    before = depot.ask(query)[0][0]
    depot.applied()
    used = depot.ask(query)[0][0] - before
    rows = sum(row[1] for row in depot.end().content)

    assert used < rows
    record_property("figure", f"{used:,} transaction ids for {rows:,} rows in {depot.chunks():,} chunks")
