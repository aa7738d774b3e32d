"""Places in spec files, what is wrong there, and how it looks on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a file: `line` and `column` count from 1, `length` in characters; `text` is the whole line."""

    file: str
    line: int
    column: int
    length: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a code (E... error, W... warning), one sentence, the exact characters, what to do."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    hint: str = ""

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")


class SpecError(Exception):
    """The specs cannot be compiled; `diagnostics` says why, warnings among them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(f"{len(diagnostics)} diagnostics")
        self.diagnostics = tuple(diagnostics)
