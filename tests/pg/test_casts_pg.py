"""Casts and their tests against a server: what passes is cast without an error and without a loss, the rest is not."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compiler import dates
from compiler.casts import Cast, Side, cast
from compiler.sql import Sql
from compiler.types import read_type
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

# Two casts of the same text that PostgreSQL itself must agree on: `lost` is true where the cast value is another one.
TRY = """
CREATE FUNCTION attempt(expression text, v text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT (%s)::text FROM (SELECT $1 AS v) AS s', expression) INTO result USING v;
  RETURN coalesce('=' || result, 'null');
EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR feature_not_supported THEN
  RETURN 'error';
END $$
"""


@pytest.fixture
def connection(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """A session as the runner has it."""
    with psycopg.connect(databases.create("target", TRY), autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', 'public', false), set_config('timezone', 'UTC', false)")
        yield connection


@dataclass(frozen=True)
class Case:
    """Texts of `alphabet`, cast to `target`. `exempt` texts are set aside although PostgreSQL would take them."""

    target: str
    texts: st.SearchStrategy[str]
    same: str
    exempt: Callable[[str], bool] = lambda text: False


def numbers(alphabet: str) -> st.SearchStrategy[str]:
    """Numbers, and what is nearly one."""
    return st.text(alphabet, max_size=12) | st.integers().map(str) | st.decimals(allow_nan=False).map(str)


def pieces(*parts: str) -> st.SearchStrategy[str]:
    """Texts put together from parts."""
    return st.lists(st.sampled_from(parts), max_size=9).map("".join)


NASTY = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
DIGITS = numbers("0123456789+-.eE \t\n_x") | pieces("0" * 400, "9" * 700, "1", ".", "e", "e-999", "-", " ", "e5")
DATES = st.dates().map(str) | pieces(
    *("1999", "2000", "1900", "0000", "-02-29", "-02-30", "-04-31", "-12-31", "-13-01", "-", " ", "T", "10:00", ":59"),
    *(".123456", "Z", "+02"),
)
UUIDS = st.uuids().map(str) | pieces("{", "}", "0123", "abcd", "ABCD", "-", "0123abcd" * 4, " ")


def odd_number(text: str) -> bool:
    """What the tests of numbers set aside on purpose; some servers take it, some do not."""
    return len(text.encode()) > 1000 or bool(
        re.search(r"nan|inf|_|0[xob]|e[+-]?\d{4}", text.strip().lower()) or re.search(r"e[+-]?\d{3}", text.lower())
    )


def odd_date(text: str) -> bool:
    """Dates that PostgreSQL reads in other forms than ISO's, or rolls over."""
    return True


CASES = [
    Case("integer", DIGITS | NASTY, "v::numeric = ({cast})::numeric", odd_number),
    Case("smallint", DIGITS, "v::numeric = ({cast})::numeric", odd_number),
    Case("bigint", DIGITS, "v::numeric = ({cast})::numeric", odd_number),
    Case("numeric(6,2)", DIGITS | NASTY, "v::numeric = ({cast})::numeric", odd_number),
    Case("numeric(3,5)", DIGITS, "v::numeric = ({cast})::numeric", odd_number),
    Case("numeric(4,-2)", DIGITS, "v::numeric = ({cast})::numeric", odd_number),
    Case("numeric", DIGITS | NASTY, "v::numeric = ({cast})::numeric", odd_number),
    Case("double precision", DIGITS | st.floats().map(repr), "v::numeric = ({cast})::text::numeric", odd_number),
    Case("real", DIGITS | st.floats(width=32).map(repr), "v::numeric = ({cast})::text::numeric", odd_number),
    Case("boolean", pieces(*"truefalsynoon01", " ", "T") | NASTY, "true"),
    Case("uuid", UUIDS | NASTY, "replace(({cast})::text, '-', '') = lower(translate(v, '{{}}-', ''))"),
    Case("date", DATES | NASTY, "({cast})::text = btrim(v, E' \\t\\n\\r\\f\\x0b')", odd_date),
    Case("timestamp", DATES, "replace(btrim(v), 'T', ' ') LIKE to_char({cast}, 'YYYY-MM-DD') || '%'", odd_date),
    Case("timestamp(2)", DATES, "({cast}) = v::timestamp", odd_date),
    Case("timestamptz", DATES, "true", odd_date),
    Case("time", DATES, "({cast}) = v::time", odd_date),
    Case("varchar(3)", NASTY, "({cast}) = v"),
    Case("char(3)", NASTY, "({cast})::text = v"),
]


def verdicts(connection: psycopg.Connection[Any], made: Cast, same: str, texts: Sequence[str]) -> list[tuple[Any, ...]]:
    """For each text: whether the test lets it pass, what the cast makes of it, whether that is the same value."""
    assert made.test is not None
    value, ok = str(made.value), str(made.test.ok)
    query = f"""SELECT v, {ok}, attempt(%s, v), attempt(%s, v) FROM unnest(%s::text[]) AS s(v)"""
    return connection.execute(
        query.replace("%", "%%").replace("%%s", "%s") if "%" in ok else query,
        (value, same.format(cast=value), list(texts)),
    ).fetchall()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.target)
def test_what_passes_is_cast_whole(case: Case, connection: psycopg.Connection[Any]) -> None:
    """A text that passes is cast, to the same value; one that does not would raise, or lose something."""
    target = Side(read_type(case.target), case.target)
    made = cast(Sql("s.v"), Side(read_type("text"), "text"), target, "Europe/Berlin")
    assert isinstance(made, Cast)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(case.texts, max_size=40))
    @example(["", " ", "\n", "1", "-1", "32767", "32768", "2147483648", "9223372036854775808", "9999.99", "9999.999"])
    @example(
        ["9999.990", "1e3", "1.", ".5", ".", "e5", "0x10", "NaN", "Infinity", "9007199254740993", "1e400", "1e-400"]
    )
    @example(["1999-02-29", "2000-02-29", "1900-02-29", "0000-01-01", "0001-01-01", "9999-12-31 23:59:59.999999"])
    @example(["1999-12-31T23:59Z", "1999-12-31 24:00", "1999-12-31 23:59:60", "1999-12-31 10:00:00 +14:59", "10:00"])
    @example(["1999-12-31 10:00:00.1234567", "1999-12-31 10:00:00.12000", "epoch", "infinity", "January 8, 1999"])
    def check(texts: list[str]) -> None:
        for text, ok, value, same in verdicts(connection, made, case.same, texts):
            if ok:
                assert (text, value[:1], same) == (text, "=", "=true")
            elif not case.exempt(text):
                assert value == "error" or same != "=true", text

    check()


FORMATS = {
    "date": ["DD.MM.YYYY", "YYYYMMDD", "MM/DD/YY", "YYYY-MM-DD", 'YYYY"y"(MM)DD'],
    "timestamp": ["DD.MM.YYYY HH24:MI", "YYYY-MM-DDTHH24:MI:SS.US", "YYYYMMDDHH24MISS", "DD.MM.YY HH24:MI:SS,MS"],
    "timestamptz": ["DD.MM.YYYY HH24:MI:SS"],
    "time": ["HH24:MI", "HH24MISS"],
}


@pytest.mark.parametrize("target, format", [(target, text) for target, texts in FORMATS.items() for text in texts])
def test_a_format_takes_what_is_written_in_it(target: str, format: str, connection: psycopg.Connection[Any]) -> None:
    """A time written in the format is read back; texts near it that are no times are set aside without an error."""
    shape = dates.read_format(format)
    value, ok = dates.by_format(Sql("s.v"), shape, read_type(target), "UTC")
    assert ok is not None
    again = "YYYY-MM-DD HH24:MI:SS.US" if target != "time" else "HH24:MI:SS.US"
    query = f"SELECT {ok}, CASE WHEN {ok} THEN to_char({value}, %s) END FROM unnest(%s::text[]) AS s(v)"

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2069, 12, 31)), max_size=20), NASTY)
    @example([dt.datetime(2000, 2, 29), dt.datetime(1999, 12, 31, 23, 59, 59, 999999)], "1")
    def check(times: list[dt.datetime], dirt: str) -> None:
        texts = [written(time, shape) for time in times]
        rows = connection.execute(query, (again, texts)).fetchall()  # nosec: made by the compiler
        assert [
            written(dt.datetime.fromisoformat(back), shape) if target != "time" else text
            for (_, back), text in zip(rows, texts, strict=True)
        ] == texts
        assert all(ok for ok, _ in rows)
        near = [text.replace(old, new) for text in texts for old, new in (("1", "3"), ("0", "9"), ("2", dirt))]
        connection.execute(query, (again, [*near, dirt, f" {dirt}"])).fetchall()

    check()


def written(time: dt.datetime, format: dates.Format) -> str:
    """What to_char() would write."""
    tokens = {
        "YYYY": f"{time.year:04}",
        "YY": f"{time.year % 100:02}",
        "MM": f"{time.month:02}",
        "DD": f"{time.day:02}",
        "HH24": f"{time.hour:02}",
        "MI": f"{time.minute:02}",
        "SS": f"{time.second:02}",
        "US": f"{time.microsecond:06}",
        "MS": f"{time.microsecond // 1000:03}",
    }
    return "".join(tokens[piece.token] if piece.token else piece.text for piece in format.pieces)


def test_days_that_do_not_exist_are_set_aside(connection: psycopg.Connection[Any]) -> None:
    """31 February, 29 February of 1900 and 2001, day 0, month 13, and what only resembles the format."""
    value, ok = dates.by_format(Sql("s.v"), dates.read_format("DD.MM.YYYY"), read_type("date"), "UTC")
    texts = [
        *("31.02.1999", "29.02.1900", "29.02.2001", "00.01.2000", "01.13.2000", "01.01.0000", "1.1.2000", "01-01-2000"),
        *("01.01.2000 ", "01.01.2000\n", "", "\u0660\u0661.01.2000"),
    ]
    rows = connection.execute(f"SELECT s.v FROM unnest(%s::text[]) AS s(v) WHERE {ok}", (texts,)).fetchall()
    assert rows == []
    assert connection.execute(f"SELECT {value} FROM (VALUES ('29.02.2000')) AS s(v) WHERE {ok}").fetchall() == [
        (dt.date(2000, 2, 29),)
    ]


NUMBER = "({cast})::numeric = v::numeric"
TEXT = "({cast})::text = v"
PAIRS = [
    ("smallint", "bigint", "32767", TEXT),
    ("integer", "numeric(5,2)", "999 1000 -999 -1000 2147483647 -2147483648", NUMBER),
    ("integer", "numeric(12,0)", "2147483647 -2147483648", TEXT),
    ("bigint", "numeric(3,5)", "0 1 9223372036854775807", NUMBER),
    ("numeric(10,0)", "integer", "2147483647 2147483648 -2147483648 -2147483649 NaN", TEXT),
    ("numeric(4,0)", "smallint", "9999 NaN", TEXT),
    ("numeric(12,2)", "numeric(6,2)", "9999.99 -9999.99 10000.00 NaN 0.00", TEXT),
    ("numeric(4,2)", "numeric(6,4)", "99.99 NaN", NUMBER),
    ("numeric(4,2)", "numeric", "99.99 NaN", TEXT),
    ("boolean", "smallint", "true false", "({cast})::integer::boolean = v::boolean"),
    ("real", "double precision", "0.1 NaN Infinity", "({cast})::real = v::real"),
    ("uuid", "varchar(20)", "6a2f41a3-c54c-fce8-32d2-0324e1c32e22", TEXT),
    ("uuid", "text", "6a2f41a3-c54c-fce8-32d2-0324e1c32e22", TEXT),
    ("integer", "varchar(3)", "100 1000 -10 -100", TEXT),
    ("char(5)", "varchar(3)", "abc abcd", TEXT),
    ("varchar(5)", "char(3)", "abc abcd", TEXT),
    ("date", "timestamptz", "1999-07-01", "(({cast}) AT TIME ZONE 'Europe/Berlin')::text = v || ' 00:00:00'"),
    ("date", "timestamptz", "infinity -infinity", TEXT),
    ("timestamp", "timestamptz(3)", "", ""),
    ("timestamp(3)", "timestamptz", "1999-07-01T12:00:00.123", "({cast})::text LIKE '% 10:00:00.123+00'"),
    ("integer[]", "numeric[]", "{1,2}", TEXT),
    ("integer[]", "numeric(5,2)[]", "", ""),
    ("varchar(3)[]", "text[]", "{a,b}", TEXT),
    ("json", "jsonb", '{"a":1}', "({cast}) = v::jsonb"),
    ("timestamptz", "date", "", ""),
    ("numeric", "numeric(6,2)", "", ""),
    ("bigint", "integer", "", ""),
    ("interval(3)", "interval", "00:00:01.123", TEXT),
    ("bit(3)", "bit varying(2)", "", ""),
    ("bit(3)", "bit varying(3)", "101", TEXT),
    ("text", "inet", "10.0.0.1/24", TEXT),
    ("text", "bytea", "", ""),
]


def test_pairs_of_other_types(connection: psycopg.Connection[Any]) -> None:
    """A value that passes is cast to an equal one; the others would raise, or become another. No texts: no cast."""
    for source, target, texts, same in PAIRS:
        sides = Side(read_type(source), source), Side(read_type(target), target)
        made = cast(Sql("s.v"), *sides, "Europe/Berlin")
        assert isinstance(made, Cast) == bool(texts), (source, target)
        if isinstance(made, Cast):
            wrong = list(unlike(connection, made, source, texts.split(), same))
            assert (source, target, wrong) == (source, target, [])


def unlike(
    connection: psycopg.Connection[Any], made: Cast, source: str, texts: list[str], same: str
) -> Iterator[tuple[Any, ...]]:
    """The values that pass and are not cast to an equal one, and those that do not and would be."""
    value = made.value.replace("s.v", f"s.v::{source}")
    ok = made.test.ok.replace("s.v", f"s.v::{source}") if made.test else "true"
    query = f"SELECT v, {ok}, attempt(%s, v), attempt(%s, v) FROM unnest(%s::text[]) AS s(v)"
    for text, passes, result, equal in connection.execute(query, (value, same.format(cast=value), texts)):
        if passes != (result[:1] == "=" and equal == "=true"):
            yield text, passes, result, equal
