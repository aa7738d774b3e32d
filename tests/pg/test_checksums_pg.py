"""Checksums, against the servers: what they find, and that both servers compute the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from compiler.checksums import checksum, hash_text, hashed, row_checksum
from compiler.sql import Sql
from runner.connect import Session, address, open_target
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

SEED = hash_text(Sql("t.id::text"), Sql("0"), True)
# Two different values of every type, which a hash that is blind to something takes for one.
VALUES = {
    "smallint": ("1", "-1"),
    "integer": ("1", "-1"),
    "bigint": ("1", "4294967297"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"),
    "boolean": ("true", "false"),
    "text": ("a", "a "),
    "character varying(10)": ("a", "a "),
    "character(3)": ("a", "b"),
    "numeric": ("1.0", "1.00"),
    "numeric(12,2)": ("1", "2"),
    "real": ("0", "-0"),
    "double precision": ("0.1", "0.10000000000000002"),
    "date": ("2024-02-29", "infinity"),
    "timestamp without time zone": ("2024-02-29 12:00", "-infinity"),
    "timestamp(3) with time zone": ("2024-02-29 12:00+00", "2024-02-29 12:00:00.001+00"),
    "timestamp with time zone": ("2024-02-29 12:00+00", "infinity"),
    "time without time zone": ("00:00", "24:00"),
    "time with time zone": ("12:00+00", "13:00+01"),
    "interval": ("1 mon", "30 days"),
    "bytea": ("\\x00", "\\x0000"),
    "json": ('{"a":1}', '{"a": 1}'),
    "jsonb": ('{"a": 1}', '{"a": 1.0}'),
    "integer[]": ("{1,2}", "{2,1}"),
    "text[]": ("{NULL}", '{"NULL"}'),
    "int4range": ("[1,2)", "empty"),
    "inet": ("10.0.0.1", "10.0.0.1/8"),
    "money": ("1.00", "1.01"),
    "bit varying(8)": ("0", "00"),
    "point": ("(0,0)", "(0,1)"),
    "tsvector": ("a:1", "a:2"),
    "oid": ("1", "2"),
    '"char"': ("a", "b"),
}


EVERYTHING = {"columns": "a5cb178a7ce00ea9", "rows": "3ce392a3e849c4f7"}  # of all the sums: the same on every server


@pytest.fixture
def session(databases: Databases) -> Iterator[Session]:
    """A session as the runner has it."""
    with closing(open_target(address("TARGET_DATABASE_URL", databases.create("target")), "test", 2)) as opened:
        yield opened


def summed(session: Session, type: str, rows: str, of: str = "columns", *, same_encoding: bool = True) -> object:
    """The checksum of the column `v` of the rows (id, v), or `of` the rows themselves."""
    value = checksum(Sql("t.v"), type, SEED, same_encoding=same_encoding)
    if of == "rows":
        value = row_checksum([Sql("t.id"), hashed(Sql("t.v"), type, same_encoding=same_encoding)])
    (found,) = session.execute(f"SELECT {value} FROM ({rows}) AS t".encode()).fetchone() or (None,)
    return found


def sums_of(session: Session, type: str, of: str, *, same_encoding: bool = True) -> dict[str, object]:
    """The checksums of tables that differ in one thing."""
    one, other = (f"'{value}'::{type}" for value in VALUES[type])
    null = f"NULL::{type}"
    tables = {
        "as it is": [one, other, null],
        "changed places": [other, one, null],
        "NULL changed places": [one, null, other],
        "another value": [one, one, null],
        "a value for NULL": [one, other, one],
        "a row more": [one, other, null, one],
        "empty": [null, null, null],
    }
    rows = {
        name: [f"SELECT {id} AS id, {value} AS v" for id, value in enumerate(each)] for name, each in tables.items()
    }
    queries = {name: " UNION ALL ".join(each) for name, each in rows.items()}
    queries["in another order"] = " UNION ALL ".join(reversed(rows["as it is"]))
    return {name: summed(session, type, query, of, same_encoding=same_encoding) for name, query in queries.items()}


@pytest.mark.parametrize("of", EVERYTHING)
@pytest.mark.parametrize("same_encoding", [True, False])
def test_finds(session: Session, same_encoding: bool, of: str) -> None:
    """Another value, a value for NULL, a row more, two values that changed places: each gives another sum."""
    for type in VALUES:
        sums = sums_of(session, type, of, same_encoding=same_encoding)
        assert sums.pop("in another order") == sums["as it is"], type
        assert (sums["empty"] is None) == (of == "columns")
        assert len(set(sums.values())) == len(sums), (type, sums)


@pytest.mark.parametrize("of", EVERYTHING)
def test_servers_agree(session: Session, of: str) -> None:
    """The same values have the same sums on every server, whatever its version."""
    found = {type: str(sums_of(session, type, of)["as it is"]) for type in VALUES}

    assert hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16] == EVERYTHING[of]


def test_values_that_change_columns_are_found(session: Session) -> None:
    """Within a row, and NULL with them: what a row's columns add up to would be the same."""
    values = [Sql("t.a"), Sql("t.b")]
    rows = ("1, 2", "2, 1", "NULL, 1", "1, NULL", "NULL, NULL", "2, 2")
    query = "SELECT {} FROM (SELECT {}) AS t(a, b)"
    sums = {session.execute(query.format(row_checksum(values), row).encode()).fetchone() for row in rows}

    assert len(sums) == len(rows)


def test_collations_do_not_matter(session: Session) -> None:
    """Texts that a collation of one side takes for equal are told apart, as the other side tells them."""
    blind = "CREATE COLLATION public.blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"
    try:
        session.execute(blind)
    except psycopg.errors.FeatureNotSupported as error:
        pytest.skip(str(error))
    sums = {summed(session, "text", f"""SELECT 1 AS id, '{text}' COLLATE public.blind AS v""") for text in ("a", "A")}

    assert len(sums) == 2
    assert summed(session, "text", "SELECT 1 AS id, 'a'::text AS v") in sums
