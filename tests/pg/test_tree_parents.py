"""Parents that no column holds: a table of replies, paths, nested sets. Each says what plain Python says (forest.py).

A forest is drawn with its parents known; its paths and its ends are numbered from them, as applications do; then rows
are taken away, and others cannot move. What `tree:` finds must be the forest that was drawn.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.pg.compiled import Projects
from tests.pg.forest import Comment, Forest, Rules, grow
from tests.pg.test_golden_plans_pg import migration_of
from tests.pg.test_tree import FORESTS, RULES, assert_grown
from tests.test_golden import GOLDEN

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TABLE = """CREATE TABLE comment (
  id integer PRIMARY KEY, at integer NOT NULL, gone boolean NOT NULL, size text, body text NOT NULL,
  hidden boolean NOT NULL, path text, steps varchar(255), lft integer, rght integer, tree_id smallint
);
CREATE TABLE reply (child bigint NOT NULL, parent integer NOT NULL, said text);
CREATE TABLE answer (child integer NOT NULL, parent bigint NOT NULL);
CREATE INDEX answer_child ON answer (child);
"""
DROP = {"path", "steps", "lft", "rght", "tree_id"}


@dataclass(frozen=True, slots=True)
class Node:
    """A row: `parents` are all that are said of it; not `there`, it was deleted, and the others remember it."""

    key: int
    parents: tuple[int, ...]
    at: int = 0
    gone: bool = False
    fit: bool = True
    hidden: bool = False
    there: bool = True

    @property
    def parent(self) -> int | None:
        return self.parents[0] if self.parents else None


@dataclass(frozen=True, slots=True)
class Numbered:
    """Where a row stands, as three kinds of applications write it."""

    path: str
    steps: str
    lft: int
    rght: int
    tree: int


def numbered(nodes: Sequence[Node]) -> dict[int, Numbered]:
    """Number the whole forest, of which every parent is there and comes before its children."""
    children: dict[int | None, list[int]] = defaultdict(list)
    for node in nodes:
        children[node.parent].append(node.key)
    found: dict[int, Numbered] = {}
    for tree, root in enumerate(children[None], 1):
        _number(root, "", LETTERS[tree // 36] * 3 + LETTERS[tree % 36], itertools.count(1), tree, children, found)
    return found


def _number(
    key: int, above: str, steps: str, ends: Iterator[int], tree: int, children: Mapping[int | None, list[int]],
    found: dict[int, Numbered],
) -> None:  # fmt: skip
    lft, path = next(ends), f"{above}{key:04}"
    for place, child in enumerate(children[key], 1):
        _number(child, f"{path}/", f"{steps}{'0' * 3}{LETTERS[place]}", ends, tree, children, found)
    found[key] = Numbered(path, steps, lft, next(ends), tree)


def content(nodes: Sequence[Node], where: Mapping[int, Numbered], links: Sequence[Node]) -> str:
    """The source, as SQL; `links` are said by the tables of replies."""
    rows = [
        f"({n.key}, {n.at}, {n.gone}, '{n.key if n.fit else 'none'}', 'comment {n.key}', {n.hidden}, "
        f"'{w.path}', '{w.steps}', {w.lft}, {w.rght}, {w.tree})"
        for n in nodes if n.there for w in (where[n.key],)
    ]  # fmt: skip
    replies = [f"({n.key}, {parent})" for n in links for parent in n.parents]
    fill = f"INSERT INTO comment VALUES {', '.join(rows)};" if rows else ""
    for table in ("reply", "answer") if replies else ():
        fill += f"INSERT INTO {table} (child, parent) VALUES {', '.join(replies)};"
    return TABLE + fill


def spec(name: str, parent: str, rules: Rules) -> str:
    """A table whose parents are told by `parent`."""
    lines = [
        f"table: {name}", "from: comment", "key: {id: {same: id}}", "where: not s.hidden",
        "columns: {size: {from: size, type: integer}}", "same: [at, gone, body]", "drop:", "  said: nobody asks",
        *(f"  {column}: the tree has it" for column in sorted(DROP) if f" {column}" not in parent), "tree:",
        f"  parent: {{{parent}, to: parent_id, type: integer}}", "  order: [at]", f"  cycle: {rules.cycle}",
        f"  orphan: {{under: {rules.under}}}" if rules.under else f"  orphan: {rules.orphan}",
    ]  # fmt: skip
    path = ", path: path" if rules.deepest else ""
    lines.append(f"  fill: {{root: root, depth: depth, position: position{path}}}")
    if rules.deepest:
        lines.append(f"  max_depth: {{is: {rules.deepest}, deeper: {rules.deeper}}}")
    if rules.placeholder:
        lines.append('  placeholder: {when: s.gone, set: {body: "[removed]"}}')
    text = "\n".join(lines) + "\n"
    return text if "reply" in parent else text.replace("  said: nobody asks\n", "")


REPLY = "from: {table: reply, child: child, parent: parent}, several: "
ANSWER = "from: {table: answer, child: child, parent: parent}, several: "
PATH = "from: {path: path, separator: /}"
STEPS = "from: {path: steps, steps: 4}"
ENDS = "from: {left: lft, right: rght, tree: tree_id}"
KINDS = {
    "first": REPLY + "first",
    "answers": ANSWER + "first",
    "several": REPLY + "reject",
    "path": PATH,
    "steps": STEPS,
}


def said(kind: str, nodes: Sequence[Node], links: Sequence[Node]) -> list[Comment]:
    """The forest as the source says it in one way; a row with several parents that must not have them cannot move."""
    parents: dict[int, int | None] = {node.key: node.parent for node in nodes}
    fit = {node.key: node.fit and not node.hidden for node in nodes}
    if kind in ("first", "answers", "several"):
        others = {node.key: set(node.parents) - {node.key} for node in links}
        parents = {key: min(found, default=None) for key, found in others.items()}
        fit = {key: fit[key] and (kind != "several" or len(others[key]) < 2) for key in fit}
    if kind == "ends":
        parents = {node.key: _nearest(node.key, nodes) for node in nodes}
    return [Comment(n.key, parents[n.key], n.at, n.gone, fit[n.key]) for n in nodes if n.there]


def _nearest(key: int, nodes: Sequence[Node]) -> int | None:
    """The nearest ancestor that was not deleted: nested sets do not remember it."""
    known = {node.key: node for node in nodes}
    at = known[key].parent
    while at is not None and not known[at].there:
        at = known[at].parent
    return at


def chosen(kind: str, links: Sequence[Node], forest: Forest) -> set[tuple[int, str]]:
    """The rows of which the first parent was taken."""
    if kind not in ("first", "answers"):
        return set()
    return {
        (node.key, "chosen") for node in links if node.key in forest.places and len({*node.parents} - {node.key}) > 1
    }


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[Node], list[Node]]:
    """Rows that hang from rows before them, and the same rows with any parents at all, as replies may have."""
    flags = st.integers(0, 6).map(lambda number: number == 0)
    nodes, links = [], []
    for first in FORESTS:
        parents = st.lists(st.integers(first - 1, first + 14), max_size=3).map(tuple)
        for key in range(first, first + draw(st.integers(1, 13))):
            above = draw(st.lists(st.integers(first, key - 1), max_size=1).map(tuple)) if key > first else ()
            at, gone, unfit, hidden, deleted = draw(st.integers(0, 3)), *(draw(flags) for _ in range(4))
            nodes.append(Node(key, above, at, gone, not unfit, hidden, not deleted))
            links.append(Node(key, draw(parents), there=not deleted))
    return nodes, links


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=forests(), rule=st.sampled_from(sorted(RULES)))
def test_any_forest(
    drawn: tuple[list[Node], list[Node]], rule: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However its parents are written down, a forest arrives as it was drawn, and verification is green."""
    nodes, links = drawn
    rules, kinds = RULES[rule], {**KINDS, "ends": ENDS}
    grown = {kind: grow(said(kind, nodes, links), rules) for kind in kinds}
    grown = {kind: forest for kind, forest in grown.items() if not rules.under or rules.under in forest.places}
    here: Path = tmp_path_factory.mktemp("forest")
    specs = {kind: spec(kind, kinds[kind], rules) for kind in grown}
    idle = [table for table in ("reply", "answer") if not any(f"table: {table}," in text for text in specs.values())]
    skip = "}\nskip: {" + ", ".join(f"{table}: nothing hangs by it" for table in idle) if idle else ""
    if not specs:
        return
    migration = Projects(databases, here)(content(nodes, numbered(nodes), links), specs, skip)

    migration.apply()

    whole = sum(node.there and not node.hidden for node in nodes)
    for kind, forest in grown.items():
        forest.actions |= chosen(kind, links, forest)
        assert_grown(migration, kind, forest, whole)
    assert migration.verify().green


# Of the golden plans: what each row hangs from, by the keys of the source, and what was done to whom.
MEANT: Mapping[str, tuple[str, Mapping[int, int | None], set[tuple[int, str]]]] = {
    "messages": (
        "SELECT c.legacy_id, p.legacy_id FROM app.messages AS c LEFT JOIN app.messages AS p ON p.id = c.parent_id",
        {1: None, 2: 1, 3: 2, 4: 3, 5: 1, 7: None, 8: None, 9: None, 10: 9, 12: None, 14: 1, 15: None},
        {(n, "rejected") for n in (6, 11, 13)} | {(n, "rooted") for n in (7, 8, 12)} | {(9, "broken")},
    ),
    "forwards": (
        "SELECT id, parent_id FROM app.forwards",
        {1: None, 2: 1, 3: 2, 4: 3, 5: 1, 6: 1, 7: 6, 8: None, 9: None, 10: 9, 11: 1, 12: 11, 13: 1, 14: 1, 15: None},
        {(6, "chosen"), (8, "rooted"), (9, "broken")},
    ),
    "posts": (
        "SELECT id, parent_id FROM app.posts",
        {1: None, 2: 1, 3: 2, 4: 1, 5: 1, 7: 1, 9: 1, 10: None, 11: None, 12: 10, 13: None, 14: None, 15: 5},
        {(5, "adopted"), (6, "rejected"), (7, "adopted"), (9, "adopted")},
    ),
    "categories": (
        "SELECT right(id::text, 2)::integer, right(parent_id::text, 2)::integer FROM app.categories",
        {1: None, 2: 1, 3: 1, 4: 3, 5: None, 6: 5, 8: None, 9: 8},
        {(7, "rejected")},
    ),
    "places": (
        "SELECT c.old, p.old FROM app.places AS c LEFT JOIN app.places AS p ON p.id = c.parent_id",
        {1: None, 2: 1, 3: 2, 4: 2, 5: 1, 6: None, 8: None, 9: None, 10: None, 11: None, 12: None, 13: None},
        {(8, "rooted"), (10, "rooted"), (11, "rooted"), (13, "rooted")},
    ),
    "regions": (
        "SELECT c.legacy_id, p.legacy_id FROM app.regions AS c LEFT JOIN app.regions AS p ON p.id = c.parent_id",
        {10: None, 20: 10, 30: 20, 40: 10, 50: None, 60: 50, 70: 50, 80: 70},
        set(),
    ),
}  # fmt: skip
ASIDE = "SELECT right(key[1], 3)::integer, action FROM transhume.reject WHERE table_id = %s"


@pytest.mark.both_servers
@pytest.mark.parametrize("case", ["tree_replies", "tree_paths", "tree_intervals"])
def test_what_is_said_badly(case: str, databases: Databases) -> None:
    """Rows whose parents are told twice, wrongly or not at all hang where the rules say, and are listed."""
    migration = migration_of(GOLDEN / "plans" / case, databases)
    migration.apply()
    tables = [table for (table,) in migration.ask("SELECT tablename::text FROM pg_tables WHERE schemaname = 'app'")]
    known = [table for table in tables if table in MEANT]

    assert len(known) == 2
    for table in known:
        query, parents, actions = MEANT[table]
        assert dict(migration.ask(query)) == parents
        assert set(migration.ask(ASIDE, table)) == actions
