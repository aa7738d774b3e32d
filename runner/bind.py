"""Values in place of $1, $2 ... in a section's text: as quoted literals, and never inside quotes or comments.

One thing more: a section that is done in parts may make a table for each, transhume."..._$part".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Value = str | None | Sequence[str | None]

# PostgreSQL's tokens, as far as a $n inside them would mean something else. An identifier may hold a $. `plain` are as
# many as come one after the other in which nothing can be missed: words, numbers, signs. Letters are said by what of
# ASCII is none, for a set up to the last character takes 10 ms to compile.
_TOKEN = re.compile(
    r"""
      (?P<escape>   [eE] ' (?: [^'\\] | \\. | '' )* ' )
    | (?P<string>   ' (?: [^'] | '' )* ' )
    | (?P<name>     " (?: [^"] | "" )* " )
    | (?P<plain>    (?: (?! [eE]' ) [^\x00-@[-^`{-\x7f] [^\x00-#%-/:-@[-^`{-\x7f]*
                      | [\x00-!#%&(-,.0-@[-^`{-\x7f]+ )++ )
    | (?P<dollar>   \$ (?P<tag> (?: [^\x00-@[-^`{-\x7f] [^\x00-/:-@[-^`{-\x7f]* )? ) \$
                    .*? \$ (?P=tag) \$ )
    | (?P<line>     -- [^\n]* )
    | (?P<block>    /\* )
    | (?P<param>    \$ (?P<number> [0-9]+ ) )
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r'_\$part"\Z')
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Bound:
    """A text ready to be run, and where its parts were before: pairs of offsets, in the text and in the original."""

    text: str
    marks: tuple[tuple[int, int], ...]

    def origin(self, offset: int) -> int:
        """The offset in the original text of an offset in this one; inside a value, that of its `$`."""
        at, original = (0, 0)
        ends = [*self.marks[1:], (len(self.text) + 1, 0)]
        for mark, end in zip(self.marks, ends, strict=True):
            if mark[0] <= offset < end[0]:
                at, original = mark
        return original + max(0, offset - at)


def bind(text: str, values: Sequence[Value], part: Value = None) -> Bound:
    """Write `values[n - 1]` in place of each $n, and `part` at the end of the names of tables that are made by parts.

    Raises ValueError for a $n without a value, or a NUL character.
    """
    parts: list[str] = []
    marks = [(0, 0)]
    done = length = 0
    for start, end, number in _places(text):
        if number is None and part is None:
            continue
        written = f'_{part}"' if number is None else _value(values, number)
        parts += [text[done:start], written]
        length += start - done
        marks.append((length, start))
        length += len(written)
        marks.append((length, end))
        done = end
    parts.append(text[done:])
    return Bound("".join(parts), tuple(marks))


def parameters(text: str) -> Iterator[tuple[int, int, int]]:
    """Where each $n is: start, end, n."""
    yield from ((start, end, number) for start, end, number in _places(text) if number is not None)


def _places(text: str) -> Iterator[tuple[int, int, int | None]]:
    """Where something is to be written: start, end, and the n of a $n; None for the end of a name with the part."""
    at = 0 if "$" in text else len(text)
    while match := _TOKEN.search(text, at):
        at = match.end()
        if match["block"]:
            at = _end_of_comment(text, match.start())
        elif match["param"]:
            yield match.start(), match.end(), int(match["number"])
        elif match["name"] and (found := _PART.search(match["name"])) and text.endswith("transhume.", 0, match.start()):
            yield match.start() + found.start(), match.end(), None


def literal(value: Value) -> str:
    """A value as SQL: NULL, or a quoted text; a list as the text of an array."""
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else array(value)
    if "\0" in text:
        raise ValueError("a value with a NUL character cannot be written as SQL")
    return "'" + text.replace("'", "''") + "'"


def array(items: Sequence[str | None]) -> str:
    """The text form of a text[]."""
    return "{" + ",".join("NULL" if item is None else _element(item) for item in items) + "}"


def _element(item: str) -> str:
    return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(values: Sequence[Value], number: int) -> str:
    if not 1 <= number <= len(values):
        raise ValueError(f"${number} stands for nothing: the section binds {len(values)} values")
    return literal(values[number - 1])


def _end_of_comment(text: str, start: int) -> int:
    """The offset behind a block comment; they nest. One that does not end takes the rest."""
    depth, at = 0, start
    while edge := _COMMENT_EDGE.search(text, at):
        at = edge.end()
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return at
    return len(text)
