"""Binding: a value takes the place of $n as a literal, everywhere but inside quotes, comments and names."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.bind import array, bind, literal, parameters
from runner.embedded import Server

OPAQUE = (
    "'$1'",
    "'it''s $1'",
    "E'\\'$1'",
    "e'$1\\\\'",
    "U&'$1'",
    '"$1"',
    '"a""$1"',
    "$$ $1 ' $$",
    "$body$ $1 $$ $2 $body$",
    "-- $1 'open\n",
    "/* $1 /* $2 */ $1 */",
    "a$1",
    "é$1",
    "_$1$2",
    "foo$bar$1",
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES = st.one_of(st.none(), TEXTS, st.lists(st.one_of(st.none(), TEXTS), max_size=4))


@pytest.mark.parametrize("text", OPAQUE)
def test_nothing_is_bound_inside(text: str) -> None:
    """Strings of every form, quoted names, dollar quotes, comments and names with a $ stay as they are."""
    assert bind(f"SELECT {text} , $1", ["v"]).text == f"SELECT {text} , 'v'"


@given(st.lists(st.one_of(st.sampled_from(OPAQUE), st.just("$1"), st.just("+"), st.just("(\n"))), VALUES)
def test_only_parameters_change(tokens: list[str], value: str | list[str | None] | None) -> None:
    """Whatever stands between them, exactly the parameters are replaced."""
    expected = " ".join(literal(value) if token == "$1" else token for token in tokens)

    assert bind(" ".join(tokens), [value]).text == expected


@given(st.lists(st.one_of(st.sampled_from(OPAQUE), st.just("$1"), st.just("error_here"))), TEXTS)
def test_offsets_lead_back(tokens: list[str], value: str) -> None:
    """The offset of a word in the bound text is that of the same word in the plan's text."""
    text = " ".join([*tokens, "error_here"])
    bound = bind(text, [value])

    assert text[bound.origin(bound.text.rindex("error_here")) :] == "error_here"


def test_a_table_for_each_part() -> None:
    """Of the runner's own tables, the end of the name; of nobody else's, and not without a part."""
    text = """CREATE TABLE transhume."found_$part" AS
              SELECT $1 AS "x_$part", 'transhume."a_$part"' FROM app."b_$part" WHERE oh"""
    bound = bind(text, ["7"], "3")

    assert bound.text == text.replace("found_$part", "found_3").replace("$1", "'7'")
    assert text[bound.origin(bound.text.index("oh")) :] == "oh"
    assert bind(text, ["7"]).text == text.replace("$1", "'7'")


def test_several_and_repeated() -> None:
    """Numbers of two digits are one parameter; the same one may stand twice."""
    values = [str(n) for n in range(1, 13)]

    assert bind("$12 $1 $1", values).text == "'12' '1' '1'"
    assert [number for _, _, number in parameters("$2::tid, $10")] == [2, 10]


@pytest.mark.parametrize("text, values", [("$2", ["a"]), ("$0", ["a"]), ("$1", [])])
def test_a_parameter_without_a_value_is_an_error(text: str, values: list[str]) -> None:
    """A $n beyond the values raises."""
    with pytest.raises(ValueError, match=r"stands for nothing: the section binds \d values"):
        bind(text, values)


def test_a_nul_character_is_an_error() -> None:
    """No literal can hold a NUL character; it must not end the statement early."""
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")


def test_values_arrive_as_they_were(server: Server) -> None:
    """The server reads back every text, list and NULL as it was given, through COPY as well."""

    @given(VALUES)
    def arrives(value: str | list[str | None] | None) -> None:
        kind = "text[]" if isinstance(value, list) else "text"
        query = bind(f"SELECT $1::{kind} -- $1", [value]).text
        assert session.execute(query.encode()).fetchone() == (value,)

    with psycopg.connect(server.conninfo("postgres"), client_encoding="UTF8") as session:
        arrives()


def test_array_text() -> None:
    """Array text quotes every element, so that `null` and an empty text are not mistaken."""
    assert array(["a", None, "null", "", 'q"', "b\\"]) == '{"a",NULL,"null","","q\\"","b\\\\"}'
