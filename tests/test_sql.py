"""Quoting: what is printed into a plan means what was meant. tests/pg/test_sql_pg.py asks the servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.sql import Sql, cast, fits, ident, literal, names, qname, tight, typed


@pytest.mark.parametrize(
    "name, quoted",
    [
        ("orders", "orders"),
        ("order", '"order"'),
        ("Orders", '"Orders"'),
        ("größe in cm", '"größe in cm"'),
        ('say "hi"', '"say ""hi"""'),
        ("a$b", '"a$b"'),
        ("1st", '"1st"'),
        ("naïve", '"naïve"'),
    ],
)
def test_ident(name: str, quoted: str) -> None:
    """A name is quoted where PostgreSQL would read it as anything else."""
    assert ident(name) == quoted
    assert qname("app", name) == f"app.{quoted}"


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_no_identifier(name: str) -> None:
    """What no server can hold is no identifier."""
    with pytest.raises(ValueError, match="not an identifier"):
        ident(name)


def test_literals() -> None:
    """A backslash is a backslash, a negative number binds whole."""
    assert [literal(value) for value in ("it's", "a\\b", 7, -7, True, False, None)] == [
        "'it''s'", "'a\\b'", "7", "(-7)", "true", "false", "NULL",
    ]  # fmt: skip
    assert [typed(value, "text") for value in ("a", 7, True, None)] == [
        "'a'::text", "'7'::text", "'true'::text", "NULL::text",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


def test_what_binds_tight() -> None:
    """A column needs no parentheses before `::`, anything else gets them."""
    assert cast(tight(Sql('s."A b"')), "text") == 's."A b"::text'
    assert cast(tight(Sql("a || b")), "text") == "(a || b)::text"
    assert tight(Sql("f(a, b)")) == "(f(a, b))"
    assert tight(Sql("s.a::text")) == "s.a::text"


def test_names() -> None:
    """Columns in a list, with or without an alias."""
    assert names(["a", "B"]) == 'a, "B"'
    assert names(["a", "B"], "s") == 's.a, s."B"'


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=100))
def test_fits(name: str) -> None:
    """A name that fits stays; one that is cut keeps its beginning and stays apart from its neighbours."""
    short = fits(name)

    assert len(short.encode()) <= 63
    assert (short == name) == (len(name.encode()) <= 63)
    assert short == name or (name.startswith(short[:-9]) and fits(f"{name}x") != short)
    ended = fits(name, "_$part")
    assert len(ended.encode()) <= 63
    assert ended == f"{name}_$part" or (ended.endswith("_$part") and fits(f"{name}x", "_$part") != ended)
