"""Removals from a table with INHERITS children: their rows may have equal keys, and each has things of its own."""

from __future__ import annotations

import csv
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from runner.errors import RunnerError
from tests.conftest import Databases
from tests.pg.locks import held_by_each_step, said_by
from tests.pg.removing import Removing, removing, shown
from tests.pg.test_removal import leftovers
from tests.pg.tree import DATA, FILES, MEMBERS, PLACES, SPEC, schema
from tests.pg.writer import Writer

ROWS = 40
LIVE = 600  # rows of each table that an application writes meanwhile
SEEDS = [pytest.param(seed, marks=[] if seed < 1 else pytest.mark.faults) for seed in range(5)]
KILLED = [pytest.param(seed, marks=[] if seed < 1 else pytest.mark.faults) for seed in range(3)]
SHAPE = """SELECT a.attrelid::regclass::text, a.attname, a.attislocal, a.attinhcount,
                  ARRAY(SELECT k.conname || k.conislocal::text || k.coninhcount FROM pg_constraint AS k
                        WHERE k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey) ORDER BY 1)
           FROM pg_attribute AS a WHERE a.attname IN ('legacy', 'older') AND a.attrelid::regclass::text LIKE 'app.%'
             AND a.attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r') ORDER BY 1, 2"""


@pytest.fixture
def tree(databases: Databases, tmp_path: Path) -> Removing:
    """The removal of two columns of four tables."""
    return removing(databases, tmp_path, schema(ROWS), SPEC, FILES)


def described(tree: Removing) -> list[str]:
    """The columns of all members, in every part of their description."""
    return [shown(tree.descriptor(column, table)) for table, column in PLACES]


@pytest.mark.both_servers
def test_a_hierarchy_goes_forward_and_back(tree: Removing) -> None:
    """From each phase the columns of every member are what they were, and so is every row."""
    was, shape, data = described(tree), tree.ask(SHAPE), tree.ask(DATA)
    for last in (1, 2, 3):
        for phase in range(1, last + 1):
            tree.apply(phase)
        if last == 3:
            assert tree.ask(SHAPE) == []
        tree.restore()

        assert described(tree) == was, last
        assert tree.ask(SHAPE) == shape, last
        assert tree.ask(DATA) == data, last
        assert leftovers(tree) == [], last


AFTER = """
UPDATE app.users SET email = 'all' WHERE id = 1;
DELETE FROM ONLY app.users WHERE id = 2;
DELETE FROM app.staff WHERE id = 3;
UPDATE ONLY app.staff SET id = 1003 WHERE id = 4;
UPDATE app.guests SET id = id + 1000;
DELETE FROM ONLY app.guests WHERE id = 1006;
INSERT INTO app.guests (id, email) VALUES (6, 'again'), (1006, 'again');
INSERT INTO app.users (id, email) VALUES (2, 'again');
INSERT INTO app.staff (id, email) VALUES (500, 'new');
TRUNCATE app.interns;
INSERT INTO app.interns (id, email) VALUES (1, 'first'), (500, 'last')
"""


@pytest.mark.both_servers
def test_rows_of_members_are_not_mixed_up(tree: Removing) -> None:
    """After the drop: rows that come, go and get other keys, in one member and not in another with the same key."""
    expected = {(table, id): value for table, id, _, _, *value in tree.ask(DATA)}
    for phase in (1, 2, 3):
        tree.apply(phase)
    for statement in AFTER.strip().split(";"):
        tree.ask(statement)
    del expected["app.staff", 3], expected["app.interns", 3]
    expected["app.staff", 1003] = expected.pop(("app.staff", 4))
    guests = [(id, expected.pop(("app.guests", id))) for id in range(1, ROWS + 1)]
    expected |= {("app.guests", id + 1000): value for id, value in guests}
    expected |= {("app.guests", id): ["none", 7] for id in (6, 1006)}
    expected |= {("app.users", 2): ["none", None], ("app.staff", 500): ["desk", None]}
    expected = {key: value for key, value in expected.items() if key[0] != "app.interns"}
    expected |= {("app.interns", 1): ["young", 7], ("app.interns", 500): ["young", 7]}

    tree.restore()

    assert {(table, id): value for table, id, _, _, *value in tree.ask(DATA)} == expected
    for phase in (1, 2, 3):  # and forward again
        tree.apply(phase)


@pytest.mark.both_servers
def test_the_locks_of_a_hierarchy_are_said(tree: Removing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step's strongest on each member is what its header says; but for comments, which not all of them have."""

    def phases() -> None:
        for phase in (1, 2, 3):
            tree.apply(phase)
        tree.restore()

    held, _ = held_by_each_step(monkeypatch, phases)
    tables = {f"app.{name}" for name in MEMBERS}
    weak = ("ACCESS SHARE", "ROW SHARE")
    for where, locks in held.items():
        said = said_by(tree.folder, where, {"app.users": tables})
        strong = {on: level for on, level in locks.items() if level not in weak}
        if where == "restore/recreate/users.sql":
            said = {on: level for on, level in said.items() if on in strong or level != "SHARE UPDATE EXCLUSIVE"}
        assert strong == {on: level for on, level in said.items() if level not in weak}, where


KEPT_INDEXES = """SELECT pg_get_indexdef(i.indexrelid), i.indisvalid FROM pg_index AS i
                  JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = 'app'::regnamespace ORDER BY 1"""
NEW = "CREATE TABLE app.temps (PRIMARY KEY (id)) INHERITS (app.users)"
KEPT = "ALTER TABLE app.staff NO INHERIT app.users; ALTER TABLE app.staff INHERIT app.users"
KEYLESS = "ALTER TABLE app.interns DROP CONSTRAINT interns_id_key"
UNKNOWN = "app.temps is a child that the plan does not know: its rows are not in the backup"
LEFT = "app.guests is no child any more"
KEPT_BY = "column %s of app.%s would stay: it is its own too, or that of another parent"
NO_KEY = "app.interns has no unique key over the columns by which the backup finds its rows"


@pytest.mark.parametrize(
    "done, change, problems",
    [
        (0, NEW, [UNKNOWN]),
        (0, KEPT, [KEPT_BY % ("legacy", "staff"), KEPT_BY % ("older", "staff")]),
        (0, KEYLESS, [NO_KEY]),
        (
            1,
            "ALTER TABLE app.guests NO INHERIT app.users",
            [LEFT, KEPT_BY % ("legacy", "interns"), KEPT_BY % ("older", "interns")],
        ),
        (2, NEW, [UNKNOWN]),
        (2, KEYLESS, [NO_KEY]),
        (3, NEW, [UNKNOWN]),
        (3, "ALTER TABLE app.interns ADD legacy varchar(40)", ["column legacy of app.interns is there already"]),
    ],
)
def test_a_hierarchy_that_has_changed_is_refused(tree: Removing, done: int, change: str, problems: list[str]) -> None:
    """Before a phase, and before the restore: a child that came or left, or that could not take part any more."""
    for phase in range(1, done + 1):
        tree.apply(phase)
    for statement in change.split(";"):
        tree.ask(statement)
    next_phase = tree.restore if done == 3 else lambda: tree.apply(done + 1)
    with pytest.raises(RunnerError) as red:
        next_phase()
    assert sorted(red.value.notes) == sorted(problems)


def test_a_child_that_comes_after_the_gates_is_seen(tree: Removing) -> None:
    """Under the drop's own lock the children are compared once more; the way back from there is that of the steps."""
    shape, indexes = tree.ask(SHAPE), tree.ask(KEPT_INDEXES)
    tree.apply(1)
    tree.apply(2)
    with closing(psycopg.connect(tree.conninfo)) as reader:
        reader.execute("SELECT count(*) FROM ONLY app.users")  # and the transaction stays open: the gates are passed
        with pytest.raises(RunnerError):
            tree.apply(3, patience=0.2)
    tree.ask(NEW)
    with pytest.raises(RunnerError, match="temps is a child that the plan does not know"):
        tree.apply(3)
    tree.ask("DROP TABLE app.temps")
    tree.restore()  # nothing is dropped yet: the steps are undone
    assert tree.ask(SHAPE) == shape
    assert tree.ask(KEPT_INDEXES) == indexes
    assert leftovers(tree) == []


PRIVILEGES = """
CREATE SCHEMA app;
DO $$ BEGIN CREATE ROLE removal_web; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
CREATE TABLE app.users (id bigint PRIMARY KEY, email text, old text);
CREATE TABLE app.staff (PRIMARY KEY (id)) INHERITS (app.users);
GRANT USAGE ON SCHEMA app TO removal_web;
GRANT SELECT ON app.users TO removal_web;
GRANT SELECT, UPDATE ON app.staff TO removal_web;
INSERT INTO app.users VALUES (1, 'u', 'o');
INSERT INTO app.staff VALUES (1, 's', 'p')
"""


def test_columns_of_members_are_hidden_from_roles(databases: Databases, tmp_path: Path) -> None:
    """Each member's grants are taken back and given again as they were."""
    acl = """SELECT c.relacl::text, ARRAY(SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid ORDER BY attnum)
             FROM pg_class AS c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r' ORDER BY c.relname"""
    spec = """\
columns: [old]
because: nobody reads it
dependents: {drop: [column staff.old]}
phases: {soak: 0s}
hide: privileges
roles: [removal_web]
"""
    users = removing(databases, tmp_path, PRIVILEGES, spec)
    was = users.ask(acl)
    users.apply(1)
    users.apply(2)
    for table in ("users", "staff"):
        users.ask(f"SET ROLE removal_web; SELECT email FROM app.{table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            users.ask(f"SET ROLE removal_web; SELECT old FROM app.{table}")
    users.restore()
    assert users.ask(acl) == was


def test_the_export_says_which_member_a_row_was_of(tree: Removing) -> None:
    """By its name, for the oid means nothing outside of the database; and nothing is left of the removal."""
    for phase in (1, 2, 3):
        tree.apply(phase)
    words = ("apply", "production", "--removal", "users", "--phase", "4", "--confirm", "users", "--yes")
    done = tree.command(*words)
    assert done.returncode == 0, done.stderr
    ((file,),) = tree.ask("SELECT file FROM transhume.removal_export")
    rows = list(csv.DictReader(Path(file).read_text().splitlines()))
    assert len(rows) == ROWS * len(MEMBERS)
    assert rows[0] == {"id": "1", "_member": "app.users", "legacy": "v1", "older": "", "_born": "f"}
    assert {row["_member"] for row in rows if row["id"] == "7"} == {f"app.{name}" for name in MEMBERS}
    assert leftovers(tree) == []


def go_through(writers: list[Writer], carry_out: Callable[[int], None]) -> None:
    """All phases, and back; the application does not write the columns between phase 2 and the restore."""
    for phase in (1, 2, 3, 5):
        time.sleep(0.15)
        for writer in writers:
            writer.old = phase in (1, 5)
        time.sleep(0.1)
        carry_out(phase)
    time.sleep(0.2)
    for writer in writers:
        writer.stop()


# Seconds between two writes of an application. Triggers of a child look its row up by way of the parent: where four of
# them write without a pause, what locks the whole hierarchy gives way again and again, for up to a minute.
PAUSE = 0.01


def go_live(tree: Removing, seed: int, carry_out: Callable[[int], None]) -> None:
    """One application for each member, all of which use the same keys; nothing is lost, and nobody is disturbed."""
    was, shape = described(tree), tree.ask(SHAPE)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                Writer(tree.conninfo, 10 * seed + place, LIVE, table=f"app.{name}", default=default, pause=PAUSE)
            )
            for place, (name, default) in enumerate(MEMBERS.items())
        ]
        go_through(writers, carry_out)
    for writer in writers:
        assert writer.errors == []
        assert dict(tree.ask(f"SELECT id, legacy FROM ONLY {writer.table}")) == writer.model
        assert {"insert", "update", "delete", "rekey", "reuse", "swap"} <= set(writer.counts)
    assert described(tree) == was
    assert tree.ask(SHAPE) == shape


@pytest.mark.parametrize("seed", SEEDS)
def test_applications_that_go_on_writing_to_every_member(databases: Databases, tmp_path: Path, seed: int) -> None:
    """The columns of each member come back with what its application believes."""
    tree = removing(databases, tmp_path, schema(LIVE), SPEC, FILES)

    def carry_out(phase: int) -> None:
        if phase == 5:
            tree.restore()
        else:
            tree.apply(phase)

    go_live(tree, seed, carry_out)


@pytest.mark.parametrize("seed", KILLED)
def test_a_runner_that_is_killed_over_a_hierarchy(databases: Databases, tmp_path: Path, seed: int) -> None:
    """kill -9 at a random instant of every phase and of the restore; the same command goes on."""
    tree = removing(databases, tmp_path, schema(LIVE), SPEC, FILES)
    rng = random.Random(seed)

    def carry_out(phase: int) -> None:
        words = ("restore", "users", "--yes") if phase == 5 else (
            "apply", "production", "--removal", "users", "--phase", str(phase), "--yes",
        )  # fmt: skip
        killed = tree.start(*words)
        time.sleep(0.4 + rng.random() * 1.2)
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        done = tree.command(*words)
        already = "is restored already" in done.stderr  # it was killed after its last change
        assert done.returncode == 0 or already, done.stdout + done.stderr

    go_live(tree, 50 + seed, carry_out)
