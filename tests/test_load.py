"""Loading YAML: never anything but a Document or a SpecError; every value stands where its span says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from compiler.diagnostics import SpecError
from compiler.document import Document, Map, Seq, Text, Value
from compiler.load import MAX_BYTES, load, parse
from compiler.spec import Word

# what YAML is made of, so that arbitrary texts get further than the first line
YAMLISH = st.text(st.sampled_from("ab0: -[]{}&*!|>'\"\n\r\t#,?%@`\\~<=.é漢\x85\u2028\ufeff\0")) | st.text()
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), max_size=30)
LINES = st.lists(WORDS, max_size=3).map("\n".join)
DATA = st.recursive(LINES, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner), max_leaves=8)


def values(value: Value) -> Iterator[Value]:
    """The value and all that is in it, keys too."""
    yield value
    if isinstance(value, Map):
        for key, item in value.entries():
            yield key
            yield from values(item)
    elif isinstance(value, Seq):
        for item in value:
            yield from values(item)


@given(YAMLISH.map(str.encode) | st.binary())
@example(b"[" * 100_000)
@example(b"a: " * 2_000)
@example(b"- " * 100_000)
@example(b"&a [*a]")
@example(b"{a: *b}")
@example(b"? [a]\n: b")
@example(b"a: !!python/name:os.system x")
@example(b"a\n---\nb\n...\n---\nc")
@example(b"\xef\xbb\xbfa: b")
@example(b"a: |\n  \tb\n\tc")
@example(b"--- !x\na: b")
@example(b"%YAML 9.9\n---\na: b")
@example(b"\xff\xfea\x00")
@example(b"a: \xed\xa0\x80")
def test_whatever_is_in_a_file_is_loaded_or_refused(raw: bytes) -> None:
    """Arbitrary bytes give a document or a SpecError with a place, never another exception."""
    try:
        document = parse(raw, "x.yaml")
    except SpecError as error:
        (diagnostic,) = error.diagnostics
        assert diagnostic.is_error
        assert diagnostic.span is not None
        assert 1 <= diagnostic.span.column <= len(diagnostic.span.text) + 1
    else:
        assert all(isinstance(value, Text | Map | Seq) for value in values(document.data))


def plain(value: Value) -> object:
    """The data without places."""
    if isinstance(value, Map):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, Seq) else str(value)


@given(DATA, st.sampled_from([None, True, False]), st.sampled_from([None, "'", '"', "|", ">"]), st.booleans())
def test_values_stand_where_their_spans_say(data: object, flow: bool | None, style: str | None, unicode: bool) -> None:
    """Whatever is dumped, in whatever style, reads back as texts; each character is where it is said to be."""
    text = yaml.dump(data, default_flow_style=flow, default_style=style, allow_unicode=unicode, width=20)
    document = parse(text.encode(), "x.yaml")

    assert plain(document.data) == yaml.load(text, yaml.CBaseLoader)
    for value in values(document.data):
        span = document.span(value)
        assert document.page.text.split("\n")[span.line - 1] == span.text
        if isinstance(value, Text):
            assert_characters(document, value)


def assert_characters(document: Document, value: Text) -> None:
    """Each letter of the value that is not escaped stands at the place that a word gives for it."""
    raw = document.page.text[value.start : value.stop]
    if yaml.load(raw, yaml.CBaseLoader) == value and "\n" not in raw:
        assert value.plain == (raw[:1] not in ("'", '"', "|", ">")) or raw == ""
    word = Word(str(value), document.span(value), document.page.pieces(value))
    for offset, char in enumerate(value):
        if char.isascii() and char.isalnum():
            span = word.at(offset)
            assert span.text[span.column - 1 : span.column - 1 + span.length] == char


@pytest.mark.parametrize(
    "text",
    [
        "sql: coalesce(s.fee, s.fees)",
        "sql: 'coalesce(s.fee, s.fees)'",
        'sql: "coalesce(s.fee, s.fees)"',
        "sql: 'it''s coalesce(s.fee, s.fees)'",
        'sql: "\\"\\u00e9\\" \\\n   coalesce(s.fee, s.fees)"',
        "sql: |\n  coalesce(s.fee,\n    s.fees)\n",
        "sql: >2-\n\n  coalesce(s.fee,\n  s.fees)\n",
        "sql: coalesce(s.fee,\n  s.fees)\n",
        "sql: |\r\n  coalesce(s.fee,\r\n    s.fees)\r\n",
    ],
)
def test_a_word_inside_an_expression_is_found(text: str) -> None:
    """`s.fees` is pointed at where it stands, however the expression is written."""
    document = parse(text.encode(), "x.yaml")
    assert isinstance(document.data, Map)
    value = document.data["sql"]
    assert isinstance(value, Text)
    word = Word(str(value), document.span(value), document.page.pieces(value))

    span = word.at(word.text.index("s.fees"), 6)

    assert span.text[span.column - 1 : span.column - 1 + span.length] == "s.fees"
    assert span.line == 1 + document.page.text[: document.page.text.index("s.fees")].count("\n")


@pytest.mark.parametrize(
    "text, typed",
    [
        ("12", 12),
        ("-3", -3),
        ("012", "012"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12:30:45", "12:30:45"),
        ("2025-01", "2025-01"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("true", True),
        ("True", "True"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("'true'", "true"),
        ('"null"', "null"),
        ("9999999999999999999999", "9999999999999999999999"),
    ],
)
def test_scalars_mean_what_they_say(text: str, typed: object) -> None:
    """Only whole numbers, true, false and null without quotes are something else than texts."""
    document = parse(f"a: {text}".encode(), "x.yaml")
    assert isinstance(document.data, Map)
    value = document.data["a"]
    assert isinstance(value, Text)

    assert (value.typed(), type(value.typed())) == (typed, type(typed))


def test_aliases_that_end_are_taken() -> None:
    """An anchor is a convenience; what it stands for is simply there twice."""
    document = parse(b"a: &x {b: c}\nd: *x\n", "x.yaml")

    assert plain(document.data) == {"a": {"b": "c"}, "d": {"b": "c"}}


def test_a_byte_order_mark_and_windows_line_ends_do_not_count() -> None:
    """Files from a Windows editor have the same places as any other."""
    document = parse(b"\xef\xbb\xbfa: b\r\nc: d\r\n", "x.yaml")

    assert isinstance(document.data, Map)
    span = document.span(document.data["c"])
    assert (span.line, span.column, span.length, span.text) == (2, 4, 1, "c: d")


def test_tabs_in_texts_and_comments_are_no_harm() -> None:
    """A query may be indented with tabs inside a block, and a comment may hold what it likes."""
    document = parse(b"a: |\n  select\n  \t1\nb: 'x\t'\n# \tc\n", "x.yaml")

    assert plain(document.data) == {"a": "select\n\t1\n", "b": "x\t"}


def test_a_huge_file_is_refused_before_it_is_read_as_yaml(tmp_path: Path) -> None:
    """A dump that went into the wrong folder is named, not parsed."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a" * (MAX_BYTES + 1))

    with pytest.raises(SpecError) as raised:
        load(path, "x.yaml")

    (found,) = raised.value.diagnostics
    assert (found.code, found.message) == ("E103", '"x.yaml" is larger than 1,000 kB')


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The system's reason is said."""
    with pytest.raises(SpecError) as raised:
        load(tmp_path / "x.yaml", "x.yaml")

    (found,) = raised.value.diagnostics
    assert (found.code, found.message) == ("E101", 'cannot read "x.yaml": no such file or directory')
