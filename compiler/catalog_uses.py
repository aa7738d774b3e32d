"""What uses a column, as `transhume snapshot` and `transhume analyse` found it (docs/analyse.md)."""

from dataclasses import dataclass
from typing import Literal

Effect = Literal["refuses", "rebuilt", "vanishes", "breaks", "changes"]


@dataclass(frozen=True, slots=True)
class Dependent:
    """`name` is as `view app.active_users`, `trigger touch on app.users`, `function app.f(integer)`.

    What has the greatest `level` is dropped first, and made again last. `definition` is a digest of it, or "".
    """

    name: str
    effect: Effect
    level: int
    definition: str


@dataclass(frozen=True, slots=True)
class CodeUses:
    """A folder of code names the column `uses` times, in `files` files."""

    folder: str
    uses: int
    files: int


@dataclass(frozen=True, slots=True)
class Uses:
    """What uses `column`; `forbids` is why the server never drops it, `lost` what is its own and goes with it.

    So many `perhaps` are functions and triggers that name a column so called, of another table for all that is known.
    """

    column: str
    dependents: tuple[Dependent, ...] = ()
    forbids: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    perhaps: int = 0
    code: tuple[CodeUses, ...] = ()

    def counts(self) -> str:
        """`3 dependents, 242 uses in 53 files of ../backend`; nothing where nothing uses it."""
        parts = [_number(len(self.dependents), "dependent")] if self.dependents else []
        parts += [f"{_number(one.uses, 'use')} in {_number(one.files, 'file')} of {one.folder}" for one in self.code]
        return ", ".join(parts)


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
