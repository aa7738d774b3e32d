"""Places in spec files, what is wrong there, and how it looks on a terminal."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 100  # columns of a source line that are shown
MOST_KNOWN = 12  # words in a hint


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a file; `text` is the whole line.

    `line` and `column` count from 1, `length` in characters.
    """

    file: str
    line: int
    column: int
    length: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a code (E... error, W... warning), one sentence, the exact characters, what to do.

    `hint` may have several lines.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    hint: str = ""

    @property
    def is_error(self) -> bool:
        """False for a warning, which is shown and does not stop the plan."""
        return self.code.startswith("E")

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "error" if self.is_error else "warning"


class SpecError(Exception):
    """The specs cannot be compiled; `diagnostics` says why, warnings among them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(f"{len(diagnostics)} diagnostics")
        self.diagnostics = tuple(diagnostics)


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` may have been meant to be, or ""."""
    words = list(dict.fromkeys(known))
    same = [other for other in words if other.casefold() == word.casefold()]
    return next(iter(same or difflib.get_close_matches(word, words, n=1)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the known word that is closest, or "" where none is close."""
    close = closest(word, known)
    return f'did you mean "{close}"?' if close else ""


def known_here(word: str, known: Iterable[str], most: int = MOST_KNOWN) -> str:
    """A hint with the known word that is closest, else with the first of those known; "" where none is."""
    words = list(dict.fromkeys(known))
    if close := did_you_mean(word, words):
        return close
    if not words:
        return ""
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return f"known here: {', '.join(words[:most])}{more}"


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each once, by file and place; those without a place first."""
    return sorted(dict.fromkeys(diagnostics), key=_place)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    span = diagnostic.span or Span("", 0, 0, 0)
    return span.file, span.line, span.column, diagnostic.code, diagnostic.message


def text(diagnostic: Diagnostic, root: str = "") -> str:
    """The finding as people read it, without a line end; `root` leads from where they are to the files."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {_printable(diagnostic.message)}"]
    if span := diagnostic.span:
        margin = " " * len(str(span.line))
        lines.append(f"{margin}--> {root}{span.file}:{span.line}:{span.column}")
        if span.text:
            source, caret = _excerpt(span)
            lines += [f"{margin} |", f"{span.line} | {source}".rstrip()]
            lines.append(f"{margin} | {caret} {_printable(diagnostic.label)}".rstrip())
        if diagnostic.hint:
            lines.append(f"{margin} |")
    if diagnostic.hint:
        margin = f"{' ' * len(str(span.line)) if span else ''} = hint: "
        first, *others = diagnostic.hint.splitlines()
        lines += [margin + _printable(first), *(" " * len(margin) + _printable(other) for other in others)]
    return "\n".join(lines)


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    counts = {"error": errors, "warning": len(diagnostics) - errors}
    return ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for word, n in counts.items() if n) or "no errors"


def _excerpt(span: Span) -> tuple[str, str]:
    """The line, cut to WIDTH around the stretch where it is longer, and the carets below it."""
    first, last = span.column - 1, span.column - 1 + max(span.length, 1)
    start = max(0, min(first - WIDTH // 4, len(span.text) - WIDTH)) if len(span.text) > WIDTH else 0
    stop = min(len(span.text), start + WIDTH)
    before, after = "…" if start else "", "…" if stop < len(span.text) else ""
    shown = [_shown(char) for char in span.text[start:stop]]
    indent = _width(before + "".join(shown[: first - start]))
    carets = _width("".join(shown[first - start : last - start]))
    return before + "".join(shown) + after, " " * indent + "^" * max(carets, 1)


def _shown(char: str) -> str:
    """A character that takes its place on a terminal and does nothing else there."""
    if char == "\t":
        return "    "
    return char if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else "\N{REPLACEMENT CHARACTER}"


def _printable(message: str) -> str:
    return "".join(map(_shown, message.replace("\n", " ")))


def _width(shown: str) -> int:
    """How many columns a terminal gives to it: wide letters have two, combining ones none."""
    return sum(
        0 if unicodedata.category(char) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in shown
    )
