"""`tree:` on a server does what plain Python does (forest.py), to the row, for any forest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError
from tests.conftest import Databases
from tests.pg.compiled import Projects
from tests.pg.forest import Comment, Forest, Rules, grow
from tests.pg.migration import Migration
from tests.test_golden import GOLDEN

TABLE = """CREATE TABLE comment (
  id integer PRIMARY KEY, parent_id bigint, at integer NOT NULL, gone boolean NOT NULL, size text, body text NOT NULL
);
CREATE INDEX ON comment (parent_id);
"""
RULES: Mapping[str, Rules] = {
    "plain": Rules(),
    "strict": Rules(orphan="reject", cycle="reject", deepest=2, deeper="reject"),
    "flat": Rules(deepest=2, placeholder=True),
    "under": Rules(orphan="under", under=1, cycle="reject", deepest=3),
    "adopting": Rules(orphan="under", under=1, placeholder=True, deepest=4, deeper="reject"),
    "kept": Rules(orphan="reject", placeholder=True),
}
ROWS = "SELECT id, parent_id, root, depth, position FROM app.{} ORDER BY id"
FORESTS = (1, 21, 41)  # where the keys of each begin
LISTED = """SELECT key[1]::integer, action FROM transhume.reject
            WHERE table_id = %s AND action NOT IN ('rejected', 'reconciled') ORDER BY 1, 2"""


def spec(name: str, rules: Rules) -> str:
    """A table filled by the rules; a size that is no number cannot move."""
    lines = [
        f"table: {name}", "from: comment", "key: {id: {same: id}}",
        "columns: {size: {from: size, type: integer}}", "same: [at, gone, body]", "tree:",
        "  parent: {from: parent_id, to: parent_id, type: integer}", "  order: [at]", f"  cycle: {rules.cycle}",
        f"  orphan: {{under: {rules.under}}}" if rules.under else f"  orphan: {rules.orphan}",
    ]  # fmt: skip
    path = ", path: path" if rules.deepest else ""
    lines.append(f"  fill: {{root: root, depth: depth, position: position{path}}}")
    if rules.deepest:
        lines.append(f"  max_depth: {{is: {rules.deepest}, deeper: {rules.deeper}}}")
    if rules.placeholder:
        lines.append('  placeholder: {when: s.gone, set: {body: "[removed]"}}')
    return "\n".join(lines) + "\n"


def content(comments: Iterable[Comment]) -> str:
    """The source's rows."""
    rows = ", ".join(
        f"({one.key}, {'NULL' if one.parent is None else one.parent}, {one.at}, {one.gone}, "
        f"'{one.key if one.fit else 'none'}', 'comment {one.key}')"
        for one in comments
    )
    return TABLE + (f"INSERT INTO comment VALUES {rows};" if rows else "")


def assert_grown(migration: Migration, name: str, forest: Forest, whole: int) -> None:
    """Table `name` is the forest."""
    places = [(key, one.parent, one.root, one.depth, one.position) for key, one in sorted(forest.places.items())]
    assert migration.ask(ROWS.format(name)) == places
    assert migration.ask(LISTED, name) == sorted(forest.actions)
    rejected = migration.ask("SELECT count(*) FROM transhume.reject WHERE table_id = %s AND action = 'rejected'", name)
    left = sum(action == "left" for _, action in forest.actions)
    assert rejected == [(whole - len(forest.places) - left,)]
    if forest.rules.deepest:
        assert dict(migration.ask(f"SELECT id, path FROM app.{name}")) == forest.paths
    if forest.rules.placeholder:
        removed = {key for key in forest.places if forest.comments[key].gone}
        assert {key for (key,) in migration.ask(f"SELECT id FROM app.{name} WHERE body = '[removed]'")} == removed


@st.composite
def forests(draw: st.DrawFn) -> list[Comment]:
    """Few rows, so that orphans, cycles and chains meet often; three forests beside each other for one run's price."""
    comments = []
    for first in FORESTS:
        parents = st.one_of(st.none(), st.integers(first - 1, first + 13))
        comments += [
            Comment(key, draw(parents), draw(st.integers(0, 3)), draw(st.booleans()), draw(st.integers(0, 9)) > 0)
            for key in range(first, first + draw(st.integers(1, 13)))
        ]
    return comments


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(comments=forests())
def test_any_forest(comments: list[Comment], databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever hangs from whatever, every table is what its rules make of it in Python, and verification is green."""
    here: Path = tmp_path_factory.mktemp("forest")
    grown = {name: grow(comments, rules) for name, rules in RULES.items()}
    fit = {one.key for one in comments if one.fit}
    grown = {name: forest for name, forest in grown.items() if not forest.rules.under or 1 in forest.places}
    assert fit >= set().union(*(forest.places for forest in grown.values()))
    migration = Projects(databases, here)(content(comments), {name: spec(name, RULES[name]) for name in grown})

    migration.apply()

    for name, forest in grown.items():
        assert_grown(migration, name, forest, len(comments))
    assert migration.verify().green


def test_what_hung_from_a_placeholder_that_stays_behind(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Flattened beside it, its answers no longer hang from it: it goes, they stay, and the depths are the source's."""
    comments = [
        *(Comment(1, None), Comment(2, 1), Comment(3, 2, gone=True), Comment(4, 3), Comment(5, 4, gone=True)),
        *(Comment(6, 5), Comment(7, 3)),
    ]
    migration = Projects(databases, tmp_path_factory.mktemp("flat"))(
        content(comments), {"flat": spec("flat", RULES["flat"])}
    )
    migration.apply()

    forest = grow(comments, RULES["flat"])
    assert {key for key, action in forest.actions if action == "left"} == {3, 5}
    assert_grown(migration, "flat", forest, len(comments))
    assert migration.verify().green


MEMO = "CREATE TABLE memo (id integer PRIMARY KEY, parent_id integer, at integer, body text NOT NULL);\n"
MEMOS = """\
table: memos
from: memo
key: {id: {same: id}}
columns: {body: {from: body, type: jsonb}}
drop: {at: nobody reads it}
tree:
  parent: {from: parent_id, to: parent_id}
  fill: {root: root, depth: depth, position: position}
"""


def test_what_hangs_from_a_row_that_the_server_refuses_goes_with_it(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A text that is no JSON is found when every row has its place: what hangs from its row is taken away."""
    rows = (
        "INSERT INTO memo VALUES (1, NULL, 1, '{}'), (2, 1, 1, '{'), (3, 2, 1, '{}'), (4, 3, 1, '{}'), (5, 1, 1, '{}');"
    )
    migration = Projects(databases, tmp_path_factory.mktemp("memo"))(MEMO + rows, {"memos": MEMOS})
    migration.apply()

    assert migration.ask("SELECT id, parent_id, depth, position FROM app.memos ORDER BY id") == [
        (1, None, 0, 1),
        (5, 1, 1, 2),
    ]
    assert [(key, action) for _, key, action, *_ in migration.rejects()] == [
        (["2"], "rejected"), (["3"], "reconciled"), (["4"], "reconciled"),
    ]  # fmt: skip
    assert migration.verify().green


def test_a_long_cycle_and_a_long_tail(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cycle of 3,000 rows is broken at its first; a tail of 3,000 hangs from it, as deep as it is."""
    rows = """INSERT INTO memo
              SELECT n, CASE n WHEN 1 THEN 3000 ELSE n - 1 END, -n % 3000, '{}' FROM generate_series(1, 6000) AS n;
              INSERT INTO memo VALUES (9001, 9001, 0, '{}');"""
    spec = MEMOS.replace("drop: {at: nobody reads it}\n", "") + "  order: [at]\n"
    migration = Projects(databases, tmp_path_factory.mktemp("memo"))(MEMO + rows, {"memos": spec})
    migration.apply()

    assert migration.ask("SELECT count(*), count(DISTINCT root), max(depth) FROM app.memos") == [(6001, 2, 3001)]
    assert migration.ask("SELECT id FROM app.memos WHERE parent_id IS NULL ORDER BY id") == [(2999,), (9001,)]
    assert [(key, action) for _, key, action, *_ in migration.rejects()] == [(["2999"], "broken")]
    assert migration.verify().green


def test_what_orphans_hang_from_must_be_there(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The run stops before a row is loaded, and says which row is missing."""
    spec = MEMOS + "  orphan: {under: 77}\n"
    migration = Projects(databases, tmp_path_factory.mktemp("memo"))(MEMO, {"memos": spec})
    with pytest.raises(RunnerError, match="there is no row 77 that moves, for orphans to hang from"):
        migration.apply()


# What may go wrong with a hierarchy without a row more or less: the damage, and what verification says of it.
DAMAGE = {
    "a row hangs from another": (
        "UPDATE app.comments SET parent_id = (SELECT id FROM app.comments WHERE legacy_id = 1) WHERE legacy_id = 19",
        "the parents of all rows",
    ),
    "two siblings change places": (
        "UPDATE app.comments SET position = CASE legacy_id WHEN 2 THEN 2 ELSE 3 END WHERE legacy_id IN (2, 15)",
        "the order of siblings",
    ),
    "two siblings have one position": (
        "UPDATE app.comments SET position = 1 WHERE legacy_id IN (2, 15)",
        "the order of siblings",
    ),
    "a row that became a root has the position of another": (
        "UPDATE app.comments SET position = 1 WHERE legacy_id IN (1, 12)",
        "1 positions are taken twice",
    ),
    "a depth is another": ("UPDATE app.comments SET depth = 2 WHERE legacy_id = 5", "1 rows are not one level below"),
    "a root is another": ("UPDATE app.comments SET thread_id = id WHERE legacy_id = 5", "1 rows have another root"),
    "a path is another": ("UPDATE app.comments SET path = '000001' WHERE legacy_id = 5", "1 rows have a path that"),
    "a broken cycle is closed": (
        "UPDATE app.comments SET parent_id = (SELECT id FROM app.comments WHERE legacy_id = 11) WHERE legacy_id = 12",
        "1 rows are listed as broken, and are not",
    ),
    "a flattened row is elsewhere": (
        "UPDATE app.comments SET parent_id = (SELECT id FROM app.comments WHERE legacy_id = 15) WHERE legacy_id = 5",
        "1 rows are listed as flattened, and are not",
    ),
}


MENDED = """UPDATE app.comments AS c
            SET parent_id = k.parent_id, thread_id = k.thread_id, depth = k.depth, position = k.position, path = k.path
            FROM app.kept AS k WHERE k.id = c.id"""


@pytest.mark.parametrize("what", DAMAGE)
def test_verify_finds(what: str, hung: Migration) -> None:
    """Verification is red for it, and says what is wrong."""
    damage, said = DAMAGE[what]
    hung.ask("CREATE TABLE app.kept AS SELECT * FROM app.comments")
    hung.ask(damage)
    problems = [problem for check in hung.verify().checks for problem in check.problems]
    hung.ask(MENDED)
    hung.ask("DROP TABLE app.kept")

    assert any(said in problem for problem in problems), problems
    assert hung.verify().green


@pytest.fixture
def hung(databases: Databases) -> Migration:
    """The golden tree, applied."""
    case = GOLDEN / "plans" / "tree"
    source = databases.create("source", (case / "source.sql").read_text("utf-8"))
    migration = Migration(case / "expected", source, databases.create("target"))
    migration.apply()
    return migration


def test_each_row_that_was_mended_is_listed(hung: Migration) -> None:
    """`transhume rejects` says of each row what was done to it, and why."""
    listed = [(int(key[0]), action, reason) for _, key, action, reason, *_ in hung.rejects()]

    assert sorted(listed) == [
        (4, "flattened", "4 levels deep: it hangs from 6 now, 3 levels deep"),
        (5, "flattened", "5 levels deep: it hangs from 6 now, 3 levels deep"),
        (8, "rooted", "parent_id = 99 does not move: it is a root now"),
        (12, "broken", "parent_id = 11 leads back to it: it is a root now"),
        (14, "flattened", "4 levels deep: it hangs from 11 now, 3 levels deep"),
        (15, "placeholder", "rows hang from it"),
        (16, "left", "a placeholder from which nothing hangs"),
        (17, "left", "a placeholder from which nothing hangs"),
        (18, "nulled", "profiles has no such row"),
    ]


def test_a_parent_of_a_wider_type_than_the_key(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A parent that no key can be is one that is not there."""
    rows = "(1, NULL, 1, '{}'), (2, 1.0, 1, '{}'), (3, 1.5, 1, '{}'), (4, 99999999999999999999, 1, '{}')"
    content = f"{MEMO.replace('parent_id integer', 'parent_id numeric')}INSERT INTO memo VALUES {rows};"
    migration = Projects(databases, tmp_path_factory.mktemp("memo"))(content, {"memos": MEMOS})
    migration.apply()

    assert migration.ask("SELECT id, parent_id FROM app.memos ORDER BY id") == [(1, None), (2, 1), (3, None), (4, None)]
    assert [(key, action) for _, key, action, *_ in migration.rejects()] == [(["3"], "rooted"), (["4"], "rooted")]
    assert migration.verify().green


EXISTING = """CREATE SCHEMA app;
CREATE TABLE app.memos (
  id uuid PRIMARY KEY, body jsonb NOT NULL, above uuid REFERENCES app.memos, root uuid NOT NULL REFERENCES app.memos,
  level smallint NOT NULL, path varchar(20) NOT NULL, written_at timestamptz NOT NULL DEFAULT now()
);
"""
INTO_EXISTING = """\
table: memos
from: memo
create: false
key: {id: {uuid: id}}
columns: {body: {from: body, type: jsonb}}
tree:
  parent: {from: parent_id, to: above}
  fill: {root: root, depth: level, path: path}
  order: [at]
  max_depth: {is: 4, deeper: reject}
"""


def test_a_table_that_is_there_already(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its own columns are filled, its own keys hold again; a path that it has no room for is rejected."""
    rows = ", ".join(f"({n}, nullif({n}, 1) - 1, {n}, '{{}}')" for n in range(1, 7))
    content = f"{MEMO}INSERT INTO memo VALUES {rows};"
    projects = Projects(databases, tmp_path_factory.mktemp("memo"))
    migration = projects(content, {"memos": INTO_EXISTING}, target=EXISTING)
    migration.apply()

    found = migration.ask("SELECT level, path, above IS NULL, written_at IS NOT NULL FROM app.memos ORDER BY level")
    assert found == [
        (0, "000001", True, True),
        (1, "000001/000001", False, True),
        (2, "000001/000001/000001", False, True),
    ]
    assert [(key, action, reason) for _, key, action, reason, *_ in migration.rejects()] == [
        (["4"], "rejected", "the path is longer than 20 characters"),
        (["5"], "rejected", "the path is longer than 20 characters"),
        (["6"], "rejected", "deeper than 4"),
    ]
    assert migration.verify().green
    migration.roll_back()
    assert migration.ask("SELECT count(*) FROM app.memos") == [(0,)]
