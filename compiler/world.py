"""What resolving a column may look at: the project, both catalogs, the types, and every other table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from compiler.bound import BoundReference, Choice, Guard, Lookup, SourceColumn
from compiler.casts import Cast, Refused, Side
from compiler.catalog import Catalog, Relation
from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.indexes import primary_key
from compiler.names import Name
from compiler.sources import Source
from compiler.spec import Mapping as SpecMapping
from compiler.spec import Project, Table
from compiler.sql import Sql
from compiler.type_space import TypeSpace, UnknownTypeError
from compiler.types import TypeName, read_type


@dataclass(frozen=True, slots=True)
class World:
    """The whole project. `tables` are those whose source could be read, by id.

    `broken` are the ids of tables in whose source something is wrong: that is told once, where it stands. `asked` are
    the source columns that references look rows of a table up by.
    """

    project: Project
    source: Catalog
    target: Catalog
    types: TypeSpace
    tables: dict[str, Here] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: dict[str, dict[tuple[str, ...], None]] = field(default_factory=dict)
    warnings: list[Diagnostic] = field(default_factory=list)

    @property
    def one_database(self) -> bool:
        """Source and target are one database."""
        return self.project.source.env == self.project.target.env

    @property
    def zone(self) -> str:
        """The time zone of the source's zoneless times."""
        return self.project.source.time_zone

    def warn(self, code: str, message: str, span: Span, label: str = "", hint: str = "") -> None:
        """Note something that does not stop the plan."""
        self.warnings.append(Diagnostic(code, message, span, label, hint))


@dataclass(frozen=True, slots=True)
class Here:
    """One table: its spec, its id in step names, where it goes, what fills it, and what is there already.

    `named` are the columns beside the source's that hold the names of types, as mappings ask for them.
    """

    world: World
    table: Table
    id: str
    target: Name
    source: Source
    existing: Relation | None
    named: dict[str, SourceColumn] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the target's primary key; that of a partitioned table has the partition column in it."""
        return primary_key(tuple(word.text for word in self.table.key), self.table.partition)

    @property
    def mappings(self) -> Mapping[str, SpecMapping]:
        """The mappings by target column."""
        return {mapping.target.text: mapping for mapping in self.table.mappings}

    def declared(self, mapping: SpecMapping) -> TypeName | None:
        """The type that the target's column has, or is given; None where its source decides. Raises SpecError."""
        given = self.world.types.named(mapping.type) if mapping.type else None
        if self.existing is None:
            return given
        column = self.existing.column(mapping.target.text)
        if column is None:
            return given  # told once, for the whole table
        there = read_type(column.type)
        if given is not None and given != there:
            message = f'column "{mapping.target}" is of type {there} in the target'
            refuse(mapping, "E504", message, "another type", f"leave the type out, or write {there}")
        return there


@dataclass(frozen=True, slots=True)
class Made:
    """What a mapping makes of a row: `value`, which becomes the column's `type`.

    `null`: it may be NULL. `present` says, without ever raising, that it is not; None where that cannot be told.
    `reads` are source columns. `differs` says why the source cannot compute the same; "" where it can. `local` is the
    value as the source computes it, where it is written otherwise there. Not `steady`: another in another run.
    `written`: an expression of the author's. `raw`: a uuid's 16 bytes, which cost less than the uuid.
    """

    value: Sql
    type: TypeName
    null: bool
    present: Sql | None
    reads: tuple[str, ...]
    guards: tuple[Guard, ...] = ()
    differs: str = ""
    steady: bool = True
    local: Sql | None = None
    copies: str = ""
    reference: BoundReference | None = None
    lookup: Lookup | None = None
    identity: bool = False
    collation: Sql | None = None
    written: bool = False
    raw: Sql | None = None
    choices: tuple[Choice, ...] = ()


def refuse(mapping: SpecMapping, code: str, message: str, label: str = "", hint: str = "") -> NoReturn:
    """Raise SpecError at the mapping's type, or at the mapping."""
    span = mapping.type.span if mapping.type else mapping.span
    raise SpecError([Diagnostic(code, message, span, label, hint)])


def moved(mapping: SpecMapping, here: Here, text: str) -> TypeName:
    """What a type of the source is called in the target. Raises SpecError."""
    try:
        return here.world.types.moved(text)
    except UnknownTypeError as error:
        refuse(mapping, "E314", f"the target will have no type {text}", "of a type that does not move", str(error))


def accepted(mapping: SpecMapping, what: str, source: Side, target: Side, cast: Cast | Refused) -> Cast:
    """The cast, or SpecError: `what` would lose something."""
    if isinstance(cast, Refused):
        message = f"{what} ({source.shown}) cannot become {target.shown}"
        refuse(mapping, "E501", message, cast.message, cast.hint)
    return cast


@contextmanager
def noting(problems: list[Diagnostic]) -> Iterator[None]:
    """Go on behind what raises SpecError, and note what it found."""
    try:
        yield
    except SpecError as error:
        problems.extend(error.diagnostics)
