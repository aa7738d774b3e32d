"""Types of the source that created tables use: each gets a namesake in the target, made where the target lacks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compiler.bound import NewType
from compiler.catalog import Catalog, Type
from compiler.names import Name
from compiler.sql import Sql, ident, join, literal, qname
from compiler.types import TypeName, read_type


def carried(type: TypeName, source: Catalog, schema: str) -> TypeName:
    """The type in the target that stands for a type of the source: its namesake in `schema`.

    Built-in types, and types that no snapshot knows (an extension's), stand for themselves.
    """
    known = _known(type, source)
    return replace(type, user=Name(schema, known.name)) if known else type


def new_types(type: TypeName, source: Catalog, target: Catalog, schema: str) -> Iterator[NewType]:
    """What has to be made in the target before a column can have the type that `type` of the source is carried to.

    What a type is made of comes before it. A type of that name in the target is taken as it is.
    """
    known = _known(type, source)
    if known is None or target.type_named(str(replace(carried(type, source, schema), array=False))):
        return
    for part in _parts(known):
        yield from new_types(read_type(part), source, target, schema)
    name = Name(schema, known.name)
    yield NewType(name, _definition(known, name, source, schema), known.qualified)


def _known(type: TypeName, source: Catalog) -> Type | None:
    return source.type_named(str(replace(type, array=False))) if type.user else None


def _parts(known: Type) -> Iterator[str]:
    if known.base:
        yield known.base
    yield from (type for _, type in known.attributes)


def _definition(known: Type, name: Name, source: Catalog, schema: str) -> Sql:
    """CREATE TYPE or CREATE DOMAIN, without the semicolon."""
    shown = qname(name.schema, name.name)
    match known.kind:
        case "enum":
            return Sql(f"CREATE TYPE {shown} AS ENUM ({join(', ', map(literal, known.labels))})")
        case "composite":
            fields = (Sql(f"{ident(field)} {_named(type, source, schema)}") for field, type in known.attributes)
            return Sql(f"CREATE TYPE {shown} AS ({join(', ', fields)})")
        case "range":
            multirange = f", MULTIRANGE_TYPE_NAME = {_multirange(known, schema)}" if known.multirange else ""
            return Sql(f"CREATE TYPE {shown} AS RANGE (SUBTYPE = {_named(known.base, source, schema)}{multirange})")
    return _domain(known, shown, source, schema)


def _domain(known: Type, shown: Sql, source: Catalog, schema: str) -> Sql:
    text = f"CREATE DOMAIN {shown} AS {_named(known.base, source, schema)}"
    text += f" COLLATE {known.collation}" if known.collation else ""
    text += f" DEFAULT {known.default}" if known.default else ""
    text += "" if known.null else " NOT NULL"
    for check in known.checks:
        text += f" CONSTRAINT {ident(check.name)} {check.definition}"
    return Sql(text)


def _multirange(known: Type, schema: str) -> Sql:
    parts = read_type(known.multirange or "").user
    return qname(schema, parts.name if parts else known.name)


def _named(type: str, source: Catalog, schema: str) -> Sql:
    return Sql(str(carried(read_type(type), source, schema)))
