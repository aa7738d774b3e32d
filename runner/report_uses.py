"""What uses a column, as people and machines read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from runner.analysis import Analysis
from runner.catalog_entries import qualified
from runner.code_uses import Folder
from runner.uses import EFFECTS, Use, Uses

RED, YELLOW = ("forbids", "refuses", "rebuilt", "breaks"), ("vanishes", "changes")
MOST = 50  # files of a folder that are shown
MOST_PERHAPS = 10  # and uses that may be of another table's column
COUNTED = {
    "refuses": "{n} refuse the drop",
    "rebuilt": "{n} built on those",
    "vanishes": "{n} vanish",
    "breaks": "{n} break",
    "changes": "{n} change",
    "perhaps": "{n} perhaps",
}


def title(analysis: Analysis, uses: Uses) -> str:
    """Which column, and where."""
    return f"{analysis.wanted}.{qualified('', uses.column)[1:]}, in {analysis.place}"


def uses_table(uses: Uses, terminal: bool) -> Table:
    """A line for each use, what a drop would do to it first."""
    table = _table(terminal, "effect", "what", "why")
    hidden = set(uses.of("perhaps")[MOST_PERHAPS:])
    for use in (use for use in uses.all if use not in hidden):
        color = "red" if use.effect in RED else "yellow" if use.effect in YELLOW else None
        table.add_row(use.effect, escape(use.dependent), escape(_why(use)), style=color)
    if hidden:
        table.add_row("perhaps", f"and {len(hidden):,} more: --json has all of them")
    return table


def _why(use: Use) -> str:
    if use.effect in ("lost", "forbids"):
        return use.detail
    return use.detail or EFFECTS[use.effect]


def summary(name: str, uses: Uses, folders: Sequence[Folder]) -> str:
    """`2 refuse the drop, 1 vanish; 242 uses in 53 files`."""
    counts = {effect: len(uses.of(effect)) for effect in COUNTED}
    said = [COUNTED[effect].format(n=count) for effect, count in counts.items() if count]
    said = ["cannot be dropped", *said] if uses.of("forbids") else said
    found = [folder.total(name) for folder in folders]
    total, files = sum(count for count, _ in found), sum(files for _, files in found)
    code = f"; {_number(total, 'use')} in {_number(files, 'file')} of code" if folders else ""
    return f"{', '.join(said) or 'nothing in the database uses it'}{code}"


def code_title(folder: Folder) -> str:
    """What was searched, and how much was found there."""
    total = sum(sum(found.values()) for found in folder.files.values())
    return f"{folder.path}: {_number(total, 'use')} in {len(folder.files):,} of {_number(folder.read, 'file')}"


def code_table(folder: Folder, terminal: bool) -> Table:
    """The files with the most uses, a line each."""
    table = _table(terminal, "uses", "file")
    counts = {name: sum(found.values()) for name, found in folder.files.items()}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ordered[:MOST]:
        table.add_row(f"{count:,}", escape(name))
    if len(ordered) > MOST:
        table.add_row("", f"and {len(ordered) - MOST:,} more: --json has all of them")
    for name in folder.left_out:
        table.add_row("", f"{escape(name)}: too large, or not to be read")
    return table


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _table(terminal: bool, *columns: str) -> Table:
    table = Table(box=box.HEAVY_HEAD if terminal else None, pad_edge=terminal)
    for name in columns:
        table.add_column(name, justify="right" if name == "uses" else "left", overflow="fold")
    return table


def values(found: Sequence[Analysis], folders: Sequence[Folder], block: str, limits: Sequence[str]) -> dict[str, Any]:
    """All of it, as data."""
    columns = [_values(one, uses, folders) for one in found for uses in one.uses]
    return {"columns": columns, "block": block, "limits": list(limits)}


def _values(one: Analysis, uses: Uses, folders: Sequence[Folder]) -> dict[str, Any]:
    return {
        "column": uses.column,
        "table": one.wanted.table,
        "schema": one.wanted.schema,
        "database": one.place,
        "uses": [asdict(use) for use in uses.all],
        "code": [_code(folder, one.wanted.called(uses.column)) for folder in folders],
    }


def _code(folder: Folder, column: str) -> dict[str, Any]:
    count, files = folder.total(column)
    by_file = {name: found[column] for name, found in folder.files.items() if column in found}
    read = {"read": folder.read, "left_out": list(folder.left_out)}
    return {"folder": folder.path, "uses": count, "files": files, "by_file": by_file, **read}
