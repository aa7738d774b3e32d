"""catalog/source.yaml, target.yaml -> Catalog; what does not belong there is refused with its place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, cast, get_args

from compiler.catalog import (
    Catalog,
    Column,
    Constraint,
    ForeignKey,
    IndexEntry,
    Key,
    Relation,
    RelationKind,
    Type,
    digest,
    fingerprint,
    type_name,
)
from compiler.diagnostics import Diagnostic, SpecError
from compiler.document import Document, Map, Page, Seq, Text, Value
from compiler.load import load
from compiler.names import Name, split

MAX_BYTES = 200_000_000

_HINT = "write it anew with `transhume snapshot`"
_TOP = frozenset(
    ["format", "database", "server", "encoding", "collation", "schemas", "extensions", "types", "relations"]
)
_COLUMN = frozenset(Column.__annotations__) - {"name"}
_TYPE = frozenset(["enum", "domain", "null", "default", "collation", "checks", "composite", "range", "multirange"])
_FOREIGN_KEY = frozenset(ForeignKey.__annotations__) - {"name"}
_KEY = frozenset(Key.__annotations__) - {"name"} | {"valid"}
_INDEX = frozenset(IndexEntry.__annotations__) - {"name"}
_RELATION = frozenset(Relation.__annotations__) - {"schema", "name", "fingerprint"}

T = TypeVar("T")


def read(path: Path, file: str) -> Catalog:
    """The snapshot at `path`. Raises SpecError."""
    document = load(path, file, MAX_BYTES)
    return _Reader(document.page).catalog(document)


def _native(value: Value) -> Any:
    """The data as the snapshot had it before it was written: the form that fingerprints are made of."""
    if isinstance(value, Text):
        return value.typed()
    if isinstance(value, Map):
        return {str(key): _native(item) for key, item in value.items()}
    return [_native(item) for item in value]


@dataclass(frozen=True, slots=True)
class _Reader:
    page: Page

    def catalog(self, document: Document) -> Catalog:
        top = self.map(document.data, _TOP)
        if self.text(top, "format") != "1":
            self.refuse(top["format"], f"format {top['format']} of the catalog is not known: this is for format 1")
        types = dict(self.each(top, "types", lambda key, entry: (str(key), self.type(key, entry))))
        entries = _native(self.map(top.get("types")))
        relations = self.each(top, "relations", lambda key, entry: self.relation(key, entry, entries))
        return Catalog(
            database=cast(Literal["source", "target"], self.one_of(top, "database", ("source", "target"))),
            server=self.integer(top, "server"),
            encoding=self.text(top, "encoding", "UTF8"),
            collation=self.text(top, "collation", ""),
            schemas=self.texts(top, "schemas"),
            extensions=dict(self.pairs(top, "extensions")),
            types=types,
            relations=relations,
            fingerprint=digest({"types": entries, "relations": [[str(r.qualified), r.fingerprint] for r in relations]}),
        )

    def relation(self, key: Text, entry: Map, types: dict[str, Any]) -> Relation:
        self.known(entry, _RELATION)
        name = self.name(key)
        primary = entry.get("primary_key")
        return Relation(
            schema=name.schema,
            name=name.name,
            kind=cast(RelationKind, self.one_of(entry, "kind", get_args(RelationKind))),
            rows=self.integer(entry, "rows", 0),
            definition=self.optional(entry, "definition"),
            columns=tuple(self.column(column, item) for column, item in self.map(entry.get("columns")).entries()),
            primary_key=self.primary_key(self.map(primary, _KEY | {"name"})) if primary is not None else None,
            unique=self.each(entry, "unique", self.key),
            exclusions=self.each(entry, "exclusions", self.constraint),
            foreign_keys=self.each(entry, "foreign_keys", self.foreign_key),
            checks=self.each(entry, "checks", self.constraint),
            indexes=self.each(entry, "indexes", self.index),
            sequences=tuple((column, self.name(text)) for column, text in self.pairs(entry, "sequences")),
            partition_by=self.optional(entry, "partition_by"),
            partition_bound=self.optional(entry, "partition_bound"),
            parents=self.names(entry, "parents"),
            children=self.names(entry, "children"),
            triggers=tuple((name, str(text)) for name, text in self.pairs(entry, "triggers")),
            trigger_states=tuple((name, str(text)) for name, text in self.pairs(entry, "trigger_states")),
            row_security=self.flag(entry, "row_security", False),
            dependents=self.texts(entry, "dependents"),
            fingerprint=fingerprint(_native(entry), types),
        )

    def column(self, name: Text, entry: Value) -> Column:
        item = self.map(entry, _COLUMN)
        if len(item) == 1:  # most columns: measured, half of the time
            return Column(str(name), self.text(item, "type"))
        kinds = ("always", "by default")
        identity = self.one_of(item, "identity", kinds) if "identity" in item else None
        return Column(
            name=str(name),
            type=self.text(item, "type"),
            null=self.flag(item, "null", True),
            default=self.optional(item, "default"),
            identity=cast(Literal["always", "by default"] | None, identity),
            generated=self.optional(item, "generated"),
            collation=self.optional(item, "collation"),
            virtual=self.flag(item, "virtual", False),
        )

    def type(self, key: Text, entry: Map) -> Type:
        self.known(entry, _TYPE)
        name = type_name(key)
        if name is None:
            self.refuse(key, f'"{key}" is not the name of a schema and, after a dot, of a type')
        if "enum" in entry:
            return Type(name.schema, name.name, "enum", labels=self.texts(entry, "enum"))
        if "composite" in entry:
            attributes = tuple((attribute, str(text)) for attribute, text in self.pairs(entry, "composite"))
            return Type(name.schema, name.name, "composite", attributes=attributes)
        if "range" in entry:
            base, multirange = self.text(entry, "range"), self.optional(entry, "multirange")
            return Type(name.schema, name.name, "range", base=base, multirange=multirange)
        return Type(
            name.schema,
            name.name,
            "domain",
            base=self.text(entry, "domain"),
            null=self.flag(entry, "null", True),
            default=self.optional(entry, "default"),
            collation=self.optional(entry, "collation"),
            checks=tuple(Constraint(check, str(text)) for check, text in self.pairs(entry, "checks")),
        )

    def primary_key(self, entry: Map) -> Key:
        return Key(self.text(entry, "name"), self.texts(entry, "columns"), self.text(entry, "definition"))

    def key(self, name: Text, entry: Map) -> Key:
        self.known(entry, _KEY)
        return Key(str(name), self.texts(entry, "columns"), self.text(entry, "definition"))

    def constraint(self, name: Text, entry: Map) -> Constraint:
        self.known(entry, _KEY)
        return Constraint(str(name), self.text(entry, "definition"), self.flag(entry, "valid", True))

    def foreign_key(self, name: Text, entry: Map) -> ForeignKey:
        self.known(entry, _FOREIGN_KEY)
        self.text(entry, "references")
        return ForeignKey(
            str(name),
            self.texts(entry, "columns"),
            self.name(cast(Text, entry["references"])),
            self.texts(entry, "to"),
            self.text(entry, "definition"),
            self.flag(entry, "valid", True),
        )

    def index(self, name: Text, entry: Map) -> IndexEntry:
        self.known(entry, _INDEX)
        unique, definition = self.flag(entry, "unique", False), self.text(entry, "definition")
        return IndexEntry(str(name), self.texts(entry, "columns"), unique, definition, self.flag(entry, "valid", True))

    # The shapes that entries are made of.

    def refuse(self, value: Value, message: str) -> NoReturn:
        self.page.refuse("E302", message, value.start, value.stop, "", _HINT)

    def map(self, value: Value | None, known: frozenset[str] | None = None) -> Map:
        if value is None:
            return Map()
        if not isinstance(value, Map):
            self.refuse(value, "keys and values belong here")
        if known is not None:
            self.known(value, known)
        return value

    def known(self, entry: Map, keys: frozenset[str]) -> None:
        if not keys.issuperset(entry):
            key = next(key for key, _ in entry.entries() if key not in keys)
            self.refuse(key, f'"{key}" is not part of a catalog')

    def value(self, entry: Map, key: str) -> Value:
        if key not in entry:
            self.refuse(next(iter(entry.values()), entry), f'"{key}" is missing in this entry of the catalog')
        return entry[key]

    def text(self, entry: Map, key: str, default: str | None = None) -> str:
        if default is not None and key not in entry:
            return default
        value = self.value(entry, key)
        if not isinstance(value, Text):
            self.refuse(value, f'"{key}" is a text')
        return str(value)

    def optional(self, entry: Map, key: str) -> str | None:
        return self.text(entry, key) if key in entry else None

    def integer(self, entry: Map, key: str, default: int | None = None) -> int:
        if default is not None and key not in entry:
            return default
        value = self.value(entry, key)
        number = value.typed() if isinstance(value, Text) else None
        if not isinstance(number, int):
            self.refuse(value, f'"{key}" is a whole number')
        return number

    def flag(self, entry: Map, key: str, default: bool) -> bool:
        if key not in entry:
            return default
        value = self.value(entry, key)
        if value not in ("true", "false"):
            self.refuse(value, f'"{key}" is true or false')
        return value == "true"

    def one_of(self, entry: Map, key: str, allowed: tuple[str, ...]) -> str:
        text = self.text(entry, key)
        if text not in allowed:
            self.refuse(self.value(entry, key), f'"{key}" is one of: {", ".join(allowed)}')
        return text

    def items(self, entry: Map, key: str) -> Iterator[Text]:
        if key not in entry:
            return
        value = self.value(entry, key)
        if not isinstance(value, Seq):
            self.refuse(value, f'"{key}" is a list')
        for item in value:
            if not isinstance(item, Text):
                self.refuse(item, f'"{key}" is a list of texts')
            yield item

    def texts(self, entry: Map, key: str) -> tuple[str, ...]:
        return tuple(str(item) for item in self.items(entry, key))

    def names(self, entry: Map, key: str) -> tuple[Name, ...]:
        return tuple(self.name(item) for item in self.items(entry, key))

    def pairs(self, entry: Map, key: str) -> Iterator[tuple[str, Text]]:
        for name, value in self.map(entry.get(key)).entries():
            if not isinstance(value, Text):
                self.refuse(value, f'"{key}" holds texts')
            yield str(name), value

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
        parts = split(text)
        if len(parts) != 2 or not all(parts):
            self.refuse(text, f'"{text}" is not the name of a schema and, after a dot, of a relation or type')
        return Name(*parts)
