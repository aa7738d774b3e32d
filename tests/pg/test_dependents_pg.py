"""What the analyser says of a column is what the server does: every use, alone and mixed, on both servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg
import pytest

from runner.dependents_block import KINDS
from tests.conftest import Databases
from tests.pg import column_uses
from tests.pg.column_uses import Case

pytestmark = pytest.mark.both_servers

QUERY = (files("runner") / "dependents.sql").read_text("utf-8")
INVENTORY = """
SELECT i.type, i.object_names, i.object_args
FROM (
    SELECT 'pg_class'::regclass AS classid, c.oid, 0 AS part
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'i', 'I', 'S') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
      AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_attribute a ON (attrelid, attnum) = (refobjid, refobjsubid)
                      WHERE c.relkind = 'S' AND d.objid = c.oid AND a.attidentity <> '')
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c') AND NOT c.relispartition
      AND (a.attislocal OR a.attgenerated = '')
    UNION ALL
    SELECT 'pg_constraint'::regclass, oid, 0
    FROM pg_constraint
    WHERE conparentid = 0 AND contype NOT IN ('n', 't') AND conrelid <> 0 AND (conislocal OR contype <> 'c')
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 0 FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL SELECT 'pg_policy'::regclass, oid, 0 FROM pg_policy
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, 0 FROM pg_rewrite WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_proc'::regclass, oid, 0 FROM pg_proc
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 0 FROM pg_statistic_ext
    UNION ALL SELECT 'pg_publication_rel'::regclass, oid, 0 FROM pg_publication_rel
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, 0
    FROM pg_attrdef d
    JOIN pg_attribute a ON (a.attrelid, a.attnum) = (d.adrelid, d.adnum)
    JOIN pg_class c ON c.oid = d.adrelid
    WHERE a.attgenerated = '' AND NOT (c.relname = %(table)s AND a.attname = %(column)s) AND NOT c.relispartition
) AS o, LATERAL pg_identify_object_as_address(o.classid, o.oid, o.part) AS i
WHERE o.oid >= 16384 AND i.object_names[1] = 'here'
"""

# what the server says of a form that it does not know, or not of a table with partitions or children
UNKNOWN = (
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InternalError_,  # 15, of a whole row in a partitioned table
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.SyntaxError,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.WrongObjectType,
)


class Found(NamedTuple):
    """A row of the analyser, without what is only read by people."""

    effect: str
    dependent: str
    level: int


class Tried(NamedTuple):
    """What the server did: whether RESTRICT refused, what went, and what CASCADE took."""

    refused: bool
    restrict: set[str]
    cascade: set[str]


@pytest.fixture
def conn(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """A database in which each case is made and rolled back."""
    with psycopg.connect(databases.create("source")) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off; SET client_min_messages = error")
        connection.execute("CREATE SCHEMA here")  # once: it makes the server forget every plan
        connection.execute(f"SET search_path = ''; PREPARE uses (text, text, text[]) AS {QUERY}".encode())
        connection.commit()
        yield connection


def made(conn: psycopg.Connection[Any], case: Case) -> bool:
    """Make the schema; whether the server knows how to."""
    conn.execute("SET LOCAL search_path = here")
    try:
        with conn.transaction():
            conn.execute(case.sql)
    except UNKNOWN:
        return False
    finally:
        conn.execute("SET LOCAL search_path = ''")
    return True


def said(conn: psycopg.Connection[Any], case: Case) -> list[Found]:
    """What the analyser says."""
    values = psycopg.sql.SQL(", ").join(["here", case.table, [case.column]])
    rows = conn.execute(psycopg.sql.SQL("EXECUTE uses ({})").format(values)).fetchall()
    return [Found(effect, dependent, level) for _, effect, dependent, level, _, _ in rows]


def inventory(conn: psycopg.Connection[Any], case: Case) -> set[str]:
    """Everything in the schema, by the names that the analyser gives."""
    rows = conn.execute(INVENTORY, {"table": case.table, "column": case.column}).fetchall()
    return {called(kind, names, args, case.table) for kind, names, args in rows}


def called(kind: str, names: list[str], args: list[str], table: str) -> str:
    """`constraint ck on here.t`."""
    schema, *rest = map(_part, names)
    words = {"table constraint": "constraint", "statistics object": "statistics", "default value": "default"}
    kind = "column" if kind.endswith(" column") else words.get(kind, kind)
    if kind in ("constraint", "trigger", "rule", "policy"):
        return f"{kind} {rest[1]} on {schema}.{rest[0]}"
    if kind == "publication relation":
        return f"publication {args[0]}" + ("" if names[1] == table else f" of {schema}.{rest[0]}")
    text = f"{kind} {'.'.join([schema, *rest])}"
    return f"{text}({', '.join(args)})" if kind in ("function", "procedure") else text


def tried(conn: psycopg.Connection[Any], case: Case) -> Tried:
    """Drop the column, both ways, and take it back."""
    drop = psycopg.sql.SQL("ALTER TABLE here.{} DROP COLUMN {} {}")
    before, gone = inventory(conn, case), {}
    refused = False
    for way in ("RESTRICT", "CASCADE"):
        gone[way] = set[str]()
        try:
            with conn.transaction(force_rollback=True):
                names = psycopg.sql.Identifier(case.table), psycopg.sql.Identifier(case.column)
                conn.execute(drop.format(*names, psycopg.sql.SQL(way)))
                went = before - inventory(conn, case)
                defaults = {name.replace("column", "default", 1) for name in went if name.startswith("column ")}
                gone[way] = went - defaults - {f"column {_table(case)}.{_part(case.column)}"}
        except (psycopg.errors.DependentObjectsStillExist, psycopg.errors.InvalidTableDefinition,
                psycopg.errors.WrongObjectType):  # fmt: skip
            refused = True
    return Tried(refused, gone["RESTRICT"], gone["CASCADE"])


def _table(case: Case) -> str:
    return f"here.{_part(case.table)}"


def _part(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "." in name or '"' in name else name


def disagreement(conn: psycopg.Connection[Any], case: Case) -> str:
    """How the analyser and the server differ; nothing, where they do not."""
    rows = said(conn, case)
    server = tried(conn, case)
    by = {effect: {row.dependent for row in rows if row.effect == effect} for effect in (row.effect for row in rows)}
    forbidden = "forbids" in by
    blocked = by.get("refuses", set()) | by.get("rebuilt", set())
    silent = by.get("vanishes", set())
    predicted = Tried(
        forbidden or bool(blocked),
        set() if forbidden or blocked else silent,
        set() if forbidden else silent | blocked,
    )
    return "" if predicted == server else f"{case.name}\n  said   {predicted}\n  server {server}"


def check(conn: psycopg.Connection[Any], cases: Iterable[Case]) -> int:
    """How many of the cases the server knows; they all agree."""
    known, wrong = 0, []
    for case in cases:
        if made(conn, case):
            known += 1
            wrong.append(disagreement(conn, case))
        conn.rollback()
    assert not any(wrong), "\n".join(filter(None, wrong))
    return known


@pytest.mark.parametrize("base", column_uses.BASES)
def test_each_use_alone(conn: psycopg.Connection[Any], base: str) -> None:
    """RESTRICT refuses, and takes, what was said; CASCADE takes the rest of it, and nothing else."""
    cases = list(column_uses.cases(base))
    known = check(conn, cases)

    assert known >= (len(cases) - 4 if base == "plain" else len(cases) * 2 // 3)  # 15 does not know four of them


def test_names_that_must_be_quoted(conn: psycopg.Connection[Any]) -> None:
    """Names with capitals, spaces, dots and quotes are found, and written as catalogs write them."""
    assert check(conn, column_uses.odd()) >= len(column_uses.USES) // 3


def test_tables_of_every_form(conn: psycopg.Connection[Any]) -> None:
    """Partition keys, inherited columns, typed tables, foreign tables: refused even by CASCADE, or not at all."""
    assert check(conn, column_uses.whole()) == len(column_uses.WHOLE)


def test_uses_together(conn: psycopg.Connection[Any]) -> None:
    """Uses that stand on each other's objects."""
    assert check(conn, column_uses.mixed(60)) >= 30


def dropping(dependent: str) -> str:
    """The statement that drops it, of names that need no quotes."""
    kind = next(one for one in KINDS if dependent.startswith(f"{one} "))
    name, _, table = dependent.removeprefix(f"{kind} ").partition(" on ")
    match kind:
        case "constraint":
            return f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        case "column":
            return f"ALTER TABLE {name.rpartition('.')[0]} DROP COLUMN {name.rpartition('.')[2]}"
        case "default":
            return f"ALTER TABLE {name.rpartition('.')[0]} ALTER COLUMN {name.rpartition('.')[2]} DROP DEFAULT"
        case "publication":
            name, _, of = name.partition(" of ")
            return f"ALTER PUBLICATION {name} DROP TABLE ONLY {of or 'here.t'}"
    return f"DROP {kind} {name}" + (f" ON {table}" if table else "")


def test_what_is_dropped_in_the_order_said_can_be_dropped(conn: psycopg.Connection[Any]) -> None:
    """What refuses and what is built on it, the greatest level first; then the column itself, all by RESTRICT."""
    dropped = 0
    for case in [*column_uses.cases("plain"), *column_uses.mixed(40)]:
        if made(conn, case):
            blocking = [row for row in said(conn, case) if row.effect in ("refuses", "rebuilt")]
            for row in sorted(blocking, key=lambda row: -row.level):
                conn.execute(dropping(row.dependent).encode())
            conn.execute("ALTER TABLE here.t DROP COLUMN c RESTRICT")
            dropped += len(blocking)
        conn.rollback()
    assert dropped > 90


def test_a_table_that_goes(conn: psycopg.Connection[Any]) -> None:
    """`*` is the table itself: DROP TABLE refuses, and CASCADE takes beside its own, what was said."""
    known, wrong = 0, []
    for case in column_uses.cases("plain"):
        if made(conn, case):
            known += 1
            rows = said(conn, Case(case.name, case.sql, case.table, "*"))
            predicted = {row.dependent for row in rows if row.effect in ("refuses", "rebuilt")}
            before, refused, gone = inventory(conn, case), False, set[str]()
            for way in ("RESTRICT", "CASCADE"):
                try:
                    with conn.transaction(force_rollback=True):
                        conn.execute(f"DROP TABLE here.t {way}".encode())
                        gone = before - inventory(conn, case)
                except psycopg.errors.DependentObjectsStillExist:
                    refused = True
            if (refused, outside(gone)) != (bool(predicted), outside(predicted)):
                wrong.append(f"{case.name}\n  said   {predicted}\n  server {refused} {outside(gone)}")
            wrong += [f"{case.name}: {row}" for row in rows if row.effect in ("lost", "forbids", "changes")]
        conn.rollback()

    assert not wrong, "\n".join(wrong)
    assert known >= len(column_uses.USES) - 4


def outside(names: set[str]) -> set[str]:
    """What is not a part of the table, nor an index or a sequence, of which that cannot be told by the name."""
    own = ("index ", "statistics ", "sequence ", "publication ", "column here.t.", "default here.t.")
    beside = {name for name in names if not name.startswith(own) and not name.endswith(" on here.t")}
    return beside - {"table here.t"}
