"""Derived ids against a server: the same as Python's, for every kind of key."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any, Literal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.diagnostics import Span
from compiler.ids import derived, derived_bytes
from compiler.spec import Ids
from compiler.sql import Sql
from compiler.types import read_type
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

NAMESPACE = uuid.UUID("1b671a64-40d5-491e-99b0-da01ff1f3341")
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"))


def ids(version: Literal[3, 5]) -> Ids:
    """What a project says about its ids."""
    return Ids(NAMESPACE, version, Span("project.yaml", 1, 1, 1))


def computed(connection: psycopg.Connection[Any], made: Sql, types: str, values: list[tuple[Any, ...]]) -> list[Any]:
    """What the server makes of each key."""
    rows = json.dumps([{f"k{n}": value for n, value in enumerate(row)} for row in values], default=str)
    query = f"SELECT {made} FROM jsonb_to_recordset(%s::jsonb) AS s({types})"
    return [row[0] for row in connection.execute(query, (rows,))]


@pytest.mark.parametrize(
    "type, keys",
    [("integer", st.integers(-(2**31), 2**31 - 1)), ("bigint", INTEGERS), ("text", TEXTS), ("uuid", st.uuids())],
)
def test_ids_are_those_of_python(type: str, keys: st.SearchStrategy[Any], databases: Databases) -> None:
    """Numbers, text in any script, UUIDs: uuid3 of `<table>:<key>`."""
    made = derived(ids(3), "Bücher und mehr", [(Sql("s.k0"), read_type(type))])
    with psycopg.connect(databases.create("target")) as connection:

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(keys, min_size=1, max_size=30))
        def check(values: list[Any]) -> None:
            found = computed(connection, made, f"k0 {type}", [(value,) for value in values])
            assert found == [uuid.uuid3(NAMESPACE, f"Bücher und mehr:{value}") for value in values]

        check()


def test_ids_of_keys_of_several_columns(databases: Databases) -> None:
    """uuid3 of `<table>:<JSON array>`, as Python's json writes it."""
    key = [(Sql("s.k0"), read_type("bigint")), (Sql("s.k1"), read_type("text"))]
    with psycopg.connect(databases.create("target")) as connection:

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.tuples(INTEGERS, TEXTS.filter(lambda text: "\x7f" not in text)), min_size=1, max_size=30))
        def check(values: list[Any]) -> None:
            found = computed(connection, derived(ids(3), "lines", key), "k0 bigint, k1 text", values)
            names = [f"lines:{json.dumps(list(value), ensure_ascii=False)}" for value in values]
            assert found == [uuid.uuid3(NAMESPACE, name) for name in names]

        check()


def test_equal_numbers_have_one_id(databases: Databases) -> None:
    """12, 12.0 and 12.00 are one key."""
    made = derived(ids(3), "parts", [(Sql("s.k0"), read_type("numeric"))])
    with psycopg.connect(databases.create("target")) as connection:
        found = computed(connection, made, "k0 numeric", [(Decimal("12"),), (Decimal("12.00"),), (Decimal("12.5"),)])
    assert found[0] == found[1] == uuid.uuid3(NAMESPACE, "parts:12")
    assert found[2] == uuid.uuid3(NAMESPACE, "parts:12.5")


def test_no_key_no_id(databases: Databases) -> None:
    """NULL in any part of the key gives NULL."""
    one = derived(ids(3), "t", [(Sql("s.k0"), read_type("integer"))])
    two = derived(ids(3), "t", [(Sql("s.k0"), read_type("integer")), (Sql("s.k1"), read_type("integer"))])
    with psycopg.connect(databases.create("target")) as connection:
        assert computed(connection, one, "k0 integer", [(None,)]) == [None]
        assert computed(connection, two, "k0 integer, k1 integer", [(1, None), (None, 1)]) == [None, None]


def test_the_bytes_of_an_id(databases: Databases) -> None:
    """They are the id's own, in a binary COPY and to the hash of a row; NULL where the id is."""
    key = [(Sql("s.k0"), read_type("integer")), (Sql("s.k1"), read_type("text"))]
    with psycopg.connect(databases.create("target"), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE given AS SELECT n AS k0, NULLIF('k' || n, 'k3') AS k1 FROM generate_series(1, 9) AS n"
        )
        connection.execute("CREATE TABLE arrived (id uuid)")
        for some in (key, key[:1]):
            made, raw = derived(ids(3), "t", some), derived_bytes(ids(3), "t", some)
            connection.execute("TRUNCATE arrived")
            with connection.cursor() as out, connection.cursor() as into:
                with out.copy(f"COPY (SELECT {raw} FROM given AS s ORDER BY k0) TO STDOUT (FORMAT binary)") as sent:
                    blocks = b"".join(sent)
                with into.copy("COPY arrived FROM STDIN (FORMAT binary)") as received:
                    received.write(blocks)
            ids_made = connection.execute(f"SELECT {made} FROM given AS s ORDER BY k0").fetchall()
            assert connection.execute("SELECT id FROM arrived").fetchall() == ids_made
            assert (None,) in ids_made or len(some) == 1
            hashes = ", ".join(f"hash_record_extended(ROW(k0, {value}), 0)" for value in (made, raw))
            assert all(one == two for one, two in connection.execute(f"SELECT {hashes} FROM given AS s"))
    assert derived_bytes(ids(5), "t", key) is None


def test_version_5_is_that_of_python(databases: Databases) -> None:
    """Where uuid-ossp is installed, in whatever schema."""
    with psycopg.connect(databases.create("target"), autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_available_extensions WHERE name = 'uuid-ossp'"
        if connection.execute(query).fetchone() == (0,):
            pytest.skip("this server has no uuid-ossp")
        connection.execute('CREATE SCHEMA "Ext"')
        connection.execute('CREATE EXTENSION "uuid-ossp" SCHEMA "Ext"')
        made = derived(ids(5), "orders", [(Sql("s.k0"), read_type("text"))], schema="Ext")
        assert computed(connection, made, "k0 text", [("4711",), ("é\t",)]) == [
            uuid.uuid5(NAMESPACE, "orders:4711"),
            uuid.uuid5(NAMESPACE, "orders:é\t"),
        ]
