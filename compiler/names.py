"""Names of relations as people write them: `orders`, `billing.orders`, `"odd.name"`; verbatim, case kept."""

import re
from dataclasses import dataclass

_PART = re.compile(r'"((?:[^"]|"")*)"(?=\.|$)|([^.]*)')


@dataclass(frozen=True, slots=True)
class Name:
    """A relation or type: schema and name, as stored."""

    schema: str
    name: str

    def __str__(self) -> str:
        return join((self.schema, self.name))


def split(text: str) -> tuple[str, ...]:
    """The parts of a dotted name; a part in double quotes may hold dots, and quotes doubled. Never empty."""
    parts, at = [], 0
    while True:
        found = _PART.match(text, at)
        assert found is not None  # the second branch matches anything, even nothing
        parts.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end() + 1
        if at > len(text):
            return tuple(parts)


def join(parts: tuple[str, ...]) -> str:
    """The text that `split` takes apart again: a part is quoted where it holds a dot or a double quote."""
    return ".".join('"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part for part in parts)


def qualify(text: str, schema: str) -> Name:
    """`text` as a name in its own schema, or in `schema` where it names none.

    Raises ValueError where there are more than two parts, or an empty one.
    """
    parts = split(text)
    if len(parts) > 2 or not all(parts):
        raise ValueError(text)
    return Name(parts[0], parts[1]) if len(parts) == 2 else Name(schema, parts[0])
