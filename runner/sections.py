"""A step's file as the runner sees it: its header and its sections, each with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runner.bind import parameters
from runner.errors import Place, Refused

Side = Literal["source", "target"]

MARKER = "-- transhume:"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = r"[a-z][a-z_]*(?:\.[0-9]+)?"
_HEAD = re.compile(
    rf"-- transhume: (?P<name>[a-z_]+)(?: of (?P<of>{_QUOTED}))? on (?P<side>source|target)"
    rf"(?: binds(?P<binds>(?: (?:nulled\.{_QUOTED}|{_NAME}))+))?(?: -- .*)?"
)
_BIND = re.compile(rf"nulled\.{_QUOTED}|{_NAME}")


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `of` what it is about, `binds` what $1, $2 ... stand for, `line` that of its first line of SQL."""

    name: str
    of: str
    side: Side
    binds: tuple[str, ...]
    text: str
    file: str
    line: int

    def place(self, offset: int | None = None) -> Place:
        """The place of a character of `text`; without an offset, that of the section's first statement."""
        if offset is None:
            skipped = len(self.text) - len(self.text.lstrip())
            return Place(self.file, self.line + self.text.count("\n", 0, skipped))
        before = self.text[:offset]
        return Place(self.file, self.line + before.count("\n"), offset - (before.rfind("\n") + 1) + 1)

    @property
    def title(self) -> str:
        """How people call it: build of "orders_pkey"."""
        return f'{self.name} of "{self.of}"' if self.of else self.name


@dataclass(frozen=True, slots=True)
class StepFile:
    """The sections of one file, in order, under its header."""

    file: str
    header: str
    sections: tuple[Section, ...]

    def all(self, name: str, side: Side | None = None) -> tuple[Section, ...]:
        """Every section of that name, in the file's order."""
        return tuple(s for s in self.sections if s.name == name and side in (None, s.side))

    def find(self, name: str, side: Side | None = None, of: str | None = None) -> Section | None:
        """The first section of that name, or None."""
        return next((s for s in self.all(name, side) if of in (None, s.of)), None)

    @property
    def width(self) -> int:
        """How many columns page through what the step reads; 0: nothing does."""
        bound = self.find("bound")
        return 0 if bound is None else sum(name.startswith("after.") for name in bound.binds)

    def need(self, name: str, side: Side | None = None, of: str | None = None) -> Section:
        """The section of that name; a plan without it is refused."""
        if (section := self.find(name, side, of)) is None:
            where = f" on {side}" if side else ""
            raise Refused(f'section "{name}"{where} is missing', "compile the plan again", place=Place(self.file, 1))
        return section


def split(text: str, file: str) -> StepFile:
    """Split a file at its marker lines. Raises Refused for a marker that cannot be read, or a $n that is not bound."""
    lines = text.splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith(MARKER)]
    header = "".join(lines[: starts[0] if starts else len(lines)])
    ends = [*starts[1:], len(lines)]
    sections = tuple(_section(lines, start, end, file) for start, end in zip(starts, ends, strict=True))
    return StepFile(file, header, sections)


def _section(lines: list[str], start: int, end: int, file: str) -> Section:
    head = _HEAD.fullmatch(lines[start].rstrip())
    if head is None:
        hint = 'a marker reads: -- transhume: NAME [of "object"] on source|target [binds NAME ...] [-- prose]'
        raise Refused("this section marker cannot be read", hint, place=Place(file, start + 1))
    side: Side = "source" if head["side"] == "source" else "target"
    binds = tuple(_BIND.findall(head["binds"] or ""))
    section = Section(
        head["name"], json.loads(head["of"]) if head["of"] else "", side, binds, "".join(lines[start + 1 : end]), file,
        start + 2,
    )  # fmt: skip
    for offset, number in _unbound(section):
        raise Refused(f"${number} stands for nothing here", "the section's marker says what is bound",
                      place=section.place(offset))  # fmt: skip
    return section


def _unbound(section: Section) -> Iterator[tuple[int, int]]:
    for start, _, number in parameters(section.text):
        if not 1 <= number <= len(section.binds):
            yield start, number
