"""Removals from tables of every kind: partitioned, keys of several columns, odd names, types without equality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.pg.removing import removing, shown
from tests.pg.test_removal import leftovers


@dataclass(frozen=True, slots=True)
class Case:
    """A table, its removal, what the application does after the drop, and what every row is to hold in the end."""

    table: str
    columns: Sequence[str]
    content: str
    spec: str
    after: str
    rows: str
    expected: Sequence[tuple[object, ...]]


INDEXES = """SELECT i.indexrelid::regclass::text, i.indisvalid, h.inhparent::regclass::text
             FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
             LEFT JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
             WHERE c.relnamespace = 'app'::regnamespace ORDER BY 1"""

CASES = {
    "partitioned, rows that move": Case(
        "events",
        ["old"],
        """
        CREATE TABLE app.events (id integer, day integer, old text NOT NULL DEFAULT '-', PRIMARY KEY (id, day))
          PARTITION BY RANGE (day);
        CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM (1) TO (10);
        CREATE TABLE app.events_2 PARTITION OF app.events FOR VALUES FROM (10) TO (20) PARTITION BY LIST (day);
        CREATE TABLE app.events_2a PARTITION OF app.events_2 DEFAULT;
        CREATE INDEX events_old ON app.events (old);
        INSERT INTO app.events SELECT g, g, 'v' || g FROM generate_series(1, 19) AS g;
        """,
        "dependents: {drop: [index events_old]}",
        """
        UPDATE app.events SET day = day + 9 WHERE id = 3;
        UPDATE app.events SET day = day - 9 WHERE id = 12;
        INSERT INTO app.events VALUES (30, 5);
        UPDATE app.events SET day = 15 WHERE id = 30;
        UPDATE app.events SET day = day + 1 WHERE id BETWEEN 13 AND 15;
        DELETE FROM app.events WHERE id = 16;
        INSERT INTO app.events VALUES (16, 16);
        TRUNCATE app.events_1;
        INSERT INTO app.events VALUES (1, 1);
        """,
        "SELECT id, day, old FROM app.events ORDER BY id",
        [
            (1, 1, "-"),
            (3, 12, "v3"),
            (10, 10, "v10"),
            (11, 11, "v11"),
            *((n, n + 1, f"v{n}") for n in (13, 14, 15)),
            (16, 16, "-"),
            (17, 17, "v17"),
            (18, 18, "v18"),
            (19, 19, "v19"),
            (30, 15, "-"),
        ],
    ),
    "partitions with an index and a default of their own": Case(
        "logs",
        ["old"],
        """
        CREATE TABLE app.logs (id integer, day integer, old text DEFAULT 'all', PRIMARY KEY (id, day))
          PARTITION BY RANGE (day);
        CREATE TABLE app.logs_1 PARTITION OF app.logs (old DEFAULT 'one') FOR VALUES FROM (1) TO (10);
        CREATE TABLE app.logs_2 PARTITION OF app.logs (old DEFAULT 'two') FOR VALUES FROM (10) TO (20)
          PARTITION BY LIST (day);
        CREATE TABLE app.logs_2a PARTITION OF app.logs_2 DEFAULT;
        ALTER TABLE ONLY app.logs_2a ALTER old DROP DEFAULT;
        CREATE INDEX logs_old ON app.logs (old);
        CREATE INDEX logs_1_upper ON app.logs_1 (upper(old)) WHERE day > 2;
        CREATE INDEX logs_2_day ON app.logs_2 (day, old);
        INSERT INTO app.logs SELECT g, g, 'v' || g FROM generate_series(1, 19) AS g;
        """,
        "dependents: {drop: [index logs_old, index logs_1_upper, index logs_2_day]}",
        "INSERT INTO app.logs VALUES (20, 9)",
        """SELECT c.relname::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_class AS c
           JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'old'
           LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
           WHERE c.relname ~ '^logs[_12a]*$' AND c.relkind IN ('r', 'p') ORDER BY 1""",
        [
            ("logs", "'all'::text"),
            ("logs_1", "'one'::text"),
            ("logs_2", "'two'::text"),
            ("logs_2a", None),
        ],
    ),
    "a key of two columns, one of them text": Case(
        "pairs",
        ["old", "older"],
        """
        CREATE TABLE app.pairs (
          code text COLLATE "C", number numeric(6, 2), old json, older point, PRIMARY KEY (code, number)
        );
        INSERT INTO app.pairs SELECT chr(65 + g % 5) || '''/ ', g, '{"a":  1}', point(g, 1)
        FROM generate_series(1, 20) AS g;
        """,
        "",
        """
        UPDATE app.pairs SET code = 'moved' WHERE number = 4;
        UPDATE app.pairs SET number = number + 100;
        DELETE FROM app.pairs WHERE number > 106;
        INSERT INTO app.pairs (code, number) VALUES ('new', 1);
        """,
        "SELECT code, number::integer, old::text, older::text FROM app.pairs ORDER BY number",
        [
            ("new", 1, None, None),
            *((chr(65 + g % 5) + "'/ " if g != 4 else "moved", 100 + g, '{"a":  1}', f"({g},1)") for g in range(1, 7)),
        ],
    ),
    "odd names, a unique index as key": Case(
        "Odd Users",
        ["Old Col", "select"],
        """
        CREATE TABLE app."Odd Users" ("Key" uuid NOT NULL, "Old Col" integer, "select" text DEFAULT 'it''s');
        CREATE UNIQUE INDEX "Odd Key" ON app."Odd Users" ("Key");
        INSERT INTO app."Odd Users" SELECT md5(g::text)::uuid, g, 's' || g FROM generate_series(1, 5) AS g;
        """,
        "",
        """
        INSERT INTO app."Odd Users" VALUES (md5('6')::uuid);
        UPDATE app."Odd Users" SET "Key" = md5('7')::uuid WHERE "Key" = md5('1')::uuid;
        """,
        'SELECT "Old Col", "select" FROM app."Odd Users" ORDER BY "Old Col" NULLS LAST',
        [*((g, f"s{g}") for g in range(1, 6)), (None, "it's")],
    ),
    "inherited, odd names, a key of two columns": Case(
        "Odd Users",
        ["Old Col"],
        """
        CREATE TABLE app."Odd Users" (
          "Key" text COLLATE "C", number numeric(6, 2), "Old Col" json, PRIMARY KEY ("Key", number)
        );
        CREATE TABLE app."Odd.Child" (UNIQUE (number, "Key")) INHERITS (app."Odd Users");
        INSERT INTO app."Odd Users" SELECT 'k', g, '{"a":  1}' FROM generate_series(1, 3) AS g;
        INSERT INTO app."Odd.Child" SELECT 'k', g, '{"b":  1}' FROM generate_series(1, 3) AS g;
        """,
        """dependents: {drop: ['column "Odd.Child".Old Col']}""",
        """
        UPDATE ONLY app."Odd Users" SET "Key" = 'other' WHERE number = 2;
        DELETE FROM app."Odd.Child" WHERE number = 3;
        INSERT INTO app."Odd.Child" VALUES ('other', 2);
        """,
        """SELECT tableoid::regclass::text, "Key", number::integer, "Old Col"::text
           FROM app."Odd Users" ORDER BY 1, 3, 2""",
        [
            *(('app."Odd Users"', "other" if n == 2 else "k", n, '{"a":  1}') for n in (1, 2, 3)),
            ('app."Odd.Child"', "k", 1, '{"b":  1}'),
            ('app."Odd.Child"', "k", 2, '{"b":  1}'),
            ('app."Odd.Child"', "other", 2, None),
        ],
    ),
    "a table that is truncated while it soaks": Case(
        "logs",
        ["old"],
        """
        CREATE TABLE app.logs (id bigint PRIMARY KEY, old bytea NOT NULL);
        INSERT INTO app.logs SELECT g, decode('00ff', 'hex') FROM generate_series(1, 9) AS g;
        """,
        "hide: nothing\non_restore: {new_rows: {old: \"'\\\\x01'::bytea\"}}",
        "TRUNCATE app.logs; INSERT INTO app.logs VALUES (3), (4);",
        "SELECT id, old FROM app.logs ORDER BY id",
        [(3, b"\1"), (4, b"\1")],
    ),
}


@pytest.mark.both_servers
@pytest.mark.parametrize("name", CASES)
def test_tables_of_every_kind(databases: Databases, tmp_path: Path, name: str) -> None:
    """The columns go and come back; rows that got other keys or partitions have their values, new ones get theirs."""
    case = CASES[name]
    columns = ", ".join(f"'{column}'" for column in case.columns)
    spec = (
        f"table: '{case.table}'\ncolumns: [{columns}]\nbecause: nobody reads them\nphases: {{soak: 0s}}\n{case.spec}\n"
    )
    removal = removing(databases, tmp_path, f"CREATE SCHEMA app;{case.content}", spec, name="gone")
    indexes = removal.ask(INDEXES)
    was = [removal.descriptor(column, case.table) for column in case.columns]
    for phase in (1, 2, 3):
        removal.apply(phase)
    for statement in case.after.strip().split(";"):
        removal.ask(statement)

    removal.restore()

    assert removal.ask(case.rows) == list(case.expected)
    assert shown([removal.descriptor(column, case.table) for column in case.columns]) == shown(was)
    assert removal.ask(INDEXES) == indexes
    assert leftovers(removal) == []
    for phase in (1, 2, 3):  # and forward again
        removal.apply(phase)
