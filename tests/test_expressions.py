"""One checked expression: what it becomes, and each way in which it is refused, with the place of the mistake."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.expressions import Scalar, Scope, scalar
from compiler.spec import Word
from compiler.types import TypeName, read_type

NOT_LISTED = "is no function of PostgreSQL that may be called here"
LINE = '  email: {sql: "'
TYPES = {
    "id": "integer",
    "email": "text",
    "name": "character varying(40)",
    "order": "text",
    "user": "text",
    "Created At": "timestamp without time zone",
    "total": "numeric(12,2)",
    "tags": "text[]",
    "meta": "jsonb",
    "on": "boolean",
    "born": "date",
}
COLUMNS: dict[str, TypeName | None] = {name: read_type(type) for name, type in TYPES.items()}
SCOPE = Scope('source "auth_user"', COLUMNS, "s", 15)


def word(text: str) -> Word:
    """The text as it would stand in a spec, in double quotes."""
    span = Span("profiles.yaml", 9, len(LINE), len(text) + 2, f'{LINE}{text}", type: text}}')
    return Word(text, span, ((0, Span(span.file, span.line, span.column + 1, len(text), span.text)),))


def made(text: str, scope: Scope = SCOPE) -> Scalar:
    """The checked expression."""
    return scalar(word(text), scope)


def refused(text: str, scope: Scope = SCOPE) -> tuple[Diagnostic, str]:
    """The one finding, and the characters that it points at."""
    with pytest.raises(SpecError) as caught:
        made(text, scope)
    (found,) = caught.value.diagnostics
    assert found.span is not None
    return found, found.span.text[found.span.column - 1 : found.span.column - 1 + found.span.length]


@pytest.mark.parametrize(
    "text, sql",
    [
        ("email", "s.email"),
        ("s.email", "s.email"),
        ("S.EMAIL", "s.email"),
        ("lower(trim(email))", "lower(trim(s.email))"),
        ('"Created At"', 's."Created At"'),
        ('s."order"', 's."order"'),
        ("user", 's."user"'),  # the column, not the function that has no parentheses
        ("coalesce(email,  name) -- why", "coalesce(s.email, s.name)"),
        ("/* a */email/* b */|| name/* c */", "s.email || s.name"),
        ("email\n  || name", "s.email || s.name"),
        ("email || 'email''s; -- not a comment'", "s.email || 'email''s; -- not a comment'"),
        ("extract(epoch from \"Created At\")", 'extract(epoch from s."Created At")'),
        ("meta ->> 'email'", "s.meta ->> 'email'"),
        ("meta ? 'email'", "s.meta ? 'email'"),
        ("email ~ '^a'", "s.email ~ '^a'"),
        ("make_interval(days => id)", "make_interval(days => s.id)"),
        ('email COLLATE "C"', 's.email COLLATE "C"'),
        ("total::numeric(10,2)", "s.total::numeric(10,2)"),
        ("tags[1]", "s.tags[1]"),
        ("app.slug(email)", "app.slug(s.email)"),
        ("id::app.\"Mood\"", 's.id::app."Mood"'),
        ("CASE WHEN s.on THEN email END", 'CASE WHEN s."on" THEN s.email END'),
        ("(id, name) IN ((1, 'a'))", "(s.id, s.name) IN ((1, 'a'))"),
        ("born::timestamp with time zone", "s.born::timestamp with time zone"),
    ],
)  # fmt: skip
def test_columns_are_qualified_and_the_rest_stays(text: str, sql: str) -> None:
    """The author's own text, with every column under its row's name, and without comments."""
    assert made(text).sql == sql


@pytest.mark.parametrize(
    "text, code, at, message",
    [
        ("lower(trim(emial))", "E311", "emial", 'column "emial" does not exist in source "auth_user"'),
        ("x.email", "E311", "x.email", 'nothing is called "x" here: the row is called "s"'),
        ("to_jsonb(s)", "E311", "s", '"s" is the whole row, and this should be one value'),
        ("(s.meta).street", "E504", "s.meta", '"meta" travels as text, which has no fields'),
        ("xmin", "E319", "xmin", '"xmin" is a system column: it does not travel'),
        ("email;", "E402", ";", "there is a semicolon, and this should be one expression"),
        ("1; drop table t", "E402", ";", "there is a semicolon, and this should be one expression"),
        ("drop table t", "E402", "drop", '"drop" begins a statement, and this should be one expression'),
        ("email, name", "E401", ",", "this is not one expression that PostgreSQL can read"),
        ("email text", "E401", "text", "this is not one expression that PostgreSQL can read"),
        ("email ||", "E401", "||", "this is not one expression that PostgreSQL can read"),
        ("email == name", "E401", "==", "this is not one expression that PostgreSQL can read"),
        ("'email", "E401", '"\'email"', "this is not one expression that PostgreSQL can read"),
        ("(select 1)", "E403", "select", "an expression holds no query"),
        ("exists (select 1)", "E403", "select", "an expression holds no query"),
        ("(values (1))", "E403", "values", "an expression holds no query"),
        ("id + $1", "E404", "$", "there are no parameters here"),
        (":email", "E404", ":", "there are no parameters here"),
        ("%s", "E404", "%", "there are no parameters here"),
        ("max(total)", "E405", "max", "max() adds up rows, and this is one row"),
        ("row_number() over ()", "E405", "row_number", "row_number() looks at other rows, and this is one row"),
        ("unnest(tags)", "E405", "unnest", "unnest() gives several rows, and this is one value"),
        ("lowr(email)", "E406", "lowr", f'"lowr" {NOT_LISTED}'),
        ("pg_sleep(1)", "E406", "pg_sleep", f'"pg_sleep" {NOT_LISTED}'),
        ("pg_catalog.set_config('a', 'b', true)", "E406", "set_config", f'"set_config" {NOT_LISTED}'),
        ("query_to_xml('delete from t', true, true, '')", "E406", "query_to_xml", f'"query_to_xml" {NOT_LISTED}'),
        ("id::mood", "E407", "mood", 'type "mood" is none of PostgreSQL\'s own'),
        ("'-- transhume: load'", "E408", "-- transhume:", "a text that marks a section of a plan cannot stand in one"),
        ("$$email$$", "E408", "$$email$$", "a plan quotes text with single quotes only"),
        ("uuidv7()", "E409", "uuidv7", "uuidv7() is there since PostgreSQL 18, and this runs on 15"),
        ("s.*", "E402", "*", "a * names every column, and this should be one value"),
        ("(id, name)", "E402", '"(id, name)"', "these are several values, and this should be one expression"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused_at_the_character(text: str, code: str, at: str, message: str) -> None:
    """Code, message, and the very characters."""
    found, characters = refused(text)
    assert (found.code, found.message, characters) == (code, message, at)


@pytest.mark.parametrize(
    "text, hint",
    [
        ("emial", 'did you mean "email"?'),
        ("createdat", 'did you mean "Created At", in double quotes?'),
        ("Oder", 'did you mean "order", in double quotes?'),
        ("nvl(email, name)", "PostgreSQL has coalesce()"),
        ("slug(email)", 'write the schema of a function of your own: "app.slug(...)"'),
        ("id::mood", 'write its schema: "app.mood"'),
    ],
)
def test_a_hint_says_what_to_write(text: str, hint: str) -> None:
    """The nearest name, in quotes where it needs them; the function that PostgreSQL has instead."""
    assert refused(text)[0].hint == hint


def test_every_unknown_column_is_told() -> None:
    """Not only the first."""
    with pytest.raises(SpecError) as caught:
        made("emial || nmae")
    assert [found.message.split('"')[1] for found in caught.value.diagnostics] == ["emial", "nmae"]


def test_the_caret_finds_its_line() -> None:
    """In a text of several lines, each with a place of its own."""
    first, second = Span("a.yaml", 3, 5, 9, "    coalesce("), Span("a.yaml", 4, 7, 6, "      s.emial)")
    with pytest.raises(SpecError) as caught:
        scalar(Word("coalesce(\ns.emial)", first, ((0, first), (10, second))), SCOPE)
    (found,) = caught.value.diagnostics
    assert found.span == Span("a.yaml", 4, 9, 5, "      s.emial)")


@pytest.mark.parametrize(
    "text, what",
    [
        ("now()", "now()"),
        ("current_date - born", "current_date"),
        ("gen_random_uuid()", "gen_random_uuid()"),
        ("session_user", "session_user"),
    ],
)
def test_what_changes_from_run_to_run_is_told(text: str, what: str) -> None:
    """A clock, chance, or who asks."""
    assert [name for name, _ in made(text).session] == [what]


def test_what_is_somebodys_own_is_told() -> None:
    """Functions and types under a schema need not be in both databases."""
    assert made("app.slug(email) || id::app.mood::text").foreign == ("app.slug()", "app.mood")
    assert made("pg_catalog.lower(email)").foreign == ()


@pytest.mark.parametrize(
    "text, total",
    [
        ("coalesce(nullif(lower(trim(email)), ''), name)", True),
        ("case when email = 'x' then name else '' end", True),
        ("email || name", True),
        ("email::integer", False),
        ("1 / id", False),
        ("tags || tags", False),
        ("app.slug(email)", False),
    ],
)
def test_only_what_cannot_raise_may_guard(text: str, total: bool) -> None:
    """A guard that raises would stop a chunk that it should clean."""
    assert made(text).total is total


@pytest.mark.parametrize("text", ["email", "lower(email)", "(email || name)", "'x'", "app.slug(email)"])
def test_atoms_stay_bare(text: str) -> None:
    """What is one operand needs no parentheses around it."""
    found = made(text)
    assert found.atom == found.sql


@pytest.mark.parametrize("text", ["email || name", "(email) || (name)", "-id", "case when true then 1 end", "id::text"])
def test_the_rest_gets_parentheses(text: str) -> None:
    """An operator or a cast behind it takes all of it."""
    found = made(text)
    assert found.atom == f"({found.sql})"


def test_without_a_row_columns_are_bare() -> None:
    """Checks and predicates of indexes stand in the table itself."""
    scope = Scope('target table "orders"', COLUMNS, "", 15)
    assert made("total >= 0 AND \"order\" <> ''", scope).sql == "total >= 0 AND \"order\" <> ''"
    assert refused("s.total >= 0", scope)[0].message == 'nothing is called "s" here: columns have no prefix here'


FRAGMENTS = [
    *("s", ".", "email", '"Created At"', "(", ")", ",", ";", "+", "-", "||", "::", "integer", "text[]", "as", "case"),
    *(
        "when",
        "then",
        "end",
        "and",
        "not",
        "in",
        "is",
        "null",
        "'x'",
        "E'\\n'",
        "$1",
        "$$a$$",
        "?",
        "->>",
        "==",
        "cast(",
    ),
    *("lower(", "extract(", "trim(both", "from", "select", "with", "values", "array[", "]", "interval", "distinct"),
    *("count(*)", "over (", "any(", "row(", "{a}", "`", "@", "~", "\\", '"open', "'open", "/* c */", "-- c\n", "1e5"),
    *("*", "é", "\t", "union", "lateral", "unnest(", "collate", "operator(+)", "=>", "now()", "all(", "using"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=12).map(" ".join))
def test_whatever_is_written_is_taken_or_refused(text: str) -> None:
    """Nothing that stands in a spec ends in a traceback, and what is taken keeps its tokens."""
    with contextlib.suppress(SpecError):
        found = made(text)
        assert made(found.sql).sql == found.sql


@pytest.mark.parametrize(
    "text", ["(" * 3000 + "id" + ")" * 3000, "lower(" * 3000 + "email" + ")" * 3000, "not " * 3000]
)
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    """By a sentence."""
    assert refused(text)[0].message in (
        "this is nested too deep",
        "this is not one expression that PostgreSQL can read",
    )
