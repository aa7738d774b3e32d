"""The shapes that a catalog's entries are made of, each taken or refused with its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from compiler.diagnostics import Diagnostic, SpecError
from compiler.document import Map, Page, Seq, Text, Value
from compiler.names import Name, split

HINT = "write it anew with `transhume snapshot`"

T = TypeVar("T")


@dataclass(frozen=True)
class Entries:
    """Takes values out of mappings of the file `page`. Every method raises SpecError for what does not belong there."""

    page: Page

    def refuse(self, value: Value, message: str) -> NoReturn:
        """Say that the entry is not one."""
        self.page.refuse("E302", message, value.start, value.stop, "", HINT)

    def map(self, value: Value | None, known: frozenset[str] | None = None) -> Map:
        """A mapping, with no other keys than those known; nothing is an empty one."""
        if value is None:
            return Map()
        if not isinstance(value, Map):
            self.refuse(value, "keys and values belong here")
        if known is not None:
            self.known(value, known)
        return value

    def known(self, entry: Map, keys: frozenset[str]) -> None:
        """Refuse keys that are not known."""
        if not keys.issuperset(entry):
            key = next(key for key, _ in entry.entries() if key not in keys)
            self.refuse(key, f'"{key}" is not part of a catalog')

    def value(self, entry: Map, key: str) -> Value:
        """What stands at a key that must be there."""
        if key not in entry:
            self.refuse(next(iter(entry.values()), entry), f'"{key}" is missing in this entry of the catalog')
        return entry[key]

    def text(self, entry: Map, key: str, default: str | None = None) -> str:
        """A text."""
        if default is not None and key not in entry:
            return default
        return str(self.written(self.value(entry, key), f'"{key}" is a text'))

    def written(self, value: Value, message: str) -> Text:
        """A text that a snapshot writes as one: what YAML takes for something else it puts in quotes."""
        if not isinstance(value, Text) or not isinstance(value.typed(), str):
            self.refuse(value, message if not isinstance(value, Text) else f"{message}: it stands in quotes")
        return value

    def optional(self, entry: Map, key: str) -> str | None:
        """A text that may be missing."""
        return self.text(entry, key) if key in entry else None

    def integer(self, entry: Map, key: str, default: int | None = None) -> int:
        """A whole number."""
        if default is not None and key not in entry:
            return default
        value = self.value(entry, key)
        number = value.typed() if isinstance(value, Text) else None
        if not isinstance(number, int):
            self.refuse(value, f'"{key}" is a whole number')
        return number

    def flag(self, entry: Map, key: str, default: bool) -> bool:
        """true or false."""
        if key not in entry:
            return default
        value = self.value(entry, key)
        if value not in ("true", "false"):
            self.refuse(value, f'"{key}" is true or false')
        return value == "true"

    def one_of(self, entry: Map, key: str, allowed: tuple[str, ...]) -> str:
        """One of a few words."""
        text = self.text(entry, key)
        if text not in allowed:
            self.refuse(self.value(entry, key), f'"{key}" is one of: {", ".join(allowed)}')
        return text

    def only(self, key: Text, entry: Map, kinds: tuple[str, ...]) -> str:
        """The one of several keys that the entry has."""
        found = [kind for kind in kinds if kind in entry]
        if len(found) != 1:
            self.refuse(key, f'"{key}" has one of: {", ".join(kinds)}')
        return found[0]

    def items(self, entry: Map, key: str) -> Iterator[Text]:
        """The texts of a list."""
        if key not in entry:
            return
        value = self.value(entry, key)
        if not isinstance(value, Seq):
            self.refuse(value, f'"{key}" is a list')
        for item in value:
            yield self.written(item, f'"{key}" is a list of texts')

    def texts(self, entry: Map, key: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(str(item) for item in self.items(entry, key))

    def names(self, entry: Map, key: str) -> tuple[Name, ...]:
        """A list of names of relations."""
        return tuple(self.name(item) for item in self.items(entry, key))

    def pairs(self, entry: Map, key: str) -> Iterator[tuple[str, Text]]:
        """A mapping of names to texts, in the file's order."""
        for name, value in self.map(entry.get(key)).entries():
            yield str(name), self.written(value, f'"{key}" holds texts')

    def each(self, entry: Map, key: str, make: Callable[[Text, Map], T]) -> tuple[T, ...]:
        """Every entry of a map, read by `make`; the findings of all of them together."""
        if key not in entry:
            return ()
        made: list[T] = []
        found: list[Diagnostic] = []
        for name, value in self.map(self.value(entry, key)).entries():
            try:
                made.append(make(name, self.map(value)))
            except SpecError as error:
                found.extend(error.diagnostics)
        if found:
            raise SpecError(found)
        return tuple(made)

    def name(self, text: Text) -> Name:
        """The name of a relation, with its schema."""
        parts = split(text)
        if len(parts) != 2 or not all(parts):
            self.refuse(text, f'"{text}" is not the name of a schema and, after a dot, of a relation or type')
        return Name(*parts)
