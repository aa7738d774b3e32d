"""How findings look: on a terminal, whatever characters are in the line, and how they are put in order."""

import pytest

from compiler.diagnostics import Diagnostic, Span, closest, did_you_mean, in_order, summary, text


def test_the_form_of_an_error() -> None:
    """The code, one sentence, the exact characters, what to do."""
    line = "      email: {type: text, from: lower(trim(emial))}"
    span = Span("specs/dispatch/tables/profiles.yaml", 9, 44, 5, line)
    found = Diagnostic("E303", 'column "emial" does not exist', span, "unknown column", 'did you mean "email"?')

    assert text(found) == (
        'error[E303]: column "emial" does not exist\n'
        " --> specs/dispatch/tables/profiles.yaml:9:44\n"
        "  |\n"
        "9 |       email: {type: text, from: lower(trim(emial))}\n"
        "  |                                            ^^^^^ unknown column\n"
        "  |\n"
        '  = hint: did you mean "email"?'
    )


def test_without_a_place_there_is_no_place() -> None:
    """Nothing is better than 1:1; several lines of a hint stand below each other."""
    found = Diagnostic("W301", "there is no catalog", None, "", "first\nsecond")

    assert text(found) == "warning[W301]: there is no catalog\n = hint: first\n         second"


def test_another_folder_is_named_from_here() -> None:
    """The root leads from where people are to the file."""
    found = Diagnostic("E101", "x", Span("specs/a/project.yaml", 12, 1, 1, "y"), "here")

    assert text(found, "../other/").splitlines()[1:] == [
        "  --> ../other/specs/a/project.yaml:12:1",
        "   |",
        "12 | y",
        "   | ^ here",
    ]


@pytest.mark.parametrize(
    "line, column, length, shown, caret",
    [
        ("abc", 2, 1, "abc", " ^"),
        ("漢字: x", 5, 1, "漢字: x", "      ^"),
        ("漢字", 1, 2, "漢字", "^^^^"),
        ("n\u0303: x", 5, 1, "n\u0303: x", "   ^"),
        ("\tx", 2, 1, "    x", "    ^"),
        ("a\x1b[31mb", 3, 1, "a\N{REPLACEMENT CHARACTER}[31mb", "  ^"),
        ("a\u202eb", 3, 1, "a\N{REPLACEMENT CHARACTER}b", "  ^"),
        ("abc", 4, 1, "abc", "   ^"),
        ("x" * 150 + "here" + "y" * 150, 151, 4, "…" + "x" * 25 + "here" + "y" * 71 + "…", " " * 26 + "^^^^"),
        ("here" + "y" * 150, 1, 4, "here" + "y" * 96 + "…", "^^^^"),
        ("x" * 150 + "here", 151, 4, "…" + "x" * 96 + "here", " " * 97 + "^^^^"),
    ],
)
def test_the_caret_stands_below_its_characters(line: str, column: int, length: int, shown: str, caret: str) -> None:
    """Wide letters take two columns, combining ones none; control characters do nothing; long lines are cut."""
    lines = text(Diagnostic("E101", "x", Span("f", 1, column, length, line))).splitlines()

    assert lines[3:] == [f"1 | {shown}", f"  | {caret}"]


def test_messages_hold_no_control_characters() -> None:
    """What is quoted from a file cannot move the cursor or add lines."""
    assert text(Diagnostic("E101", "a\x1b[2Jb\nc")) == "error[E101]: a\N{REPLACEMENT CHARACTER}[2Jb c"


def test_findings_are_in_the_order_of_the_files() -> None:
    """By file, line and column, each once; those without a place first."""
    late, early, other = (Diagnostic("E1", "x", Span(f, line, 1, 1)) for f, line in (("a", 10), ("a", 9), ("b", 1)))
    nowhere = Diagnostic("E9", "x")

    assert in_order([other, late, early, nowhere, late]) == [nowhere, early, late, other]


@pytest.mark.parametrize(
    "codes, words",
    [
        ([], "no errors"),
        (["E1"], "1 error"),
        (["E1", "E1", "W1"], "2 errors, 1 warning"),
        (["W1", "W2"], "2 warnings"),
    ],
)
def test_the_summary_counts(codes: list[str], words: str) -> None:
    """Errors, then warnings."""
    assert summary([Diagnostic(code, "x") for code in codes]) == words


def test_close_words_are_offered() -> None:
    """Another case first, then what is spelled alike, else nothing."""
    assert closest("EMAIL", ["emails", "email"]) == "email"
    assert did_you_mean("emial", ["name", "email"]) == 'did you mean "email"?'
    assert did_you_mean("zip", ["name", "email"]) == ""
