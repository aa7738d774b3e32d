"""Protected columns: what loses one, what does not, and what SQL of a file would do to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.protect_sql import Loss, View, statements
from tests.specs import OWNER, PROJECT, TARGET, compiled, pets, refused


def protecting(column: str) -> str:
    """The project, with one column protected."""
    return f"{PROJECT}protect: [{{column: {column}, because: it is read}}]\n"


THERE = TARGET.replace(
    "relations: {}",
    """relations:
  app.vets:
    kind: table
    columns:
      id: {type: integer}
      licence: {type: text}
""",
)

KEPT = [
    ("pets.born", pets("legacy_id: id\nborn: born")),
    ("pets.born", pets("legacy_id: id\nborn: {from: born, type: varchar(10)}")),
    ("pets.feels", pets("legacy_id: id\nfeels: feels")),  # the enum of the target
    ("pet.born", pets("legacy_id: id\nbirthday: {from: born, type: text}")),
    ("pets.owner_id", pets("legacy_id: id\nowner_id: {ref: owners, by: owner_id}")),
    ("pets.weight", pets('legacy_id: id\nweight: {sql: "s.weight * 1", type: "numeric(6,2)"}')),
    ("vets.licence", pets()),  # in the target, and not this plan's
]


@pytest.mark.parametrize("protected, pet", KEPT)
def test_what_keeps_a_column(tmp_path: Path, protected: str, pet: str) -> None:
    """Under its name and type, or another name in the target; a reference has the type of its key."""
    compiled(tmp_path, pet, project=protecting(protected), target=THERE)


LOST = [
    ("pets.born", pets(), "would be lost", "born"),
    ("pets.colour", pets(), "would be lost", "pets"),
    ("pet.born", pets(), "would be lost", "born"),
    ("public.pet.born", pets(), "would be lost", "born"),
    ("app.pets.born", pets(), "would be lost", "born"),
    ("pets.chips", pets("legacy_id: id\nchips: {from: chips, type: text}"),
     "would change its type from bigint to text", "text"),
    ("pets.born", pets("legacy_id: id\nborn: {from: born, type: date, format: DD.MM.YYYY}"),
     "would change its type from character varying(10) to date", "date"),
    ("pets.kind", pets("legacy_id: id\nkind: {from: kind, type: text, map: {1: cat}, otherwise: reject}"),
     "would change its type from smallint to text", "text"),
    ("pets.weight", pets('legacy_id: id\nweight: {sql: "s.weight::text", type: text}'),
     "would change its type from numeric(6,2) to text", "text"),
]  # fmt: skip


@pytest.mark.parametrize("protected, pet, message, at", LOST)
def test_what_loses_a_column(tmp_path: Path, protected: str, pet: str, message: str, at: str) -> None:
    """Dropped, not mapped, of another type: refused where that is written."""
    assert refused(tmp_path, pet, project=protecting(protected)) == [
        ("E605", at, f'protected column "{protected}" {message}'),
    ]


def test_nothing_else_is_said_where_a_protected_column_would_go(tmp_path: Path) -> None:
    """Whatever else is wrong, in this table and in another, waits; even a source that is not there."""
    wrong = OWNER.replace("same: [code, name]", "same: [code, nome]")
    missing = OWNER.replace("from: owner", "from: owners")

    for owner in (wrong, missing):
        found = refused(tmp_path, pets(), owner=owner, project=protecting("pets.born"))
        assert [code for code, _, _ in found] == ["E605"]


STATEMENTS = [
    ("ALTER TABLE t DROP c", [("drops", "", "t", "c")]),
    ('ALTER TABLE IF EXISTS ONLY app."T.x" DROP COLUMN IF EXISTS "C" CASCADE', [("drops", "app", "T.x", "C")]),
    ("alter table T drop column A, add b int, drop constraint c, drop D",
     [("drops", "", "t", "a"), ("drops", "", "t", "d")]),
    ("ALTER TABLE t ENABLE TRIGGER x, DROP COLUMN c", [("drops", "", "t", "c")]),
    ("ALTER TABLE t ALTER a DROP DEFAULT, ALTER a DROP NOT NULL, ALTER a SET STATISTICS 4", []),
    ("ALTER TABLE t RENAME COLUMN c TO d", [("renames", "", "t", "c")]),
    ("ALTER TABLE t RENAME c TO d", [("renames", "", "t", "c")]),
    ("ALTER TABLE t RENAME CONSTRAINT c TO d", []),
    ("ALTER TABLE t RENAME TO u", [("renames", "", "t", "")]),
    ("ALTER TABLE a.t SET SCHEMA b", [("moves", "a", "t", "")]),
    ("ALTER TABLE t ALTER COLUMN c TYPE text USING c::text", [("changes the type of", "", "t", "c")]),
    ("ALTER TABLE t ALTER c SET DATA TYPE text", [("changes the type of", "", "t", "c")]),
    ("DROP TABLE IF EXISTS a, b.c CASCADE; DROP FOREIGN TABLE f",
     [("drops", "", "a", ""), ("drops", "b", "c", ""), ("drops", "", "f", "")]),
    ("ALTER FOREIGN TABLE f DROP COLUMN c", [("drops", "", "f", "c")]),
    ("DROP SCHEMA a CASCADE; ALTER SCHEMA b RENAME TO c", [("drops", "a", "", ""), ("renames", "b", "", "")]),
    ("DO $x$ BEGIN ALTER TABLE t DROP c; END $x$", [("drops", "", "t", "c")]),
    ("DO $$ BEGIN EXECUTE 'ALTER TABLE t DROP c'; END $$", [("drops", "", "t", "c")]),
    ("-- ALTER TABLE t DROP c\n/* DROP TABLE t */ SELECT 1", []),
    ("INSERT INTO t (a) VALUES ('--'); DROP TABLE t", [("drops", "", "t", "")]),
    ("ALTER TABLE t ADD COLUMN c int; CREATE TABLE u (c int); this is no SQL; DROP TABLE v", [("drops", "", "v", "")]),
]  # fmt: skip


@pytest.mark.parametrize("sql, expected", STATEMENTS)
def test_what_statements_do(sql: str, expected: list[tuple[str, ...]]) -> None:
    """Wherever they stand, and whatever else stands beside them."""
    found = [(one.does, one.schema, one.table, one.column) for one in statements(sql) if isinstance(one, Loss)]

    assert found == expected
    for one in statements(sql):
        text = sql[one.at : one.at + one.length]
        name = one.name if isinstance(one, View) else one.column or one.table or one.schema
        assert name in text.lower() + text


VIEWS = [
    ("CREATE VIEW v AS SELECT a, t.\"B\" AS x FROM t WHERE c > 0", "v", {"a", "B", "c"}, False),
    ("CREATE OR REPLACE VIEW app.v (x) WITH (security_barrier) AS SELECT a FROM t WITH LOCAL CHECK OPTION",
     "v", {"a"}, False),
    ("CREATE MATERIALIZED VIEW v USING heap AS SELECT count(*) FROM t WITH NO DATA", "v", set(), False),
    ("CREATE TEMP VIEW v AS SELECT t.* FROM t", "v", {"*"}, True),
    ("CREATE VIEW v AS TABLE t", "v", set(), True),
    ("CREATE RECURSIVE VIEW v (n) AS SELECT a FROM t UNION SELECT n + 1 FROM v", "v", {"a", "n"}, False),
]  # fmt: skip


@pytest.mark.parametrize("sql, name, names, star", VIEWS)
def test_what_views_name(sql: str, name: str, names: set[str], star: bool) -> None:
    """The columns of their queries, or all of them."""
    (view,) = statements(sql)

    assert isinstance(view, View)
    assert (view.name, set(view.names) - {"*"}, view.star) == (name, names - {"*"}, star)
