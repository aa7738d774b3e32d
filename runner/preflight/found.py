"""What the preflight tells: one thing each, on one side, that refuses the run or is only to be known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runner.sections import Side

UNITS = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))


@dataclass(frozen=True, slots=True)
class Found:
    """One thing. `advice` says what to do about it; what does not refuse is a notice."""

    side: Side
    what: str
    advice: str = ""
    refuses: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.advice}" if self.advice else self.what


def listed(names: Iterable[str]) -> str:
    """Names as people list them."""
    return ", ".join(names)


def split_name(name: str) -> Sequence[str]:
    """`schema.name` as two names; a part with a dot or a quote in it is in double quotes."""
    parts = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', name)
    return [quoted.replace('""', '"') or plain for quoted, plain in parts]


def plain(name: str) -> str:
    """`schema.name` without quotes, as the queries here give it."""
    return ".".join(split_name(name))


def split_names(names: Sequence[str]) -> dict[str, list[str]]:
    """`schema.name`s as what a query binds: `names`, and their `schemas` and `relations` in the same order."""
    parts = [split_name(name) for name in names]
    return {
        "names": list(names),
        "schemas": [schema for schema, _ in parts],
        "relations": [relation for _, relation in parts],
    }


def bytes_text(number: float) -> str:
    """`3.4 GB`, as `units.size` reads it with the space left out."""
    for unit, name in UNITS:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:.0f} bytes"
