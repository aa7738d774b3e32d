"""Names with dots, as specs and plans have them."""

from __future__ import annotations

import re

_PART = re.compile(r'"((?:[^"]|"")*)"(?=\.|$)|([^.]*)')


def split(text: str) -> tuple[str, ...]:
    """The parts of a dotted name; a part in double quotes may hold dots, and quotes doubled."""
    parts, at = [], 0
    while at <= len(text):
        found = _PART.match(text, at)
        assert found is not None  # the second branch matches anything, even nothing
        parts.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end() + 1
    return tuple(parts)
