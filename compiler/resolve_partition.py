"""What a spec says about partitions, against the column that decides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from compiler import partitions
from compiler.constants import constant
from compiler.diagnostics import Diagnostic, known_here
from compiler.resolve_table import Draft
from compiler.spec import Partition
from compiler.types import read_type
from compiler.world import Here

MOST = 1000  # planning slows down with each partition, and so do locks
_RANGED = ("date", "timestamp", "timestamptz")


def check_partition(found: Draft) -> Iterator[Diagnostic]:
    """What cannot be; and a warning where the primary key becomes wider."""
    partition, here = found.here.table.partition, found.here
    if partition is None or here.existing is not None:
        return
    column = next((column for column in found.columns if column.name == partition.on.text), None)
    if column is None:
        hint = known_here(partition.on.text, (column.name for column in found.columns))
        message = f'column "{partition.on}" does not exist in target table "{here.id}"'
        yield Diagnostic("E313", message, partition.on.span, "unknown column", hint)
        return
    if partition.by == "range":
        yield from _range(partition, column.type)
    elif partition.by == "list":
        yield from _list(partition, here, column.type)
    if partition.on.text not in {word.text for word in here.table.key} and here.table.key:
        message = f'the primary key of "{here.id}" becomes ({", ".join(here.key)}): that of a partitioned table must'
        hint = f"references to it have no foreign key; two rows may have the same {here.table.key[0]}"
        here.world.warn("W503", message, partition.on.span, "joins the key", hint)


def _range(partition: Partition, type: str) -> Iterator[Diagnostic]:
    if read_type(type).family not in _RANGED:
        message = f'partitions by {partition.every} need a date or a timestamp, and "{partition.on}" is of type {type}'
        hint = "take another column, or {by: list} or {by: hash}"
        yield Diagnostic("E508", message, partition.on.span, "of another type", hint)
    if sum(1 for _ in islice(partitions.days(partition), MOST + 1)) > MOST:
        message = f"there would be more than {MOST} partitions"
        yield Diagnostic("E508", message, partition.span, f"one for every {partition.every}", "take longer ones")


def _list(partition: Partition, here: Here, type: str) -> Iterator[Diagnostic]:
    side = here.world.types.of_target(read_type(type))
    for name, values in partition.values:
        for value in values:
            try:
                constant(value, side)
            except ValueError as error:
                hint = f'list values of type {type}, as "{partition.on}" has them'
                yield Diagnostic("E508", f'partition "{name}": {error}', name.span, "does not fit", hint)
