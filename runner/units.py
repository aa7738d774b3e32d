"""The units of a manifest: durations, sizes, and the share or number of rows that may be set aside."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}  # "ms" first: "m" and "s" are ends of it
_BYTES = {"kB": 2**10, "KB": 2**10, "MB": 2**20, "GB": 2**30}


def seconds(text: str) -> float:
    """`500ms`, `2s`, `5m`, `4h`, `7d`."""
    return _scaled(text, _SECONDS)


def size(text: str) -> int:
    """Bytes of `512MB`, `64kB`, `2GB`."""
    return int(_scaled(text, _BYTES))


def _scaled(text: str, units: dict[str, float] | dict[str, int]) -> float:
    for unit, factor in units.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(f"{text} has none of the units {', '.join(units)}")


@dataclass(frozen=True, slots=True)
class Budget:
    """How many rows may be set aside: a share of the source's rows, or a number. `text` is as in the manifest."""

    text: str
    share: Fraction | None
    rows: int

    @classmethod
    def read(cls, value: str | int) -> Budget:
        """`0.5%` or a number."""
        if isinstance(value, int):
            return cls(str(value), None, value)
        return cls(value, Fraction(value.rstrip("%")) / 100, 0)

    def allowed(self, source_rows: int) -> int:
        """The greatest number of rows that is still within it."""
        return self.rows if self.share is None else int(self.share * source_rows)
