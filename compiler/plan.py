"""What `lower` makes and `emit` prints: a plan of steps, each a header and sections of SQL; nothing here knows YAML."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, Protocol
from urllib.parse import quote

from compiler.diagnostics import Diagnostic, Span
from compiler.spec import Project
from compiler.sql import Sql

Side = Literal["source", "target"]
_FILE_NAME = 240  # of the 255 bytes that file systems allow, with room for an ending


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a step's file: `of` says what a repeated one is about, `binds` what $1, $2, ... stand for."""

    name: str
    side: Side
    sql: Sql
    of: str = ""
    binds: tuple[str, ...] = ()
    prose: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that a step takes: its level, on what, for which statement; `old`: that was there before the plan."""

    level: str
    on: str
    statement: str
    old: bool = False

    def __str__(self) -> str:
        return f"{self.level} on {self.on} ({self.statement})"


class Kind(Protocol):
    """A kind of step, filled in: what it does, proves and undoes, which locks it takes, where it comes from.

    `what` is the first line of the step's file, `about` what its table holds. `undo` is how it is undone. `table_id` is
    that of the table that it is about, or "". `risks` are what a reviewer must know of it.
    """

    kind: ClassVar[str]

    @property
    def name(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def table_id(self) -> str: ...
    @property
    def span(self) -> Span: ...
    @property
    def undo(self) -> str: ...
    def after(self) -> Iterable[str]: ...
    def locks(self) -> Iterator[Lock]: ...
    def risks(self) -> Iterator[str]: ...
    def forward(self) -> Iterator[Section]: ...
    def verify(self) -> Iterator[Section]: ...
    def revert(self) -> Iterator[Section]: ...


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the plan. Steps under `after` are done before it starts."""

    kind: str
    name: str
    what: str
    about: str
    table: str
    span: Span
    after: tuple[str, ...]
    locks: tuple[Lock, ...]
    undo: str
    risks: tuple[str, ...]
    sections: tuple[Section, ...]
    reversible: bool = True

    @classmethod
    def of(cls, kind: Kind) -> "Step":
        """A kind of step, with its SQL written."""
        sections = (*kind.forward(), *kind.verify(), *kind.revert())
        return cls(
            kind.kind, kind.name, kind.what, kind.about, kind.table_id, kind.span, tuple(kind.after()),
            _merged(kind.locks()), kind.undo, tuple(kind.risks()), sections, getattr(kind, "reversible", True),
        )  # fmt: skip

    @property
    def id(self) -> str:
        """The step's name in the plan: `load.orders`."""
        return f"{self.kind}.{self.name}"

    @property
    def transaction(self) -> bool:
        """Whether everything in it runs in transactions; a probe stands for what does not."""
        return all(section.name != "probe" for section in self.sections)

    @property
    def file(self) -> str:
        """Where the step is in the plan's folder: `load/orders.sql`."""
        return f"{self.kind}/{file_name(self.name)}.sql"


@dataclass(frozen=True, slots=True)
class Planned:
    """What is promised of one table. `filter` is its `where`; `dropped` the source columns left behind, and why."""

    id: str
    source: str
    target: str
    keyset: tuple[str, ...]
    rows: int
    rejected: str
    chunk: tuple[int, int]
    filter: str
    parents: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A relation that the plan was made for; the live one must have the same fingerprint."""

    database: Side
    relation: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class PlannedRemoval:
    """Which phase of which removal a plan is: `phase` is its folder; without `columns` the table goes."""

    name: str
    phase: str
    on: Side
    table: str
    columns: tuple[str, ...]
    because: str
    rows: int
    soak: str
    retain: str
    not_before: str

    @property
    def folder(self) -> str:
        """Where the plan is in the project's: `removals/users/1-deprecate`."""
        return f"removals/{file_name(self.name)}/{self.phase}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that plan.yaml, PLAN.md and the steps' files say. Steps stand after those that they come after.

    `tables` are in load order, `skipped` the source tables that stay behind, and why. `removals` are plans of their
    own, in folders of this one's; `removal` says which of them a plan is.
    """

    project: Project
    specs: str
    databases: Literal[1, 2]
    relations: tuple[Reviewed, ...]
    tables: tuple[Planned, ...]
    skipped: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    warnings: tuple[Diagnostic, ...]
    removal: PlannedRemoval | None = None
    removals: tuple["Plan", ...] = ()


def _merged(locks: Iterable[Lock]) -> tuple[Lock, ...]:
    """One lock for all relations on which the same statement takes the same."""
    merged: dict[tuple[str, str, bool], dict[str, None]] = {}
    for lock in locks:
        merged.setdefault((lock.level, lock.statement, lock.old), {})[lock.on] = None
    return tuple(Lock(level, ", ".join(on), statement, old) for (level, statement, old), on in merged.items())


@cache
def file_name(name: str) -> str:
    """`name` as a file is called: what is not a letter, a digit, `_`, `-` or `.` is percent-encoded.

    Names that would not fit into 255 bytes keep their beginning and get a digest.
    """
    encoded = quote(name, safe="")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) <= _FILE_NAME:
        return encoded
    return f"{encoded[: _FILE_NAME - 9].rsplit('%', 1)[0]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
