"""Expressions and queries against a server: it reads what the compiler accepts, and gives the types that it told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from compiler.catalog import Catalog
from compiler.diagnostics import Span
from compiler.expressions import Scope, scalar
from compiler.functions import functions
from compiler.queries import Side, select
from compiler.query_columns import columns_of
from compiler.spec import Word
from compiler.types import TypeName, read_type
from runner.snapshot import catalog_text, read_catalog
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE person (
  id integer PRIMARY KEY, big bigint, small smallint, email text NOT NULL, name varchar(40), code char(3), "order" text,
  "Created At" timestamp, seen timestamptz, born date, total numeric(12,2), rate double precision, tags text[],
  meta jsonb, raw json, ok boolean, feels mood, key uuid, span interval
);
CREATE TABLE visit (id integer PRIMARY KEY, person_id integer NOT NULL, fee numeric(8,2), note text);
INSERT INTO person VALUES (1, 2, 3, 'a@b', 'Ada', 'xy', 'o', '1999-12-31', '1999-12-31', '1999-12-31', 1.5, 0.5,
  '{a,b}', '{"a": {"b": 1}}', '{}', true, 'glad', '6a2f41a3-c54c-fce8-32d2-0324e1c32e22', '1 day');
"""

EXPRESSIONS = [
    part.strip()
    for part in r"""
    id + 1; id + big; small * small; total + id; total * total; -total; id % 2; abs(id); lower(email); upper(name);
    trim(code); trim(both ' ' from name); email || id; name || code; length(email); round(total, 1); substring(email
    from 1 for 2); substring(email, 2); left(name, 2); replace(email, 'a', 'b'); md5(email); coalesce(name, email);
    coalesce(name, ''); coalesce(id, big); coalesce(total, 0); coalesce(name, code); nullif(email, ''); greatest(id,
    5); least(born, born); case when ok then id else big end; case when ok then 'a' end; case ok when true then
    total end; email = 'x' or id > 1; not ok; name is null; email ~ '^a'; email like 'a%'; email !~* 'x'; id in (1,
    2); id between 1 and 2; id is distinct from 1; "Created At" at time zone 'UTC'; seen at time zone 'UTC';
    date_trunc('day', "Created At"); now(); date_trunc('day', seen); extract(year from born); date_part('year',
    born); to_char(seen, 'YYYY'); current_date; localtimestamp; make_date(2000, 1, 1); to_date('2000', 'YYYY');
    age(seen); interval '1 day' * id; meta -> 'a'; meta ->> 'a'; meta #>> '{a,b}'; meta ? 'a'; meta @> '{}';
    jsonb_build_object('a', id); raw -> 'a'; jsonb_typeof(meta); to_jsonb(id); tags[1]; array[id, 2]; array[name,
    'x']; tags || array['c']; array_length(tags, 1); cardinality(tags); tags @> array['a']; string_to_array(email, '@');
    array_to_string(tags, ','); id::text; cast(total as integer); email::varchar(3); '2000-01-01'::date; date
    '2000-01-01'; id::numeric(4,1); key::text; md5(email)::uuid; email collate "C"; (id, name) = (1, 'x'); id = any
    (array[1, 2]); +id; encode(convert_to(email, 'UTF8'), 'hex'); decode('00', 'hex'); position('a' in email);
    overlay(email placing 'x' from 1); regexp_replace(email, 'a', 'b'); (regexp_match(email, 'a'))[1];
    split_part(email, '@', 1); concat(email, id, 'x'); format('%s', id); to_tsvector('simple', email) @@
    to_tsquery('simple', 'a'); gen_random_uuid(); rate * 2; 1; 2147483648; 1.5; 'x'; true; E'a\n';
    12345678901234567890
""".replace("\n", " ").split(";")
]

QUERIES = [
    "SELECT * FROM person",
    "SELECT p.*, v.fee FROM person p JOIN visit v ON v.person_id = p.id",
    "SELECT * FROM person JOIN visit USING (id)",
    "SELECT p.id, p.email AS mail, v.note FROM person p LEFT JOIN visit v ON v.person_id = p.id ORDER BY mail",
    "SELECT id, name FROM person UNION ALL SELECT id, note FROM visit",
    "SELECT person_id, count(*) AS n, sum(fee) AS fees, sum(person_id) AS ids, max(fee) AS most, min(note) AS first, "
    "avg(fee) AS mean, array_agg(id) AS all_ids, bool_or(fee > 1) AS dear, string_agg(note, ',') AS notes "
    "FROM visit GROUP BY person_id HAVING count(*) > 0",
    "WITH last AS (SELECT person_id, max(id) AS id FROM visit GROUP BY 1) "
    "SELECT p.id, l.id AS visit_id, p.feels FROM person p LEFT JOIN last l ON l.person_id = p.id",
    "SELECT id, row_number() OVER (PARTITION BY person_id ORDER BY id) AS place, "
    "lag(fee) OVER (ORDER BY id) AS before FROM visit",
    "SELECT s.id, s.low FROM (SELECT id, lower(email) AS low FROM person) AS s WHERE EXISTS "
    "(SELECT FROM visit v WHERE v.person_id = s.id)",
    "SELECT DISTINCT ON (person_id) person_id, id, fee::numeric(10,1) AS fee FROM visit ORDER BY person_id, id DESC",
]


@pytest.fixture
def conninfo(databases: Databases) -> str:
    """A source with two tables."""
    return databases.create("source", TABLES)


def shown(connection: psycopg.Connection[Any], query: str) -> list[tuple[str, str]]:
    """The columns of a query as the server has them: name, type."""
    cursor = connection.execute(query.encode())
    assert cursor.description is not None
    found = []
    for place, column in enumerate(cursor.description):
        modifier = cursor.pgresult.fmod(place) if cursor.pgresult else -1
        row = connection.execute("SELECT format_type(%s, %s)", (column.type_code, modifier)).fetchone()
        found.append((column.name, str(row[0]) if row else ""))
    return found


def catalog(conninfo: str, tmp: Path) -> Catalog:
    """The source's catalog, as the compiler reads it."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        path = tmp / "source.yaml"
        path.write_text(catalog_text(read_catalog(connection, "source", ["public"])))
    return Catalog.read(path)


def word(text: str) -> Word:
    """A text somewhere in a spec."""
    return Word(text, Span("x.yaml", 1, 1, len(text), text))


def loose(type: TypeName) -> str:
    """The type without its modifiers: an expression's are often gone when the server is asked."""
    return str(TypeName(type.base, (), type.array, type.user))


def test_the_server_reads_what_the_compiler_accepts(conninfo: str, tmp_path: Path) -> None:
    """Each expression runs, and is of the type that was told, where one was."""
    relation = catalog(conninfo, tmp_path).find("public", "person")
    assert relation is not None
    columns: dict[str, TypeName | None] = {column.name: read_type(column.type) for column in relation.columns}
    untold = 0
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', '', false)")
        for text in EXPRESSIONS:
            found = scalar(word(text), Scope("person", columns, "s", 14))
            (actual,) = shown(connection, f"SELECT {found.sql} AS x FROM public.person AS s")
            connection.execute(f"SELECT {found.atom}::text AS x FROM public.person AS s".encode())
            untold += found.type is None
            assert found.type is None or loose(found.type) == loose(read_type(actual[1])), text
    assert untold < 15


@pytest.mark.parametrize("query", QUERIES)
def test_the_columns_of_a_query_are_those_of_the_server(query: str, conninfo: str, tmp_path: Path) -> None:
    """Names, types and their modifiers, in order: they are the columns of a stage that is filled in binary."""
    source = catalog(conninfo, tmp_path)
    side = Side("source", "public", 14, lambda name: source.find(name.schema, name.name) is not None, lambda: iter(()))
    chosen = select(word(query), side)
    found = columns_of(chosen.tree, source, "public")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', '', false)")
        actual = shown(connection, chosen.sql)
    assert [output.name for output in found.outputs] == [name for name, _ in actual]
    assert [loose(output.type) if output.type else "" for output in found.outputs] == [
        loose(read_type(type)) for _, type in actual
    ]


def test_the_list_of_functions_is_the_servers(conninfo: str) -> None:
    """Each listed function is there since the version that is told, is of its kind, and returns what is told."""
    query = """SELECT proname, bool_or(prokind = 'a'), bool_or(prokind = 'w'), bool_or(proretset),
                 array_agg(DISTINCT format_type(prorettype, NULL))
               FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY 1"""
    with psycopg.connect(conninfo) as connection:
        version = connection.info.server_version // 10000
        there = {name: rest for name, *rest in connection.execute(query)}
    for name, known in functions().items():
        if known.since > version:
            assert name not in there
            continue
        aggregate, window, rows, types = there[name]
        assert (known.kind == "aggregate") <= aggregate, name
        assert (known.kind == "window") <= window, name
        assert (known.kind == "set") == rows, name
        assert not known.returns or types == [known.returns], name
