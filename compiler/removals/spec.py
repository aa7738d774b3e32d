"""What the author wrote of a removal: removals/<name>.yaml, frozen, each with its place in the file."""

from dataclasses import dataclass
from typing import Literal

from compiler.diagnostics import Span
from compiler.spec import Word

Hide = Literal["rename", "privileges", "nothing"]
NewRows = Literal["default", "null", "refuse", "expression"]
Action = Literal["drop", "rewrite", "keep"]


@dataclass(frozen=True, slots=True)
class Named:
    """A dependent that the spec names, and what becomes of it; `file` and `sql` are those of one that is rewritten."""

    action: Action
    word: Word
    file: Word | None = None
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each phase lasts at least: durations as written; `not_before` is a day, or ""."""

    watch: str = "0s"
    soak: str = "7d"
    retain: str = "90d"
    not_before: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """specs/<project>/removals/<name>.yaml. Without `columns` the whole table goes.

    `place` is where dependents are named, or would be. `digest` is that of its files alone: what else the project's
    specs say does not make another plan of it.
    `expressions` say what rows that came after the drop get, where `new_rows` is `expression`. `long_restore` is why a
    restore may take longer than `restore_limit`, or "".
    """

    name: Word
    on: Literal["source", "target"]
    table: Word
    columns: tuple[Word, ...]
    because: str
    dependents: tuple[Named, ...]
    code: tuple[Word, ...]
    phases: Phases
    hide: Hide
    roles: tuple[Word, ...]
    new_rows: NewRows
    expressions: tuple[tuple[Word, Word], ...]
    long_restore: str
    restore_limit: str
    span: Span
    place: Span
    digest: str = ""
