"""Bound tables made by hand, for tests of what comes after `resolve`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from compiler.bound import (
    BoundColumn,
    BoundIndex,
    BoundReference,
    BoundTable,
    Guard,
    Lookup,
    MapTable,
    Ordered,
    Resolved,
    SourceColumn,
)
from compiler.catalog import Catalog, Column, Relation
from compiler.diagnostics import Span
from compiler.names import Name
from compiler.plan import Section, Step
from compiler.spec import Database, Ids, Limits, Missing, Project, Word
from compiler.sql import Sql, column, ident

SPAN = Span("specs/demo/tables/x.yaml", 2, 1, 1)
TARGET = Database("TARGET_DATABASE_URL", "app", "UTC", SPAN)
SOURCE = Database("LEGACY_DATABASE_URL", "public", "UTC", SPAN)
PROJECT = Project(
    Word("demo", SPAN), "", SOURCE, TARGET, Ids(UUID(int=1), 3, SPAN), (), (), Limits(), (), (), SPAN,
)  # fmt: skip
ID = SourceColumn("id", "integer", "integer", False)


def copied(name: str, type: str = "integer", **options: Any) -> BoundColumn:
    """A target column that keeps the source column of the same name."""
    value = column("s", name)
    made = BoundColumn(name, type, True, value, type, value, "", name, (), None, None, False, SPAN)
    return replace(made, **options)


def referring(name: str, table: str, missing: Missing = "reject", *, derived: bool = True) -> BoundColumn:
    """A column that refers to the key `id` of another table: by the same value, or by a lookup in its map."""
    reference = BoundReference(table, "id", (name,), missing, derived)
    if derived:
        return copied(name, copies="", reference=reference)
    alias = f"m_{name}"
    lookup = Lookup(alias, table, (("legacy_id", column("s", name)),))
    found = column(alias, "id")
    missed = Guard(name, Sql(f"{column('s', name)} IS NULL OR {found} IS NOT NULL"), "no such row", "23503")
    return copied(
        name, copies="", value=found, comparable=None, incomparable="looked up", reference=reference, lookup=lookup,
        guards=() if missing == "null" else (missed,),
    )  # fmt: skip


def unique_index(table: str, *columns: str, schema: str = "app", **options: Any) -> BoundIndex:
    """A unique index over columns."""
    name = f"{table}_{'_'.join(columns)}_key"
    text = f"CREATE UNIQUE INDEX {ident(name)} ON {schema}.{ident(table)} ({', '.join(map(ident, columns))})"
    drop = Sql(f"DROP INDEX IF EXISTS {schema}.{ident(name)}")
    return replace(BoundIndex(name, Sql(text), drop, True, columns, None, "reject", True, None), **options)


def table(id: str, *columns: BoundColumn, **options: Any) -> BoundTable:
    """A table with the key `id`, which it keeps, filled from the source table of the same name."""
    own = copied("id", null=False)
    reads = (ID, *(SourceColumn(each.name, each.type, each.wire, True) for each in columns))
    made = BoundTable(
        id=id, target=Name("app", id), source=Name("public", id), relation=None, query=None, keyset=(ID,), reads=reads,
        columns=(own, *columns), key=("id",), legacy_key=("id",), where=None, map_table=None,
        indexes=(unique_index(id, "id"),), checks=(), partition=None, verify=(), after=(), rows=1000, rejected="1%",
        chunk=(2000, 50000), create=True, existing=None, sequences=(), span=SPAN,
    )  # fmt: skip
    return replace(made, **options)


def mapped(id: str, *columns: BoundColumn, **options: Any) -> BoundTable:
    """A table whose key its map numbers."""
    lookup = Lookup("m_id", id, (("legacy_id", Sql("s.id")),))
    number = copied("id", value=Sql("m_id.id"), comparable=None, incomparable="numbered", copies="", lookup=lookup)
    kept = MapTable((ID,), (("id",),), ("id",), "id")
    made = table(id, *columns, map_table=kept, legacy_key=(), **options)
    return replace(made, columns=(replace(number, identity=True, null=False), *made.columns[1:]))


def relation(name: str, **options: Any) -> Relation:
    """An existing relation of the target, with the column `id`."""
    made = Relation(
        schema="app", name=name, kind="table", rows=0, definition=None, columns=(Column("id", "integer"),),
        primary_key=None, unique=(), exclusions=(), foreign_keys=(), checks=(), indexes=(), sequences=(),
        partition_by=None, partition_bound=None, parents=(), children=(), triggers=(), trigger_states=(),
        row_security=False, dependents=(), fingerprint="sha256:" + "0" * 64,
    )  # fmt: skip
    return replace(made, **options)


def ordered(
    *tables: BoundTable,
    circles: Sequence[tuple[str, ...]] = (),
    target: Sequence[Relation] = (),
    databases: Literal[1, 2] = 2,
    **options: Any,
) -> Ordered:
    """The tables in this order; `target` are the relations that are there before the plan."""
    here = Catalog.empty("source")
    there = replace(Catalog.empty("target"), relations=tuple(target))
    made = Resolved(PROJECT, here, there, databases, tables, (), ("app",), (), "sha256:" + "0" * 64)
    return Ordered(replace(made, **options), tables, tuple(circles))


def section(step: Step, name: str, of: str = "") -> Section:
    """The one section of that name."""
    (found,) = (each for each in step.sections if (each.name, each.of) == (name, of))
    return found
