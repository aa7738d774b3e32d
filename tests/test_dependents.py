"""What uses a column: one query on both sides, names as specs write them, and nothing that a removal forgets."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from compiler.catalog import Catalog, Column, Relation
from compiler.catalog_uses import Dependent, Effect, Uses
from compiler.dependents import block, check_named, dependents_body, dependents_query, shown_name, used_by, whole_name
from compiler.diagnostics import Diagnostic, Span, text
from compiler.names import Name
from compiler.spec import Word
from tests.tables import relation

USERS = Name("app", "users")
PLACE = Span("specs/demo/removals/users.yaml", 1, 10, 5, "removal: users")


def test_the_plan_and_the_snapshot_ask_the_same_query() -> None:
    """The template, over $1 to $3, is the runner's query to the byte."""
    assert dependents_body() + "\n" == (files("runner") / "dependents.sql").read_text("utf-8")


def test_names_are_quoted() -> None:
    """A plan's query has the names in it, as constants."""
    text = dependents_query(Name("app", "it's"), ["a", 'b"c'])

    assert """SELECT 'app'::text AS nsp, 'it''s'::text AS rel, ARRAY['a', 'b"c']::text[] AS cols""" in text
    assert "$1" not in text


@pytest.mark.parametrize(
    "short, whole",
    [
        ("view user_list", "view app.user_list"),
        ("materialized  view  m", "materialized view app.m"),
        ("view other.list", "view other.list"),
        ('view "odd.name"', 'view app."odd.name"'),
        ("index users_idx", "index app.users_idx"),
        ("trigger touch", "trigger touch on app.users"),
        ("trigger touch on posts", "trigger touch on app.posts"),
        ("table constraint ck on other.t", "constraint ck on other.t"),
        ("policy only mine on users", "policy only mine on app.users"),
        ("function f(integer,text)", "function app.f(integer, text)"),
        ("function other.f(app.users)", "function other.f(app.users)"),
        ("column posts.author", "column app.posts.author"),
        ("default value other.posts.author", "default other.posts.author"),
        ("statistics object s", "statistics app.s"),
        ("publication p", "publication p"),
        ("publication p of users", "publication p"),
        ("publication p of posts", "publication p of app.posts"),
    ],
)
def test_what_a_spec_names_is_found(short: str, whole: str) -> None:
    """Without the schema of the project, without the removal's own table; and the whole name always."""
    assert whole_name(short, "app", USERS) == whole
    assert whole_name(whole, "app", USERS) == whole
    assert whole_name(shown_name(whole, "app"), "app", USERS) == whole


@pytest.mark.parametrize("text", ["user_list", "vieww x", "view a.b.c", "view", ""])
def test_what_is_no_dependent_is_refused(text: str) -> None:
    """A kind and a name belong there."""
    with pytest.raises(ValueError, match=r"\A.*\Z"):
        whole_name(text, "app", USERS)


def users(*uses: Uses) -> Relation:
    """A table with columns a, b and c, and what is known of their uses."""
    return relation("users", columns=tuple(Column(name, "text") for name in "abc"), uses=uses)


def dependent(name: str, effect: Effect, level: int = 1) -> Dependent:
    """A dependent as a catalog has it."""
    return Dependent(name, effect, level, "")


def word(text: str) -> Word:
    """A word of the removal's spec."""
    return Word(text, Span("specs/demo/removals/users.yaml", 2, 11, len(text), f"columns: [{text}]"))


def findings(table: Relation, columns: str, *named: str) -> list[Diagnostic]:
    """What is wrong with a removal of these columns, that names these dependents."""
    return list(check_named(table, [word(one) for one in columns.split()], map(word, named), "app", PLACE))


USED = users(
    Uses(
        "a",
        (
            dependent("view app.user_list", "refuses", 2),
            dependent("view app.newest", "rebuilt", 3),
            dependent("index app.users_a_idx", "vanishes"),
            dependent("function app.log_in(text)", "breaks"),
            dependent("trigger audit on app.users", "changes"),
            dependent("view other.it's", "rebuilt", 2),
        ),
        lost=("comment",),
        perhaps=4,
    ),
    Uses("b", (dependent("view app.user_list", "rebuilt"), dependent("trigger audit on app.users", "breaks"))),
)


def test_everything_that_uses_the_columns_is_named() -> None:
    """Or the removal is refused, with the block to paste: what is dropped first stands first."""
    (found,) = findings(USED, "a", "view user_list", "trigger audit")

    assert (
        text(found)
        == """\
error[E641]: "view newest" and 3 more would be left without the columns, and the removal does not say what becomes of it
 --> specs/demo/removals/users.yaml:1:10
  |
1 | removal: users
  |          ^^^^^ says nothing of it
  |
  = hint: everything that uses the columns is named:
          dependents:
            drop:
              - view newest  # rebuilt
              - view user_list  # refuses
              - 'view other.it''s'  # rebuilt
              - index users_a_idx  # vanishes
            rewrite:
              function log_in(text): sql/log_in.sql  # breaks
            keep:
              - trigger audit on users  # changes"""
    )


def test_what_is_named_is_enough() -> None:
    """Of several columns the worst effect counts; nothing is left to say."""
    named = [shown_name(name, "app") for name in used_by(USED, ["a", "b"])]

    assert findings(USED, "a b", *named) == []
    assert used_by(USED, ["a", "b"])["trigger audit on app.users"].effect == "breaks"
    assert used_by(USED, ["a", "b"])["view app.user_list"].effect == "refuses"


def test_what_does_not_use_the_columns_is_refused() -> None:
    """A misspelt name is not taken for a decision."""
    (found,) = findings(USED, "b", "view user_lost", "view user_list", "trigger audit on users")

    assert (found.code, found.message) == ("E642", '"view user_lost" does not use the columns that are removed')
    assert found.hint == 'did you mean "view user_list"?'


def test_a_table_names_what_uses_it_once_somebody_looked() -> None:
    """Under `*` stands what refuses to let the table go; before a snapshot has looked, nothing is said."""
    known = users(Uses("*", (dependent("view app.user_list", "refuses"),)))
    (found,) = findings(known, "")
    (wrong,) = findings(known, "", "view user_list", "view newest")

    assert found.message.startswith('"view user_list" would be left without the table, and')
    assert wrong.message == '"view newest" does not use the table that is removed'
    assert findings(USED, "", "view user_list") == []


def test_a_column_that_nobody_looked_for_is_refused() -> None:
    """No uses in the catalog is not the same as no uses."""
    (found,) = findings(USED, "a c")

    assert (found.code, found.message) == ("E640", 'the catalog does not say what uses column "c" of "app.users"')
    assert found.hint == "`transhume snapshot` writes the catalog anew"


def test_the_block_is_yaml() -> None:
    """Names of any kind come out of it as they went in, and name the same."""
    odd = ['view app."it\'s."', "index app.a: b", "trigger # on app.users", "function app.f(integer, text[])"]
    data = yaml.safe_load(block([dependent(name, "refuses") for name in odd], "app"))["dependents"]["drop"]

    assert [whole_name(name, "app", USERS) for name in data] == odd


def test_the_catalog_of_the_demo_says_what_uses_its_protected_column() -> None:
    """A protected column of the target is looked for in the source, where it comes from."""
    path = Path(__file__).parent.parent / "specs" / "dispatch" / "catalog" / "source.yaml"
    profile = Catalog.read(path).find("public", "dispatch_profile")

    assert profile is not None
    assert (uses := profile.uses_of("legacy_patient_id"))
    assert uses.counts() == "1 dependent"
