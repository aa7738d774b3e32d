"""A hierarchy that is killed while it is computed, and resumed, is the same one, and tells the same of its rows."""

from __future__ import annotations

import signal

import pytest

from tests.conftest import Databases
from tests.pg.compiled import Found, Projects, found
from tests.pg.migration import Migration

SOURCE = """
CREATE TABLE comment (id integer PRIMARY KEY, parent_id integer, gone boolean NOT NULL, body text NOT NULL);
INSERT INTO comment
SELECT n, CASE WHEN n % 50 = 7 THEN 1000 + n WHEN n % 90 = 11 THEN n + 2 WHEN n % 5 > 0 THEN n - 1 - n % 3 END,
       n % 20 = 4, 'comment ' || n
FROM generate_series(1, 400) AS n;
"""
COMMENTS = """\
table: comments
from: comment
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [body]
chunk: {rows: 50, max: 50}
tree:
  parent: {from: parent_id, to: parent_id}
  fill: {root: root_id, depth: depth, path: path, position: position}
  max_depth: {is: 2}
  placeholder: {when: s.gone, set: {body: "[removed]"}}
"""
# What is committed one after the other: the schema, the table, then the hierarchy: its tables, and build by build.
FIRST, FOUND_BY, LAST = 3, 5, 12
POINTS = (
    *("after-claim:2", "before-commit:3", "after-commit:8"),
    *(f"ddl-before-commit:{n}" for n in range(FIRST, LAST + 1)),
    *(f"ddl-after-commit:{n}" for n in (FIRST + 1, LAST)),
)


@pytest.fixture(scope="module")
def made() -> dict[str, object]:
    """What one test leaves for the next: the content of a run without trouble."""
    return {}


def undisturbed(projects: Projects, made: dict[str, object]) -> object:
    """The content that a run without trouble gives, and what was done to which row."""
    if not made:
        migration = projects(SOURCE, {"comments": COMMENTS})
        migration.apply()
        made["found"] = content(migration)
    return made["found"]


def content(migration: Migration) -> tuple[Found, Found, Found]:
    """The comments, the rejects, and which working tables are left."""
    left = "SELECT relname FROM pg_class WHERE relname ~ '^(rows|links|nodes|siblings|tree|intact)_' AND relkind = 'r'"
    return (*found(migration, "comments"), migration.ask(left))


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_amid_the_hierarchy(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, made: dict[str, object], point: str
) -> None:
    """Wherever the crash is, applying again ends with the content of a run without trouble."""
    projects = Projects(databases, tmp_path_factory.mktemp("tree"))
    expected = undisturbed(projects, made)
    migration = projects(SOURCE, {"comments": COMMENTS})
    done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert migration.ask("SELECT state FROM transhume.step WHERE step = 'tree.comments'") == [("running",)]
    assert migration.ask("SELECT count(*) FROM transhume.step WHERE step = 'load.comments'") == [(0,)]

    migration.apply()

    assert content(migration) == expected
    assert {row[-1] for row in content(migration)[1]} == {"rooted", "broken", "flattened", "placeholder", "left"}
    assert migration.verify().green


# Parents that are found in the target have a build of their own, the 5th commit, after the links. Rows that have
# several are told from others in the links, the 4th, and get no place in what no root leads to, the 7th.
FOUND_SOURCE = """
CREATE TABLE comment (id integer PRIMARY KEY, path text, body text NOT NULL);
CREATE TABLE reply (child integer NOT NULL, parent integer NOT NULL);
INSERT INTO comment
SELECT n, CASE WHEN n % 7 = 0 THEN n::text WHEN n % 11 = 5 THEN 'x/' || n ELSE n - n % 7 || '/' || n END,
       'comment ' || n
FROM generate_series(7, 300) AS n;
INSERT INTO reply SELECT n, n - n % 7 FROM generate_series(7, 300) AS n WHERE n % 7 > 0;
INSERT INTO reply SELECT n, n - 1 FROM generate_series(7, 300) AS n WHERE n % 13 = 3;
INSERT INTO reply SELECT n, 1000 + n FROM generate_series(7, 300) AS n WHERE n % 28 = 0;
"""
FOUND_SPEC = """\
table: comments
from: comment
key: {{id: {{uuid: id}}}}
columns: {{legacy_id: id}}
same: [body]
chunk: {{rows: 50, max: 50}}
{drop}tree:
  parent: {{{parent}, to: parent_id}}
  fill: {{root: root_id, depth: depth, position: position}}
"""
FOUND = {
    "path": FOUND_SPEC.format(parent="from: {path: path, separator: /}", drop=""),
    "several": FOUND_SPEC.format(
        parent="from: {table: reply, child: child, parent: parent}, several: reject", drop="drop: {path: not asked}\n"
    ),
}
SKIP = {"path": "}\nskip: {reply: not asked", "several": ""}  # the closing brace is that of the limits


@pytest.mark.slow
@pytest.mark.parametrize(
    "how, point",
    [
        ("path", "ddl-before-commit:5"), ("path", "ddl-after-commit:5"), ("several", "ddl-before-commit:4"),
        ("several", "ddl-after-commit:4"), ("several", "ddl-before-commit:7"), ("several", "ddl-after-commit:7"),
    ],
)  # fmt: skip
def test_killed_while_parents_are_found(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, how: str, point: str
) -> None:
    """The same, where the target finds the parents, or sets rows aside because they have several."""
    projects = Projects(databases, tmp_path_factory.mktemp("found"))
    undisturbed = found_by(projects, how)
    undisturbed.apply()
    migration = found_by(projects, how)
    done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert migration.ask("SELECT state FROM transhume.step WHERE step = 'tree.comments'") == [("running",)]

    migration.apply()

    assert content(migration) == content(undisturbed)
    assert {row[-1] for row in content(migration)[1]} == ({"rooted"} if how == "path" else {"rejected", "rooted"})
    assert migration.verify().green


def found_by(projects: Projects, how: str) -> Migration:
    """A migration whose parents are told so."""
    return projects(FOUND_SOURCE, {"comments": FOUND[how]}, SKIP[how])


@pytest.mark.both_servers
@pytest.mark.slow
def test_walked_by_an_index_where_memory_is_short(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Links that do not fit into memory as a whole are walked by an index, to the same hierarchy."""
    projects = Projects(databases, tmp_path_factory.mktemp("short"))
    source = SOURCE.replace("400", "20000")
    found_there = []
    for memory, indexed in (("1MB", True), ("64MB", False)):
        migration = projects(source, {"comments": COMMENTS.replace("50, max: 50", "5000, max: 50000")})
        (name,) = migration.ask("SELECT quote_ident(current_database())")[0]
        migration.ask(f"ALTER DATABASE {name} SET maintenance_work_mem = '{memory}'")
        done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT=f"ddl-after-commit:{FOUND_BY}")
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert migration.ask("SELECT to_regclass('transhume.links_comments_parent') IS NOT NULL") == [(indexed,)]
        migration.apply()
        assert migration.verify().green
        found_there.append(content(migration))

    assert found_there[0] == found_there[1]
