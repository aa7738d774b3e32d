"""What the readers of specs share: from a place in a document that fulfils its schema to words, names and findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from compiler.diagnostics import Diagnostic, Span
from compiler.document import Document, Map, Seq, Text, Value
from compiler.names import split
from compiler.spec import Reason, Scalar, Word

MAX_NAME = 63  # bytes; PostgreSQL cuts longer names off, and two of them become one


@dataclass(frozen=True, slots=True)
class Reading:
    """A document on its way to a spec; `found` collects what its schema cannot say. The schema has been checked."""

    document: Document
    found: list[Diagnostic] = field(default_factory=list)

    def refuse(self, code: str, message: str, at: Value | Span, label: str = "", hint: str = "") -> None:
        """Note a finding, and go on."""
        span = at if isinstance(at, Span) else self.document.span(at)
        self.found.append(Diagnostic(code, message, span, label, hint))

    def word(self, value: Value) -> Word:
        """A text, with the place of each of its characters."""
        text = as_text(value)
        return Word(str(text), self.document.span(text), self.document.page.pieces(text))

    def name(self, value: Value) -> Word:
        """A text that becomes a name in the target."""
        self._check(as_text(value), str(value))
        return self.word(value)

    def relation(self, value: Value, most: int = 2) -> Word:
        """`orders`, `billing.orders`; with `most` 3 also `billing.orders.total`."""
        text = as_text(value)
        parts = split(text)
        if len(parts) > most:
            hint = "put a part that has dots in it in double quotes: '\"odd.name\"'"
            self.refuse("E301", f'"{text}" has {len(parts)} parts, not {most} at most', text, "", hint)
        for part in parts:
            self._check(text, part)
        return self.word(text)

    def _check(self, text: Text, name: str) -> None:
        if not name:
            label = "nothing between the dots" if text else "nothing here"
            self.refuse("E301", "a name is empty", text, label, "a name with a dot in it stands in double quotes")
        elif (length := len(name.encode())) > MAX_NAME:
            message = f"a name has {length} bytes, more than PostgreSQL's {MAX_NAME}"
            self.refuse("E301", message, text, "too long", "take a shorter one: PostgreSQL would cut it")

    def words(self, value: Value | None) -> tuple[Word, ...]:
        """A list of texts, or one text as a list of one, or nothing."""
        if value is None:
            return ()
        return tuple(map(self.word, value)) if isinstance(value, Seq) else (self.word(value),)

    def optional(self, entry: Map, key: str) -> Word | None:
        """The text at a key that may be missing."""
        return self.word(entry[key]) if key in entry else None

    def reasons(self, value: Value | None) -> tuple[Reason, ...]:
        """A mapping of names to reasons."""
        return tuple(Reason(self.word(key), str(reason)) for key, reason in as_map(value).entries())


def as_text(value: Value) -> Text:
    """The value, which the schema says is a text."""
    assert isinstance(value, Text)
    return value


def as_map(value: Value | None) -> Map:
    """The value, which the schema says is a mapping, or an empty one."""
    assert value is None or isinstance(value, Map)
    return Map() if value is None else value


def as_list(value: Value | None) -> Sequence[Value]:
    """The value, which the schema says is a list, or an empty one."""
    assert value is None or isinstance(value, Seq)
    return () if value is None else value


def key_of(entry: Map, key: str) -> Text:
    """The key itself, as it stands in the file."""
    return next(known for known, _ in entry.entries() if known == key)


def flag(entry: Map, key: str) -> bool | None:
    """true, false, or None where nothing is said."""
    return entry[key] == "true" if key in entry else None


def scalar(value: Value) -> Scalar:
    """The value where any scalar may stand."""
    return as_text(value).typed()
