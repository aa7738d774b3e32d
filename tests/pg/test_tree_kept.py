"""The rows of a hierarchy are read once and kept in the target: what is lost, refused or cut in parts on that way."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runner import embedded
from runner.apply import apply
from runner.manifest import read_plan
from runner.metrics import Metrics
from tests.conftest import Databases
from tests.pg.compiled import PROJECT, Found, Projects, found
from tests.pg.crashing import SETTINGS, crash
from tests.pg.migration import Migration

# Every 50th comment answers one that is not there; every 90th is part of a cycle; a tenth is hidden.
SOURCE = """
CREATE TABLE comment (id int PRIMARY KEY, parent_id int, hidden boolean NOT NULL, size text, body text NOT NULL);
INSERT INTO comment
SELECT n, CASE WHEN n % 50 = 7 THEN 100000 + n WHEN n % 90 = 11 THEN n + 2 WHEN n % 5 > 0 THEN n - 1 - n % 3 END,
       n % 10 = 8, CASE WHEN n % 40 = 9 THEN 'none' ELSE n::text END, 'comment ' || n
FROM generate_series(1, ROWS) AS n;
"""
COMMENTS = """\
table: comments
from: comment
key: {id: {uuid: id}}
columns: {legacy_id: id, size: {from: size, type: integer}}
same: [body]
where: not s.hidden
chunk: {rows: 50, max: 50}
tree:
  parent: {from: parent_id, to: parent_id}
  fill: {root: root_id, depth: depth, position: position}
"""
# Unfit are 9, 49, 89 ...: all but 29, 129 ..., which a hidden row is never. Hidden are 8, 18 ...
ROWS = 400
KEPT = (
    "SELECT relname, relpersistence FROM pg_class WHERE relname ~ '^(rows|tree|links|nodes|intact)_' AND relkind = 'r'"
)
THREADS = "SELECT part FROM transhume.part WHERE step = 'tree.comments' AND part ~ 'threads' ORDER BY part"


def source(rows: int = ROWS) -> str:
    """So many comments."""
    return SOURCE.replace("ROWS", str(rows))


def clean() -> str:
    """Comments all of which move and hang where the source says: the walk finds every one of them."""
    return re.sub(r"n % (50|90|10|40) = \d+", "false", source()).replace("n % 5 > 0", "n % 5 > 0 AND n > 5")


def kill_behind(migration: Migration, jobs: str, reached: Callable[[], object]) -> None:
    """Apply, and be killed behind one build after the other, until it has come that far."""
    assert any(
        migration.command("apply", "--jobs", jobs, TRANSHUME_FAILPOINT=f"ddl-after-commit:{point}").returncode
        == -signal.SIGKILL and reached()
        for point in range(4, 16)
    )  # fmt: skip


def test_every_row_is_accounted_for(projects: Projects) -> None:
    """What the filter leaves out the tree step has counted, what a guard refuses the load; nothing is left behind."""
    migration = projects(source(), {"comments": COMMENTS})
    metrics = Metrics("moves")
    apply(read_plan(migration.folder), migration.places, metrics)

    (account,) = migration.verify().accounts
    assert migration.verify().green
    assert (account.source, account.filtered, account.rejected) == (ROWS, ROWS // 10, ROWS // 40)
    assert account.target == ROWS - ROWS // 10 - ROWS // 40
    aside = "SELECT DISTINCT step, sqlstate FROM transhume.reject WHERE action = 'rejected'"
    assert migration.ask(aside) == [("load.comments", "22P02")]
    assert migration.ask(KEPT) == []
    told = {tuple(one.labels.values()): one.value for family in metrics.collect() for one in family.samples}
    for outcome in ("loaded", "filtered", "rejected"):
        assert told["comments", outcome] == getattr(account, outcome)
    assert told["comments",] == account.source


def test_a_row_that_cannot_be_read(projects: Projects) -> None:
    """It is set aside by its key when the rows are kept; what hangs from it is an orphan, and the rest arrives."""
    query = "SELECT id, parent_id, hidden, size, body, 1 / (id - 77) AS odd FROM comment"
    spec = COMMENTS.replace("from: comment", f'from: {{sql: "{query}", key: id}}').replace(
        "same: [body]", "same: [body, odd]"
    )
    migration = projects(source(), {"comments": spec})
    migration.apply()

    aside = "SELECT step, key, reason, sqlstate FROM transhume.reject WHERE sqlstate = '22012'"
    assert migration.ask(aside) == [("tree.comments", ["77"], "division by zero", "22012")]
    assert migration.ask("SELECT parent_id FROM app.comments WHERE legacy_id = 79") == [(None,)]
    (account,) = migration.verify().accounts
    assert account.rejected == ROWS // 40 + 1
    assert list(account.problems()) == []


@pytest.mark.parametrize("content", [source, clean])
def test_rows_that_the_server_refuses(content: Callable[[], str], projects: Projects) -> None:
    """Rows that no guard knows of are sifted out by their place in the hierarchy, with the server's reason.

    Where the walk has found all of them, the hierarchy is a table for each part, with equal places in them.
    """
    target = """CREATE SCHEMA app; CREATE TABLE app.comments (id uuid PRIMARY KEY, legacy_id integer, size integer,
                body text, parent_id uuid, root_id uuid, depth integer, position integer);
                CREATE FUNCTION app.even(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
                $$ BEGIN IF $1 % 100 = 1 THEN RAISE 'no % here', $1 USING ERRCODE = '22023'; END IF;
                         RETURN true; END $$;
                ALTER TABLE app.comments ADD CHECK (app.even(legacy_id))"""
    migration = projects(content(), {"comments": f"{COMMENTS}create: false\n"}, target=target)
    migration.apply()

    aside = "SELECT step, key, reason FROM transhume.reject WHERE sqlstate = '22023' ORDER BY key"
    refused = [("load.comments", [str(n)], f"no {n} here") for n in (1, 101, 201, 301)]
    assert migration.ask(aside) == refused
    assert migration.verify().green


@pytest.mark.both_servers
def test_within_one_database(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where source and target are one database, the rows are kept as well, and end as they do between two."""
    between = Projects(databases, tmp_path)(source(), {"comments": COMMENTS})
    between.apply()
    monkeypatch.setattr("tests.pg.compiled.PROJECT", PROJECT.replace("TARGET_DATABASE_URL", "LEGACY_DATABASE_URL"))
    both = databases.create("both", source())
    within = Projects(databases, tmp_path).between(both, both, {"comments": COMMENTS})
    within.apply()

    assert found(within, "comments") == found(between, "comments")
    assert within.verify().green


@pytest.mark.slow
@pytest.mark.parametrize("first, then", [("4", "1"), ("1", "4"), ("2", "3")])
def test_parts_are_those_that_it_began_with(projects: Projects, first: str, then: str) -> None:
    """A walk in parts that is killed between two of them ends in as many, whatever jobs there are later."""
    undisturbed, killed = (projects(source(), {"comments": COMMENTS}) for _ in range(2))
    undisturbed.apply()
    kill_behind(killed, first, lambda: killed.ask(THREADS))
    assert killed.command("apply", "--jobs", then).returncode == 0

    assert killed.ask(THREADS) == [(f'build of "threads", {n} of {first}',) for n in range(1, int(first) + 1)]
    assert found(killed, "comments") == found(undisturbed, "comments")
    assert killed.verify().green


@pytest.mark.parametrize(
    "fill", ["depth: depth}", "position: position}", "path: path}\n  max_depth: {is: 50, deeper: flatten}"]
)
def test_the_order_of_the_source(projects: Projects, fill: str) -> None:
    """Rows stand in the target as they stood in the source, however deep they are."""
    spec = COMMENTS.replace("depth: depth, position: position}", fill)
    migration = projects(clean(), {"comments": spec})
    migration.apply(jobs=1)

    keys = [key for (key,) in migration.ask("SELECT legacy_id FROM app.comments ORDER BY ctid")]
    assert keys == list(range(1, ROWS + 1))
    assert migration.ask(KEPT) == []


def test_the_tables_of_parts_go_with_the_hierarchy(projects: Projects) -> None:
    """A run that is killed behind its walks is rolled back, and leaves none of their tables."""
    migration = projects(clean(), {"comments": COMMENTS})
    parts = "SELECT relname FROM pg_class WHERE relname ~ '^nodes_comments_[0-9]$' ORDER BY 1"
    kill_behind(migration, "2", lambda: len(migration.ask(parts)) == 2)
    migration.roll_back()

    assert migration.ask(parts) == migration.ask(KEPT) == []


def test_many_links_are_hashed_once(projects: Projects) -> None:
    """However many they are and from however few rows the walk starts, it is not the level above that is hashed."""
    migration = projects(source(), {"comments": COMMENTS})
    done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT="ddl-after-commit:5")
    assert done.returncode == -signal.SIGKILL, done.stderr
    migration.ask("UPDATE pg_class SET reltuples = 1e8, relpages = 1 WHERE relname = 'links_comments'")
    plan = read_plan(migration.folder)
    (step,) = (step for step in plan.steps if step.id == "tree.comments")
    walk = plan.open(step).need("build", of="threads")
    how, create, rest = walk.text.replace("$1", "0").replace("$2", "1").partition("CREATE UNLOGGED")
    with closing(psycopg.connect(migration.target)) as session:
        session.execute(how.encode())
        lines = session.execute(f"EXPLAIN (COSTS off) {create}{rest.partition(';')[0]}".encode()).fetchall()

    assert re.search(r"-> +Hash\n +-> +Seq Scan on links_comments", "\n".join(line for (line,) in lines))


# A crash of the server.


@pytest.fixture
def crashing(fragile: Path, tmp_path: Path) -> Iterator[Projects]:
    """Makes migrations on that server."""
    databases = Databases(embedded.start(fragile, settings=SETTINGS))
    yield Projects(databases, tmp_path)
    databases.server = embedded.start(fragile, settings=SETTINGS)
    databases.drop()


def content(migration: Migration) -> tuple[Found, Found, Found]:
    """The comments, the rejects, and which working tables are left."""
    return (*found(migration, "comments"), migration.ask(KEPT))


# The fourth chunk; the links, which are the first build; the last build; the third chunk of the load, after the eight.
AMID = ["after-commit:4", "ddl-after-commit:4", "ddl-after-commit:9", "after-commit:11"]


@pytest.mark.slow
@pytest.mark.parametrize("point", AMID)
def test_the_server_crashes(crashing: Projects, fragile: Path, point: str) -> None:
    """What is kept in unlogged tables is gone: it starts anew, and ends with the content of a run without trouble."""
    undisturbed, killed = (crashing(source(), {"comments": COMMENTS}) for _ in range(2))
    undisturbed.apply()
    expected = content(undisturbed)
    done = killed.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert {kind for _, kind in killed.ask(KEPT)} == {"u"}
    crash(embedded.start(fragile, settings=SETTINGS))
    embedded.start(fragile, settings=SETTINGS)

    killed.apply()

    assert any("a crash of the server has emptied the working tables" in text for text in killed.notices.texts)
    assert content(killed) == expected
    assert killed.verify().green


@pytest.mark.slow
def test_the_server_crashes_under_a_run(crashing: Projects, fragile: Path) -> None:
    """A run that is at work goes on by itself, as soon as the server is back."""
    undisturbed, migration = (crashing(source(4000), {"comments": COMMENTS}) for _ in range(2))
    undisturbed.apply()
    expected = content(undisturbed)
    runner = threading.Thread(target=migration.apply, kwargs={"patience": 30})
    runner.start()
    loading = "SELECT count(*) > 5 FROM transhume.chunk WHERE step = 'load.comments'"
    while runner.is_alive() and not (
        migration.ask("SELECT to_regclass('transhume.chunk')")[0][0] and migration.ask(loading)[0][0]
    ):
        pass
    crash(embedded.start(fragile, settings=SETTINGS))
    embedded.start(fragile, settings=SETTINGS)
    runner.join()

    assert any("a crash of the server has emptied the working tables" in text for text in migration.notices.texts)
    assert content(migration) == expected
    assert migration.verify().green
