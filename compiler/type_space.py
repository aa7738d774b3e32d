"""The types of both databases: what a spec's words for them mean, and which of them move with the tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from compiler.bound import NewType
from compiler.casts import Side
from compiler.catalog import Catalog, Type
from compiler.diagnostics import Diagnostic, SpecError, did_you_mean
from compiler.layout import EXTENSIONS
from compiler.names import Name, join
from compiler.new_types import carried, new_types
from compiler.spec import Project, Word
from compiler.types import TEXT, TypeName, read_type, travels

# The types of extensions, which catalogs leave out: their schema is the extension's.
_EXTENSION_TYPES = {
    "citext": ("citext",),
    "cube": ("cube",),
    "hstore": ("hstore",),
    "intarray": ("query_int",),
    "isn": ("ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"),
    "ltree": ("lquery", "ltree", "ltxtquery"),
    "postgis": ("box2d", "box3d", "geography", "geometry"),
    "seg": ("seg",),
    "vector": ("halfvec", "sparsevec", "vector"),
}
_OWNERS = {type: extension for extension, types in _EXTENSION_TYPES.items() for type in types}
_COMMON = ("bigint", "boolean", "date", "integer", "jsonb", "numeric", "text", "timestamptz", "uuid", "varchar")


class UnknownTypeError(Exception):
    """A type of the source that the target will not have; the message says what to do."""


@dataclass(slots=True)
class TypeSpace:
    """Answers, remembered: a project has few types and many columns. `used` are those that created tables use."""

    project: Project
    source: Catalog
    target: Catalog
    used: dict[Name, Type] = field(default_factory=dict)
    _sides: dict[tuple[str, bool], Side] = field(default_factory=dict)
    _moved: dict[str, TypeName] = field(default_factory=dict)
    _carried: dict[Name, Type] = field(init=False)

    def __post_init__(self) -> None:
        self._carried = {Name(self.project.target.schema, type.name): type for type in self.source.types.values()}

    def of_source(self, text: str) -> Side:
        """A type of the source, as values of it travel."""
        found = self._sides.get((text, False))
        if found is None:
            type = read_type(text)
            known = self.source.type_named(text)
            base = self.of_source(known.base) if known and known.kind == "domain" else None
            found = self._sides[text, False] = _side(type, known, base, self._or_itself(type))
        return found

    def of_target(self, type: TypeName) -> Side:
        """A type of the target, or one that moves there."""
        text = str(type)
        found = self._sides.get((text, True))
        if found is None:
            known = self._known(type)
            base = self._base(type, known.base) if known and known.kind == "domain" else None
            found = self._sides[text, True] = _side(type, known, base, type)
        return found

    def moved(self, text: str) -> TypeName:
        """What a type of the source is called in the target. Raises UnknownTypeError."""
        found = self._moved.get(text)
        if found is None:
            found = self._moved[text] = self._move(read_type(text))
        return found

    def named(self, word: Word) -> TypeName:
        """The type of the target that a spec names. Raises SpecError."""
        try:
            type = read_type(word.text)
        except ValueError:
            raise self._unknown(word) from None
        if type.user is None:
            return type
        for name in self._candidates(type.user):
            found = replace(type, user=name)
            if self._known(found) or self._extension_schema(name) == name.schema:
                return found
        raise self._unknown(word)

    def use(self, type: TypeName) -> None:
        """Note that a created column has this type: if it is one of the source's, it moves."""
        if type.user in self._carried:
            self.used[type.user] = self._carried[type.user]

    def moving(self) -> tuple[NewType, ...]:
        """The types that have to be made: by name, but those that another is made of before it."""
        found: dict[Name, NewType] = {}
        for _, origin in sorted(self.used.items(), key=lambda item: str(item[0])):
            type = TypeName("", user=origin.qualified)
            for new in new_types(type, self.source, self.target, self.project.target.schema):
                found.setdefault(new.name, new)
        return tuple(found.values())

    def _base(self, domain: TypeName, base: str) -> Side:
        there = self.target.type_named(str(replace(domain, array=False)))
        return self.of_target(read_type(base)) if there else self.of_source(base)

    def _known(self, type: TypeName) -> Type | None:
        if type.user is None:
            return None
        there = self.target.type_named(str(replace(type, array=False)))
        return there or self._carried.get(type.user)

    def _or_itself(self, type: TypeName) -> TypeName:
        try:
            return self.moved(str(type))
        except UnknownTypeError:
            return type

    def _move(self, type: TypeName) -> TypeName:
        if type.user is None:
            return type
        found = carried(type, self.source, self.project.target.schema)
        if found != type or self.source.type_named(str(replace(type, array=False))):
            return found
        if schema := self._extension_schema(type.user):
            return replace(type, user=Name(schema, type.user.name))
        owner = _OWNERS.get(type.user.name)
        hint = (
            f'name extension "{owner}" under requires: {{extensions: [...]}}' if owner else "say which type: type: text"
        )
        raise UnknownTypeError(hint)

    def _extension_schema(self, name: Name) -> str:
        """Where the target has, or will have, the extension that a type is of; "" where it has not."""
        owner = _OWNERS.get(name.name, "")
        asked = any(word.text == owner for word in self.project.extensions)
        return self.target.extensions.get(owner, EXTENSIONS if asked else "")

    def _candidates(self, name: Name) -> Iterator[Name]:
        """The names that a word may mean: with its schema only itself, or what carries a type of the source."""
        schema = self.project.target.schema
        if name.schema:
            yield name
            if self.source.type_named(str(TypeName("", user=name))):
                yield Name(schema, name.name)
            return
        yield Name(schema, name.name)
        yield from (type.qualified for type in self.target.types.values() if type.name == name.name)
        if owned := self._extension_schema(name):
            yield Name(owned, name.name)

    def _unknown(self, word: Word) -> SpecError:
        schema = self.project.target.schema
        known = [found.name for found in (*self.target.types.values(), *self._carried.values())]
        hint = did_you_mean(word.text, [*_COMMON, *known, *(f"{schema}.{name}" for name in known)])
        hint = hint or "write it as in SQL: text or numeric(12,2), say; `transhume snapshot` writes the catalog anew"
        if word.text.lower().endswith("serial"):
            hint = "a key that the target numbers is written {identity: true}"
        message = f'type "{word.text}" is neither PostgreSQL\'s own nor in the catalog of the target'
        return SpecError([Diagnostic("E314", message, word.span, "unknown type", hint)])


def _side(type: TypeName, known: Type | None, base: Side | None, opaque: TypeName) -> Side:
    if travels(type):
        return Side(type, str(type))
    if base is not None and not type.array:
        return replace(base, shown=str(type))
    if known is not None and known.kind == "enum" and not type.array:
        return Side(TEXT, str(type), known.labels)
    return Side(TEXT, str(type), opaque=str(opaque))


def shown(name: Name, schema: str) -> str:
    """A name as specs have it: without the schema where that is the project's."""
    return join((name.name,)) if name.schema == schema else str(name)
