"""What stands between a removal's phases: their order, the soak, the guard, what came to use the columns, the purge."""

from __future__ import annotations

import csv
import hashlib
import json
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runner.errors import Refused, RunnerError
from runner.removals import listing
from tests.conftest import Databases
from tests.pg.removing import Removing, against, removing

TABLE = """
CREATE SCHEMA app;
CREATE TABLE app.users (id integer PRIMARY KEY, email text NOT NULL, code varchar(9) DEFAULT 'x', old text);
INSERT INTO app.users SELECT g, 'e' || g, 'c' || g, CASE WHEN g % 2 = 0 THEN 'o' || g END
FROM generate_series(1, 50) AS g;
"""
SPEC = """\
columns: [code, old]
because: nobody reads them
phases: {soak: 0s, retain: 0s}
"""
BACK = "UPDATE transhume.removal_phase SET done_at = done_at - interval '%s'"


@pytest.fixture
def users(databases: Databases, tmp_path: Path) -> Removing:
    """The removal of two simple columns."""
    return removing(databases, tmp_path, TABLE, SPEC)


def test_phases_advance_only_in_their_order(users: Removing) -> None:
    """A phase whose turn it is not is refused, with what to do; one that is done is done."""
    with pytest.raises(Refused, match="phase 1 of removal users is not done"):
        users.apply(2)
    users.apply(1)
    with pytest.raises(Refused, match="phase 2 of removal users is not done"):
        users.apply(3)
    users.apply(2)
    assert users.apply(2).before
    with pytest.raises(Refused, match="is in phase 2 already"):
        users.apply(1)
    with pytest.raises(Refused, match="has dropped nothing yet"):
        users.apply(5)
    with pytest.raises(Refused, match="phase 2 of removal users stands on phase 1"):
        users.undo(1)
    users.undo(2)
    users.undo(1)


def test_the_soak_is_waited_for_by_the_servers_clock(databases: Databases, tmp_path: Path) -> None:
    """Phase 3 is red until so long after phase 2, phase 4 until so long after phase 3."""
    spec = SPEC.replace("soak: 0s, retain: 0s", "soak: 7d, retain: 90d")
    users = removing(databases, tmp_path, TABLE, spec)
    users.apply(1)
    users.apply(2)
    with pytest.raises(RunnerError) as red:
        users.apply(3)
    assert red.value.notes[0].startswith("the columns soak until ")
    users.ask(BACK % "8 days")
    users.apply(3)
    with pytest.raises(RunnerError) as red:
        users.apply(4)
    assert red.value.notes[0].startswith("the backup is kept until ")


def test_nothing_is_dropped_before_the_day(databases: Databases, tmp_path: Path) -> None:
    """`not_before` is a gate of phase 3."""
    users = removing(databases, tmp_path, TABLE, SPEC.replace("soak: 0s", "not_before: 2999-12-31, soak: 0s"))
    users.apply(1)
    users.apply(2)
    with pytest.raises(RunnerError) as red:
        users.apply(3)
    assert red.value.notes == ("not before 2999-12-31",)


def test_the_guard_watches_before_it_refuses(databases: Databases, tmp_path: Path) -> None:
    """For as long as `watch` says writes are only noted, and any of them holds phase 2 up; then they are refused."""
    users = removing(databases, tmp_path, TABLE, SPEC.replace("soak: 0s", "watch: 1h, soak: 0s"))
    users.apply(1)
    with pytest.raises(RunnerError) as red:
        users.apply(2)
    assert red.value.notes[0].startswith("the guard watches until ")
    users.ask("UPDATE app.users SET code = 'still' WHERE id = 1")
    users.ask("INSERT INTO app.users (id, email) VALUES (100, 'without')")
    users.ask("UPDATE transhume.part SET committed_at = committed_at - interval '2 hours' WHERE part = 'apply'")
    with pytest.raises(RunnerError) as red:
        users.apply(2)
    assert red.value.notes[0].startswith("1 writes by postgres ()")
    users.ask("UPDATE transhume.guard_hit SET at = at - interval '2 hours'")
    users.apply(2)
    assert [operation for (operation,) in users.ask("SELECT operation FROM transhume.guard_hit")] == ["UPDATE"]


@pytest.mark.parametrize(
    "statement, refused",
    [
        ("INSERT INTO app.users (id, email, zz_removed_code) VALUES (200, 'e', 'sent')", True),
        ("UPDATE app.users SET zz_removed_old = 'sent' WHERE id = 1", True),
        ("INSERT INTO app.users (id, email) VALUES (201, 'e')", False),
        ("UPDATE app.users SET email = 'other' WHERE id = 1", False),
        ("UPDATE app.users SET zz_removed_old = zz_removed_old", False),
        ("INSERT INTO app.users (id, email) VALUES (1, 'e') ON CONFLICT (id) DO UPDATE SET email = 'up'", False),
    ],
)
def test_what_the_guard_refuses(users: Removing, statement: str, refused: bool) -> None:
    """A value that is sent is refused by its own error, which names the removal; everything else goes through."""
    users.apply(1)
    users.apply(2)
    if refused:
        with pytest.raises(psycopg.Error, match="must not be written any more") as error:
            users.ask(statement)
        assert error.value.sqlstate == "TH001"
        assert error.value.diag.message_hint == "removal users of production: nobody reads them"
    else:
        users.ask(statement)


@pytest.mark.parametrize("phase", [1, 2, 3])
def test_what_comes_to_use_the_columns_stops_the_drop(users: Removing, phase: int) -> None:
    """A view, an index or a function that is made after the review: each phase is red, and nothing is dropped."""
    for before in range(1, phase):
        users.apply(before)
    name = "zz_removed_old" if phase == 3 else "old"
    made = {
        "VIEW app.late": f"CREATE VIEW app.late AS SELECT {name} FROM app.users",
        "INDEX app.late": f"CREATE INDEX late ON app.users ({name})",
        "FUNCTION app.late()": (
            f"CREATE FUNCTION app.late() RETURNS text LANGUAGE sql AS 'SELECT {name} FROM app.users'"
        ),
    }
    if phase == 2:
        del made["INDEX app.late"]  # goes with the columns: phase 3 is red because of it
    if phase == 3:
        del made["FUNCTION app.late()"]  # nothing names the columns by their hidden names
    for what, statement in made.items():
        users.ask(statement)
        with pytest.raises(RunnerError) as red:
            users.apply(phase)
        assert "app.late" in red.value.notes[0], what
        users.ask(f"DROP {what}")
    users.apply(phase)


def test_the_drop_looks_again_under_its_lock(users: Removing) -> None:
    """What comes between the gates and the drop is seen by the drop itself, which then does nothing."""
    users.apply(1)
    users.apply(2)
    plan = users.plan(3)
    step = next(one for one in plan.steps if one.kind == "drop")
    text = plan.open(step).need("apply").text
    users.ask("CREATE INDEX late ON app.users (zz_removed_old)")
    with pytest.raises(psycopg.Error, match=r"index app\.late uses the columns") as error:
        users.ask(text)
    assert error.value.sqlstate == "TH002"


def test_a_backup_that_is_not_what_the_table_has(users: Removing) -> None:
    """Each later phase compares both first: values that nobody captured hold it up."""
    users.apply(1)
    users.ask("UPDATE transhume.backup_production_users SET code = 'wrong' WHERE id = 3")
    with pytest.raises(RunnerError) as red:
        users.apply(2)
    assert red.value.notes == ("1 rows have other values in the backup",)


@pytest.mark.parametrize(
    "statements",
    [
        "SET session_replication_role = replica; UPDATE app.users SET code = 'replica'",
        "UPDATE app.users SET id = id + 1 WHERE id = 50; UPDATE app.users SET id = id - 1000 WHERE id < 10",
        "UPDATE app.users SET id = 100 - id WHERE id <> 50",
        "WITH gone AS (DELETE FROM app.users WHERE id < 9) INSERT INTO app.users VALUES (91, 'e')",
        "INSERT INTO app.users VALUES (1, 'e', 'up') ON CONFLICT (id) DO UPDATE SET code = excluded.code, old = 'up'",
        "UPDATE app.users SET code = 'first' WHERE id = 7",  # and the trigger below writes the row once more
        "BEGIN; UPDATE app.users SET old = 'x'; SAVEPOINT s; DELETE FROM app.users; ROLLBACK TO s; COMMIT",
        "TRUNCATE app.users; INSERT INTO app.users VALUES (1, 'again')",
        "BEGIN; TRUNCATE app.users; ROLLBACK",
    ],
)
def test_the_backup_follows_the_table(users: Removing, statements: str) -> None:
    """Whatever is written, and however: the backup is equal to the table, to the byte."""
    users.apply(1)
    users.ask(
        """CREATE FUNCTION app.again() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN UPDATE app.users SET code = 'again' WHERE id = new.id; RETURN NULL; END $$"""
    )
    users.ask(
        """CREATE TRIGGER again AFTER UPDATE ON app.users FOR EACH ROW
           WHEN (new.code = 'first') EXECUTE FUNCTION app.again()"""
    )
    plan = users.plan(1)
    backfill = next(step for step in plan.steps if step.kind == "backfill")

    users.ask(statements)

    assert users.ask(plan.open(backfill).need("verify").text) == []


def test_a_restore_that_would_take_too_long(databases: Databases, tmp_path: Path) -> None:
    """Phase 3 is refused where its restore is predicted to take longer than the limit, unless that is accepted."""
    slow = SPEC + "restore_limit: 0ms\n"
    users = removing(databases, tmp_path, TABLE, slow)
    users.apply(1)
    users.apply(2)
    with pytest.raises(RunnerError) as red:
        users.apply(3)
    assert "is predicted to take" in red.value.notes[0]
    users.restore()

    again = against(users.conninfo, tmp_path / "again", slow + "accept_long_restore: nights are long\n")
    for phase in (1, 2, 3):
        again.apply(phase)


def test_a_replica_identity_that_would_go(databases: Databases, tmp_path: Path) -> None:
    """An index that tells rows of a published table apart is given up before it goes."""
    content = TABLE.replace("code varchar(9) DEFAULT 'x'", "code varchar(9) NOT NULL DEFAULT 'x'")
    content += "CREATE UNIQUE INDEX users_code ON app.users (code);"
    content += "ALTER TABLE app.users REPLICA IDENTITY USING INDEX users_code;"
    users = removing(databases, tmp_path, content, SPEC + "dependents: {drop: [index users_code]}\n")
    users.apply(1)
    with pytest.raises(RunnerError) as red:
        users.apply(2)
    assert red.value.notes == ("app.users_code is the replica identity of app.users: give it another one",)


def test_a_statement_that_waits_lets_others_through(users: Removing) -> None:
    """Behind a long reader the DDL gives way before the server looks for deadlocks, and readers go through."""
    users.apply(1)
    longest = 0.0
    with closing(psycopg.connect(users.conninfo)) as reader, closing(psycopg.connect(users.conninfo)) as other:
        other.autocommit = True
        reader.execute("SELECT count(*) FROM app.users")  # and the transaction stays open
        applying = threading.Thread(target=users.apply, args=(2,))
        applying.start()
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            started = time.monotonic()
            other.execute("SELECT count(*) FROM app.users")
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.01)
        reader.commit()
        applying.join(30)
    assert any("trying again" in text for text in users.notices.texts)
    # It waits for less than deadlock_timeout, which is 1 s; who does not give way is there for all of the 3.
    assert longest < 2.5
    assert users.ask("SELECT state FROM transhume.removal_phase WHERE phase = 2") == [("done",)]


@pytest.mark.parametrize(
    "new_rows, code",
    [("default", "x"), ("null", None), ('{code: "\'n\' || t.id", old: "NULL"}', "n77"), ("refuse", "refused")],
)
def test_rows_that_came_after_the_drop(databases: Databases, tmp_path: Path, new_rows: str, code: str | None) -> None:
    """They get what the spec says; where it says refuse, nothing is changed until they are gone."""
    users = removing(databases, tmp_path, TABLE, SPEC + f"on_restore: {{new_rows: {new_rows}}}\n")
    for phase in (1, 2, 3):
        users.apply(phase)
    users.ask("INSERT INTO app.users (id, email) VALUES (77, 'late')")
    if code == "refused":
        with pytest.raises(RunnerError) as red:
            users.restore()
        assert red.value.notes == ("1 rows came after the drop, and on_restore says: refuse",)
        users.ask("DELETE FROM app.users WHERE id = 77")
    users.restore()
    found = users.ask("SELECT code, old FROM app.users WHERE id = 77")
    assert found == ([] if code == "refused" else [(code, None)])
    assert users.ask("SELECT code, old FROM app.users WHERE id = 2") == [("c2", "o2")]


def test_the_purge_writes_the_backup_to_a_file(users: Removing) -> None:
    """Phase 4 asks for the removal's name, writes the values with their count and checksum, and leaves nothing."""
    for phase in (1, 2, 3):
        users.apply(phase)
    users.ask("DELETE FROM app.users WHERE id = 1")
    users.ask("INSERT INTO app.users (id, email) VALUES (500, 'new')")
    words = ("apply", "production", "--removal", "users", "--phase", "4")
    asked = users.command(*words)
    assert asked.returncode == 2
    assert "the removal's name was not typed" in asked.stderr
    wrong = users.command(*words, "--confirm", "user")
    assert (wrong.returncode, 'is not "user"' in wrong.stderr) == (2, True)

    done = users.command(*words, "--confirm", "users")

    assert done.returncode == 0, done.stderr
    ((file, rows, digest),) = users.ask("SELECT file, rows, sha256 FROM transhume.removal_export")
    data = Path(file).read_bytes()
    assert (rows, digest) == (50, hashlib.sha256(data).hexdigest())
    assert Path(file).stat().st_mode & 0o777 == 0o600
    exported = list(csv.DictReader(data.decode().splitlines()))
    assert exported[0] == {"id": "2", "code": "c2", "old": "o2", "_born": "f"}
    assert exported[-1] == {"id": "500", "code": "", "old": "", "_born": "t"}
    assert users.ask("SELECT to_regclass('transhume.backup_production_users')") == [(None,)]
    assert users.ask("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.users'::regclass") == [(0,)]
    with pytest.raises(Refused, match="its values are in"):
        users.restore()


def test_columns_are_hidden_from_roles(databases: Databases, tmp_path: Path) -> None:
    """`hide: privileges` takes the columns, and nothing else, from the roles; a restore gives back what they had."""
    role = "removal_web"
    grants = f"""
    DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    GRANT USAGE ON SCHEMA app TO {role};
    GRANT SELECT, UPDATE, DELETE ON app.users TO {role};
    GRANT INSERT (old) ON app.users TO {role};"""
    acl = """SELECT c.relacl::text, ARRAY(SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid ORDER BY attnum)
             FROM pg_class AS c WHERE oid = 'app.users'::regclass"""
    users = removing(databases, tmp_path, TABLE + grants, SPEC + f"hide: privileges\nroles: [{role}]\n")
    was = users.ask(acl)
    users.apply(1)
    users.apply(2)
    for query, seen in (("SELECT email FROM app.users", True), ("SELECT old FROM app.users", False)):
        if seen:
            users.ask(f"SET ROLE {role}; {query}")
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                users.ask(f"SET ROLE {role}; {query}")
    users.restore()
    assert users.ask(acl) == was


def test_removals_are_listed(users: Removing) -> None:
    """Each with its phase, who was at it, what it waits for, and until when; `restore --check` predicts."""

    def listed() -> dict[str, object]:
        with closing(psycopg.connect(users.conninfo, autocommit=True)) as session:
            one = listing.listed(session, users.plan(3))
        return {"phase": one.phase, "state": one.state, "waits": one.waits}

    assert listed() == {"phase": 0, "state": "not begun", "waits": "phase 1"}
    users.apply(1)
    assert listed() == {"phase": 1, "state": "deprecate done", "waits": "phase 2"}
    users.apply(2)
    assert listed() == {"phase": 2, "state": "detach done", "waits": "phase 3"}
    back = users.command("rollback", "production", "--removal", "users", "--phase", "2", "--yes")
    assert back.returncode == 0, back.stderr
    assert listed() == {"phase": 1, "state": "deprecate done", "waits": "phase 2"}
    users.apply(2)
    check = users.command("restore", "users.code", "--check")
    assert check.stdout.startswith("phase 2: its steps are undone"), check.stderr
    users.apply(3)
    assert listed() == {"phase": 3, "state": "drop done", "waits": "phase 4"}
    check = users.command("restore", "users", "--check", "--json")
    assert json.loads(check.stdout)["rows"] == 50
    assert json.loads(users.command("removals", "production", "--json").stdout)[0]["phase"] == 3
    users.restore()
    assert listed() == {"phase": 0, "state": "restored", "waits": "phase 1"}
    assert users.command("restore", "nobody").returncode == 2


def test_the_journal_keeps_who_and_the_evidence(users: Removing) -> None:
    """Each phase has its run, who carried it out, and what it has shown."""
    for phase in (1, 2, 3):
        users.apply(phase)
    found = users.ask("SELECT phase, state, who <> '', evidence FROM transhume.removal_phase ORDER BY phase")
    assert [row[:3] for row in found] == [(1, "done", True), (2, "done", True), (3, "done", True)]
    assert found[0][3]["rows"] == 50
    assert found[1][3] == {"guard_hits": 0}
    assert found[2][3]["predicted_seconds"] > 0
    events = users.ask("SELECT count(*) FROM transhume.event AS e JOIN transhume.removal_phase AS p USING (run)")
    assert events[0][0] > 20
