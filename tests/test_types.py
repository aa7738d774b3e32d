"""Names of types: every spelling becomes the one of `format_type`, and falls into its family."""

from __future__ import annotations

import re

import pytest

from compiler.names import Name
from compiler.types import read_type, travels

SPELLINGS = [
    ("int", "integer", "integer"),
    ("INT8", "bigint", "integer"),
    ("decimal(12, 2)", "numeric(12,2)", "numeric"),
    ("numeric(12)", "numeric(12,0)", "numeric"),
    ("float(10)", "real", "float"),
    ("float8", "double precision", "float"),
    ("double   precision", "double precision", "float"),
    ("bool", "boolean", "boolean"),
    ("varchar(20)", "character varying(20)", "text"),
    ("character varying", "character varying", "text"),
    ("char", "character(1)", "text"),
    ("bpchar", "bpchar", "text"),
    ('"char"', '"char"', "other"),
    ("timestamptz(3)", "timestamp(3) with time zone", "timestamptz"),
    ("timestamp with time zone", "timestamp with time zone", "timestamptz"),
    ("timestamp", "timestamp without time zone", "timestamp"),
    ("time(0)", "time(0) without time zone", "time"),
    ("interval day to second(3)", "interval day to second(3)", "other"),
    ("int[]", "integer[]", "other"),
    ("varchar(3)[][]", "character varying(3)[]", "other"),
    ("text array", "text[]", "other"),
    ("pg_catalog.int4", "integer", "integer"),
    ("app.mood", "app.mood", "other"),
    ('app."Mood (old)"[]', 'app."Mood (old)"[]', "other"),
    ("public.geometry(Point,4326)", "public.geometry(Point,4326)", "other"),
]


@pytest.mark.parametrize("text, written, family", SPELLINGS)
def test_every_spelling_is_read(text: str, written: str, family: str) -> None:
    """As people write it, as catalogs write it; reading what was written changes nothing."""
    type = read_type(text)
    assert (str(type), type.family) == (written, family)
    assert str(read_type(str(type))) == written


@pytest.mark.parametrize("text", ["", "x.y.z", "varchar(x)", "numeric(1,2,3)", "a b(c"])
def test_what_is_no_name_of_a_type(text: str) -> None:
    """Raises, and is reported where it is written."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        read_type(text)


def test_a_bare_name_has_no_schema() -> None:
    """It is looked for in the target's."""
    assert read_type("mood").user == Name("", "mood")


def test_limits_are_told() -> None:
    """How long, how many decimals, how many digits before the point, how many of a second."""
    assert (read_type("varchar(9)").length, read_type("text").length) == (9, None)
    assert (read_type("numeric(6,4)").scale, read_type("numeric(6,4)").whole_digits) == (4, 2)
    assert (read_type("numeric").scale, read_type("numeric").whole_digits) == (None, None)
    assert (read_type("timestamp(3)").seconds, read_type("timestamp").seconds) == (3, 6)


@pytest.mark.parametrize("text", ["regclass", "app.mood", "app.mood[]", "tid"])
def test_what_holds_one_databases_numbers_travels_as_text(text: str) -> None:
    """The number of a table here is that of another one there."""
    assert not travels(read_type(text))
    assert travels(read_type("integer[]"))
