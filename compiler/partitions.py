"""The partitions of a created table: their names, and the statements that make them."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTable
from compiler.layout import relation_sql
from compiler.names import Name
from compiler.spec import Partition, Scalar, Word
from compiler.sql import Sql, fits, ident, join, literal

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Part:
    """One partition."""

    name: Name
    sql: Sql


def divided_by(table: BoundTable) -> Sql | None:
    """What stands behind PARTITION BY; None for a table without partitions."""
    if table.partition is None:
        return None
    return Sql(f"{table.partition.by.upper()} ({ident(table.partition.on.text)})")


def partitions(table: BoundTable) -> tuple[Part, ...]:
    """All partitions of the table, in order; the default last."""
    if table.partition is None:
        return ()
    return tuple(_part(table, suffix, bound) for suffix, bound in _bounds(table.partition))


def days(partition: Partition) -> Iterator[tuple[datetime.date, datetime.date]]:
    """The first day of each range, and the first that is not in it. The last may be shorter, to end at `until`."""
    assert partition.start is not None  # schema: a range has both
    assert partition.until is not None
    at, until = first_day(partition.start), first_day(partition.until)
    while at < until:
        after = min(_next(at, partition.every or "month"), until)
        yield at, after
        at = after


def first_day(word: Word) -> datetime.date:
    """`2025`, `2025-01` or `2025-01-31` as a day. Raises ValueError for a day that no calendar has."""
    year, month, day = (*map(int, word.text.split("-")), 1, 1)[:3]
    return datetime.date(year, month, day)


def _next(day: datetime.date, every: str) -> datetime.date:
    """The first day of the next calendar day, month, quarter or year."""
    if every == "day":
        return day + datetime.timedelta(days=1)
    months = _MONTHS[every]
    month = day.year * 12 + (day.month - 1) // months * months + months
    return datetime.date(month // 12, month % 12 + 1, 1)


def _suffix(day: datetime.date, every: str) -> str:
    match every:
        case "year":
            return f"{day.year:04}"
        case "quarter":
            return f"{day.year:04}_q{(day.month + 2) // 3}"
        case "month":
            return f"{day.year:04}_{day.month:02}"
    return f"{day.year:04}_{day.month:02}_{day.day:02}"


def _bounds(partition: Partition) -> Iterator[tuple[str, Sql]]:
    match partition.by:
        case "range":
            for first, after in days(partition):
                bound = Sql(f"FOR VALUES FROM ({literal(str(first))}) TO ({literal(str(after))})")
                yield _suffix(first, partition.every or "month"), bound
        case "list":
            for name, values in partition.values:
                yield name.text, Sql(f"FOR VALUES IN ({join(', ', map(_value, values))})")
        case "hash":
            count = partition.parts or 0
            for number in range(count):
                yield str(number), Sql(f"FOR VALUES WITH (MODULUS {count}, REMAINDER {number})")
    if partition.default:
        yield "default", Sql("DEFAULT")


def _value(value: Scalar) -> Sql:
    """A value of a list: as text, which the server reads as the column's type."""
    return literal(value if value is None or isinstance(value, str) else str(value).lower())


def _part(table: BoundTable, suffix: str, bound: Sql) -> Part:
    name = Name(table.target.schema, fits(f"{table.target.name}_{suffix}"))
    parent = relation_sql(table.target)
    return Part(name, Sql(f"CREATE TABLE {relation_sql(name)} PARTITION OF {parent} {bound};"))
