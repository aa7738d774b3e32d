"""The query for what uses a column: one text on both sides."""

from importlib.resources import files

from compiler.dependents import dependents_body, dependents_query
from compiler.names import Name


def test_the_plan_and_the_snapshot_ask_the_same_query() -> None:
    """The template, over $1 to $3, is the runner's query to the byte."""
    assert dependents_body() + "\n" == (files("runner") / "dependents.sql").read_text("utf-8")


def test_names_are_quoted() -> None:
    """A plan's query has the names in it, as constants."""
    text = dependents_query(Name("app", "it's"), ["a", 'b"c'])

    assert """SELECT 'app'::text AS nsp, 'it''s'::text AS rel, ARRAY['a', 'b"c']::text[] AS cols""" in text
    assert "$1" not in text
