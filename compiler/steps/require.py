"""require: what has to be in the target before its tables: schemas, types, extensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from compiler.bound import NewType
from compiler.diagnostics import Span
from compiler.layout import relation_sql
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.sql import Sql, ident, literal

_AGAIN = "take a new snapshot of the target"


@dataclass(frozen=True)
class _Require:
    """A thing to make before the tables, that no table of the plan is about."""

    span: Span
    kind: ClassVar[str] = "require"
    about: ClassVar[str] = ""
    table_id: ClassVar[str] = ""

    def after(self) -> tuple[str, ...]:
        return ()

    def locks(self) -> Iterator[Lock]:
        yield from ()

    def risks(self) -> Iterator[str]:
        yield from ()

    def verify(self) -> Iterator[Section]:
        yield from ()


@dataclass(frozen=True)
class RequireSchema(_Require):
    """Create a schema that the target's catalog does not have."""

    schema: str
    undo: ClassVar[str] = "drops the schema, which was not there before"

    @property
    def name(self) -> str:
        return f"schema-{self.schema}"

    @property
    def what(self) -> str:
        return f"schema {self.schema}"

    def forward(self) -> Iterator[Section]:
        problem = literal(f"schema {self.schema} is there already; {_AGAIN}")
        gate = render("require/schema_gate", problem=problem, name=literal(ident(self.schema)))
        yield Section("gate", "target", gate)
        yield Section("apply", "target", Sql(f"CREATE SCHEMA {ident(self.schema)};"))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", Sql(f"DROP SCHEMA {ident(self.schema)};"))


@dataclass(frozen=True)
class RequireExtension(_Require):
    """See that an extension is there, and create it where `schema` says where: the catalog does not have it yet."""

    extension: str
    schema: str | None

    @property
    def name(self) -> str:
        return f"extension-{self.extension}"

    @property
    def what(self) -> str:
        return f"extension {self.extension}" + ("" if self.schema else ", which is there already")

    @property
    def undo(self) -> str:
        return "drops the extension, which was not there before" if self.schema else "nothing to undo"

    def forward(self) -> Iterator[Section]:
        extension = f"extension {self.extension}"
        gate = render(
            "require/extension_gate", name=literal(self.extension),
            absent=literal(f"the server does not have {extension}") if self.schema else None,
            there=literal(f"{extension} is there already; {_AGAIN}"),
            gone=literal(f"{extension} is not there any more; {_AGAIN}"),
        )  # fmt: skip
        yield Section("gate", "target", gate)
        if self.schema is not None:
            sql = Sql(f"CREATE EXTENSION {ident(self.extension)} SCHEMA {ident(self.schema)};")
            yield Section("apply", "target", sql)

    def revert(self) -> Iterator[Section]:
        if self.schema is not None:
            yield Section("revert", "target", Sql(f"DROP EXTENSION {ident(self.extension)};"))


@dataclass(frozen=True)
class RequireType(_Require):
    """Create a type of the source that the created tables use; `needs` are the steps that make what it is made of."""

    new: NewType
    needs: tuple[str, ...]
    undo: ClassVar[str] = "drops the type, which was not there before"

    @property
    def name(self) -> str:
        return f"type-{self.new.name}"

    @property
    def what(self) -> str:
        return f"type {self.new.name}, as {self.new.origin} in the source"

    def after(self) -> tuple[str, ...]:
        return self.needs

    def forward(self) -> Iterator[Section]:
        problem = literal(f"type {self.new.name} is there already; {_AGAIN}")
        gate = render("require/type_gate", problem=problem, name=literal(relation_sql(self.new.name)))
        yield Section("gate", "target", gate)
        yield Section("apply", "target", Sql(f"{self.new.definition};"))

    def revert(self) -> Iterator[Section]:
        yield Section("revert", "target", Sql(f"DROP TYPE {relation_sql(self.new.name)};"))
