"""Relations, columns and types of a database, from its reviewed snapshot (docs/catalog.md); never a connection."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from compiler.catalog_uses import Uses
from compiler.names import Name

RelationKind = Literal["table", "partitioned table", "view", "materialized view", "foreign table"]

_QUOTED = re.compile(r'"((?:[^"]|"")+)"|([^".\[(]+)')


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` as `format_type` writes it under an empty search_path, `default` and `generated` as SQL.

    `virtual`: generated when read, not stored.
    """

    name: str
    type: str
    null: bool = True
    default: str | None = None
    identity: Literal["always", "by default"] | None = None
    generated: str | None = None
    collation: str | None = None
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key or a unique constraint; `definition` is what stands after ADD CONSTRAINT name."""

    name: str
    columns: tuple[str, ...]
    definition: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A CHECK or an EXCLUDE constraint; not `valid`: NOT VALID, older rows were never checked."""

    name: str
    definition: str
    valid: bool = True


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` refer to the columns `to` of the relation `references`."""

    name: str
    columns: tuple[str, ...]
    references: Name
    to: tuple[str, ...]
    definition: str
    valid: bool = True


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An index that no constraint owns; no `columns` where it is over an expression or has a predicate.

    Not `valid`: its build failed, the server does not use it.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool
    definition: str
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as the snapshot saw it.

    `rows` is an estimate. `definition` is the digest of a view's query. `sequences` pairs a column with the sequence
    that numbers it, `triggers` a name with its CREATE statement, `trigger_states` a name with `disabled`, `replica` or
    `always` where that is so. `dependents` are texts such as "view public.open_orders", `uses` what uses the columns
    that are protected or removed.
    """

    schema: str
    name: str
    kind: RelationKind
    rows: int
    definition: str | None
    columns: tuple[Column, ...]
    primary_key: Key | None
    unique: tuple[Key, ...]
    exclusions: tuple[Constraint, ...]
    foreign_keys: tuple[ForeignKey, ...]
    checks: tuple[Constraint, ...]
    indexes: tuple[IndexEntry, ...]
    sequences: tuple[tuple[str, Name], ...]
    partition_by: str | None
    partition_bound: str | None
    parents: tuple[Name, ...]
    children: tuple[Name, ...]
    triggers: tuple[tuple[str, str], ...]
    trigger_states: tuple[tuple[str, str], ...]
    row_security: bool
    dependents: tuple[str, ...]
    fingerprint: str
    uses: tuple[Uses, ...] = ()

    @property
    def qualified(self) -> Name:
        """Schema and name."""
        return Name(self.schema, self.name)

    def column(self, name: str) -> Column | None:
        """The column called exactly `name`."""
        return next((column for column in self.columns if column.name == name), None)

    def uses_of(self, column: str) -> Uses | None:
        """What uses the column; None where the snapshot did not look."""
        return next((uses for uses in self.uses if uses.column == column), None)


@dataclass(frozen=True, slots=True)
class Type:
    """An enum (`labels`), a domain (over `base`, with `checks`), a composite (`attributes`: name and type) or a range.

    `base` of a range is its subtype, `multirange` the name of the multirange type that comes with it.
    """

    schema: str
    name: str
    kind: Literal["enum", "domain", "composite", "range"]
    labels: tuple[str, ...] = ()
    base: str = ""
    null: bool = True
    default: str | None = None
    collation: str | None = None
    checks: tuple[Constraint, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    multirange: str | None = None

    @property
    def qualified(self) -> Name:
        """Schema and name."""
        return Name(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """One database. `relations` and `types` are in the file's order, sorted by name; `fingerprint` is of all of it."""

    database: Literal["source", "target"]
    server: int
    encoding: str
    collation: str
    schemas: tuple[str, ...]
    extensions: Mapping[str, str]
    types: Mapping[str, Type]
    relations: tuple[Relation, ...]
    fingerprint: str
    _relations: Mapping[tuple[str, str], Relation] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_relations", {(entry.schema, entry.name): entry for entry in self.relations})

    @classmethod
    def empty(cls, database: Literal["source", "target"], server: int = 14) -> "Catalog":
        """A database with nothing in it."""
        return cls(database, server, "UTF8", "", (), {"plpgsql": "pg_catalog"}, {}, (), digest({}))

    @classmethod
    def read(cls, path: Path, file: str = "") -> "Catalog":
        """The snapshot at `path`, called `file` in messages. Raises SpecError with the place of what is wrong."""
        from compiler.catalog_file import read

        return read(path, file or str(path))

    def find(self, schema: str, name: str) -> Relation | None:
        """The relation of exactly that name."""
        return self._relations.get((schema, name))

    def type_named(self, text: str) -> Type | None:
        """The user's type that `text` (as `format_type` writes it) names, be it as an array of it."""
        return self.types.get(text.removesuffix("[]"))


def type_name(text: str) -> Name | None:
    """`public."Odd type"[]` -> Name("public", "Odd type"); None for built-in types, which have no schema."""
    schema = _QUOTED.match(text)
    if schema is None or text[schema.end() : schema.end() + 1] != ".":
        return None
    name = _QUOTED.match(text, schema.end() + 1)
    return Name(_unquoted(schema), _unquoted(name)) if name else None


def _unquoted(part: re.Match[str]) -> str:
    return part[2] if part[1] is None else part[1].replace('""', '"')


def used_types(names: Iterable[str], types: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `types` that types called `names` use, directly or through another type (docs/catalog.md)."""
    used: dict[str, Any] = {}
    pending = list(names)
    while pending:
        name = pending.pop().removesuffix("[]")
        if name in types and name not in used:
            used[name] = entry = types[name]
            pending += [entry[kind] for kind in ("domain", "range") if kind in entry]
            pending += entry.get("composite", {}).values()
    return used


def fingerprint(relation: Mapping[str, Any], types: Mapping[str, Any]) -> str:
    """The digest by which a live relation is recognised, of entries as in the file; `types` are all there are."""
    entry = {key: value for key, value in relation.items() if key not in ("rows", "dependents", "uses")}
    columns = relation.get("columns", {})
    entry["columns"] = [[name, column] for name, column in columns.items()]
    return digest({"relation": entry, "types": used_types((column["type"] for column in columns.values()), types)})


def digest(data: object) -> str:
    """SHA-256 of the canonical JSON of `data`."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
