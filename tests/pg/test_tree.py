"""`tree:` on a server does what plain Python does (forest.py), to the row, for any forest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.pg.compiled import Projects
from tests.pg.forest import Comment, Forest, Rules, grow
from tests.pg.migration import Migration

TABLE = """CREATE TABLE comment (
  id integer PRIMARY KEY, parent_id bigint, at integer NOT NULL, gone boolean NOT NULL, size text, body text NOT NULL
);
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
    """Few rows, so that orphans, cycles and chains meet often."""
    keys = range(1, draw(st.integers(2, 14)))
    parents = st.one_of(st.none(), st.integers(0, 14))
    return [
        Comment(key, draw(parents), draw(st.integers(0, 3)), draw(st.booleans()), draw(st.integers(0, 9)) > 0)
        for key in keys
    ]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
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
