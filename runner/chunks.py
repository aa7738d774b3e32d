"""A chunk, and how many rows it has: as many as move in about a second, between the two numbers of the manifest."""

from __future__ import annotations

from dataclasses import dataclass

from runner.journal import Keyset

SECONDS = 1.0  # a transaction: what a crash may cost, and what Ctrl-C waits for
BYTES = 64 * 2**20  # of the stage: a chunk of wide rows is not to spill out of the server's memory


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows behind one keyset of `width` columns, up to and with another, None for no bound.

    `rows` is how many were asked for.
    """

    number: int
    after: Keyset | None
    upto: Keyset | None
    rows: int
    width: int

    @property
    def values(self) -> dict[str, str | None]:
        """What its sections bind."""
        values: dict[str, str | None] = {"chunk": str(self.number)}
        for n in range(self.width):
            values[f"after.{n + 1}"] = self.after[n] if self.after else None
            values[f"upto.{n + 1}"] = self.upto[n] if self.upto else None
        return values


@dataclass(slots=True)
class Pace:
    """The size of the next chunk. `least` and `most` are the manifest's; only trouble, and wide rows, go below them."""

    least: int
    most: int
    rows: int = 0
    width: float = 0  # of a row, in bytes, as far as it is known

    def __post_init__(self) -> None:
        self.rows = self.rows or self.least

    def expect(self, width: float) -> None:
        """Begin with no more rows than fit, at so many bytes each: the first chunk, too, is bounded."""
        self.width = width
        self.rows = max(1, min(self.rows, int(BYTES / max(width, 1))))

    def succeeded(self, rows: int, size: int, seconds: float) -> None:
        """Aim at SECONDS from what the last chunk took; at most twice as many rows as in it."""
        if rows == 0:
            return
        self.width = size / rows
        by_time = rows * SECONDS / max(seconds, 0.001)
        by_size = rows * BYTES / max(size, 1)
        self.rows = max(1, min(self._within(by_time), int(by_size) or 1, 2 * max(rows, self.rows)))

    def shrink(self) -> None:
        """Halve the chunk: it failed, or somebody was in the way."""
        self.rows = max(1, self.rows // 2)

    @property
    def smallest(self) -> bool:
        """Whether a chunk is one row already."""
        return self.rows == 1

    def _within(self, rows: float) -> int:
        return int(min(self.most, max(self.least, rows)))
