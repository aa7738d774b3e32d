"""A YAML file as data: every key and every value knows its place in the text."""

import re
from bisect import bisect_right
from collections.abc import ItemsView, Iterator
from dataclasses import dataclass
from typing import NoReturn, cast

from compiler.diagnostics import Diagnostic, Span, SpecError

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml counts as the end of a line
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)")
_GOES_ON = re.compile(r"(?:\\\r?\n[ \t]*)*")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


class Text(str):
    """A scalar as written. `plain`: without quotes; `start` and `stop`: characters from the start of the file."""

    __slots__ = ("plain", "start", "stop")
    plain: bool
    start: int
    stop: int

    @property
    def is_null(self) -> bool:
        """Nothing, `~` or `null`, without quotes."""
        return self.plain and self in ("", "~", "null")

    def typed(self) -> str | int | bool | None:
        """What it stands for where any scalar may stand: `12`, `true` and `null` mean themselves, `012` is a text."""
        if not self.plain:
            return str(self)
        if self in ("true", "false"):
            return self == "true"
        return None if self.is_null else int(self) if _INTEGER.fullmatch(self) else str(self)


class Map(dict[str, "Value"]):
    """A mapping in the order written; its keys are Text, so that they know their places too."""

    __slots__ = ("start", "stop")
    start: int
    stop: int

    def entries(self) -> ItemsView[Text, "Value"]:
        """Its items, with the keys as what they are; looking a key up takes any text."""
        return cast(ItemsView[Text, "Value"], self.items())


class Seq(list["Value"]):
    """A sequence."""

    __slots__ = ("start", "stop")
    start: int
    stop: int


Value = Text | Map | Seq


@dataclass(frozen=True, slots=True)
class Page:
    """A file's text and where its lines start."""

    file: str
    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, file: str, text: str) -> "Page":
        """`file` is the name shown to people and written to plans."""
        return cls(file, text, (0, *(found.end() for found in _BREAK.finditer(text))))

    def span(self, start: int, stop: int) -> Span:
        """The characters from `start` to `stop`, as far as they stand on one line."""
        start = min(start, len(self.text))
        line = bisect_right(self.starts, start) - 1
        begin = self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        text = self.text[begin:end].rstrip("\r\n\x85\u2028\u2029")
        length = min(stop, begin + len(text)) - start
        return Span(self.file, line + 1, start - begin + 1, max(length, 1), text)

    def pieces(self, value: Text) -> tuple[tuple[int, Span], ...]:
        """Where the value's characters stand, from which on; nothing where they stand at its start as they are."""
        raw = self.text[value.start : value.stop]
        if raw == value:
            return ()
        if raw[1:-1] == value:
            return ((0, self.span(value.start + 1, value.stop - 1)),)
        return tuple((offset, self.span(value.start + at, value.stop)) for offset, at in _runs(raw, value))

    def refuse(self, code: str, message: str, start: int, stop: int, label: str = "", hint: str = "") -> NoReturn:
        """Raise SpecError with one located diagnostic."""
        raise SpecError([Diagnostic(code, message, self.span(start, stop), label, hint)])


def _runs(raw: str, text: str) -> Iterator[tuple[int, int]]:
    """The runs of characters that YAML took over as they are: offset in `text`, offset in `raw`."""
    at = raw.find("\n") + 1 if raw[:1] in ("|", ">") else 1 if raw[:1] in ("'", '"') else 0
    expected = -1
    for offset, char in enumerate(text):
        escape = None
        if raw[0] == '"':
            at = _GOES_ON.match(raw, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            escape = _ESCAPE.match(raw, at)
        if escape is None and (at := raw.find(char, at)) < 0:
            return
        if at != expected:
            yield offset, at
        at = escape.end() if escape else at + 1
        expected = -1 if escape or char == "\n" else at


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: `data` is Map, Seq and Text all the way down."""

    page: Page
    data: Value

    def span(self, value: Value) -> Span:
        """Where a key or a value stands."""
        return self.page.span(value.start, value.stop)
