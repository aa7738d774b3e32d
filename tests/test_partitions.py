"""Partitions: which there are, what they are called, where one ends and the next begins."""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.partitions import days, divided_by, partitions
from compiler.spec import Partition, Word
from tests.tables import SPAN, copied, table

Every = Literal["day", "month", "quarter", "year"]


def word(text: str) -> Word:
    """A word of a spec."""
    return Word(text, SPAN)


RANGE = Partition("range", word("at"), "month", word("2024-11"), word("2025-02"), (), None, True, SPAN)


def made(partition: Partition) -> list[tuple[str, str]]:
    """The partitions of a table `log`: name and bound."""
    found = partitions(table("log", copied("at", "date"), partition=partition))
    return [(str(part.name), part.sql.split(" PARTITION OF app.log ")[1]) for part in found]


def test_months() -> None:
    """A month ends where the next begins; the default is last."""
    assert divided_by(table("log", partition=RANGE)) == "RANGE (at)"
    assert made(RANGE) == [
        ("app.log_2024_11", "FOR VALUES FROM ('2024-11-01') TO ('2024-12-01');"),
        ("app.log_2024_12", "FOR VALUES FROM ('2024-12-01') TO ('2025-01-01');"),
        ("app.log_2025_01", "FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');"),
        ("app.log_default", "DEFAULT;"),
    ]


@pytest.mark.parametrize(
    "every, start, until, names",
    [
        ("day", "2024-02-28", "2024-03-02", ["2024_02_28", "2024_02_29", "2024_03_01"]),
        ("quarter", "2024", "2025", ["2024_q1", "2024_q2", "2024_q3", "2024_q4"]),
        ("quarter", "2024-02", "2024-08-15", ["2024_q1", "2024_q2", "2024_q3"]),
        ("year", "0999", "1001", ["0999", "1000"]),
    ],
)
def test_names(every: Every, start: str, until: str, names: list[str]) -> None:
    """A partition is called after the time that it holds."""
    spec = replace(RANGE, every=every, start=word(start), until=word(until), default=False)

    assert [name.removeprefix("app.log_") for name, _ in made(spec)] == names


@given(st.sampled_from(["day", "month", "quarter", "year"]), st.dates(), st.dates())
def test_ranges_meet(every: Every, one: object, other: object) -> None:
    """From the first day to the last there is no gap and no overlap."""
    start, until = sorted([str(one), str(other)])
    if int(until[:4]) - int(start[:4]) > 30 or until >= "9999":
        start = until
    found = list(days(replace(RANGE, every=every, start=word(start), until=word(until))))

    assert all(first < after for first, after in found)
    assert all(after == first for (_, after), (first, _) in pairwise(found))
    assert [str(found[0][0]), str(found[-1][1])] == [start, until] if found else start == until


def test_lists_and_hashes() -> None:
    """Values of a list are texts, which the server reads as the column's type."""
    values = ((word("north"), ("NY", 7, True, None)), (word("it's"), ("x'y",)))
    assert made(replace(RANGE, by="list", values=values)) == [
        ("app.log_north", "FOR VALUES IN ('NY', '7', 'true', NULL);"),
        ("app.log_it's", "FOR VALUES IN ('x''y');"),
        ("app.log_default", "DEFAULT;"),
    ]
    assert made(replace(RANGE, by="hash", parts=2, default=False)) == [
        ("app.log_0", "FOR VALUES WITH (MODULUS 2, REMAINDER 0);"),
        ("app.log_1", "FOR VALUES WITH (MODULUS 2, REMAINDER 1);"),
    ]


def test_no_partition() -> None:
    """A table as most are."""
    assert partitions(table("log")) == ()
    assert divided_by(table("log")) is None
