"""catalog/source.yaml, target.yaml -> Catalog; what does not belong there is refused with its place."""

from pathlib import Path
from typing import Any, Literal, cast, get_args

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
from compiler.catalog_entries import Entries
from compiler.catalog_uses import CodeUses, Dependent, Effect, Uses
from compiler.document import Document, Map, Text, Value
from compiler.load import load

MAX_BYTES = 200_000_000

_TOP = frozenset(
    ["format", "database", "server", "encoding", "collation", "schemas", "extensions", "types", "relations"]
)
_COLUMN = frozenset(Column.__annotations__) - {"name"}
_TYPE = frozenset(["enum", "domain", "null", "default", "collation", "checks", "composite", "range", "multirange"])
_FOREIGN_KEY = frozenset(ForeignKey.__annotations__) - {"name"}
_KEY = frozenset(Key.__annotations__) - {"name"} | {"valid"}
_INDEX = frozenset(IndexEntry.__annotations__) - {"name"}
_USES = frozenset(Uses.__annotations__) - {"column"}
_DEPENDENT = frozenset(Dependent.__annotations__) - {"name"}
_CODE = frozenset(CodeUses.__annotations__) - {"folder"}
_RELATION = frozenset(Relation.__annotations__) - {"schema", "name", "fingerprint"}


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


class _Reader(Entries):
    def catalog(self, document: Document) -> Catalog:
        top = self.map(document.data, _TOP)
        if (form := self.integer(top, "format")) != 1:
            self.refuse(top["format"], f"format {form} of the catalog is not known: this is for format 1")
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
            uses=self.each(entry, "uses", self.uses),
        )

    def uses(self, column: Text, entry: Map) -> Uses:
        self.known(entry, _USES)
        return Uses(
            str(column),
            self.each(entry, "dependents", self.dependent),
            self.texts(entry, "forbids"),
            self.texts(entry, "lost"),
            self.integer(entry, "perhaps", 0),
            self.each(entry, "code", self.code),
        )

    def dependent(self, name: Text, entry: Map) -> Dependent:
        self.known(entry, _DEPENDENT)
        effect = cast(Effect, self.one_of(entry, "effect", get_args(Effect)))
        return Dependent(str(name), effect, self.integer(entry, "level", 1), self.text(entry, "definition", ""))

    def code(self, folder: Text, entry: Map) -> CodeUses:
        self.known(entry, _CODE)
        return CodeUses(str(folder), self.integer(entry, "uses"), self.integer(entry, "files"))

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
        kind = self.only(key, entry, ("enum", "composite", "range", "domain"))
        if kind == "enum":
            return Type(name.schema, name.name, "enum", labels=self.texts(entry, "enum"))
        if kind == "composite":
            attributes = tuple((attribute, str(text)) for attribute, text in self.pairs(entry, "composite"))
            return Type(name.schema, name.name, "composite", attributes=attributes)
        if kind == "range":
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
