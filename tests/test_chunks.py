"""The size of a chunk: a second of work, between two numbers, and never too many bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.chunks import BYTES, Pace


def test_it_grows_to_a_second_of_work() -> None:
    """From the smallest on, at most doubling, to as many rows as a second moves."""
    pace = Pace(2_000, 50_000)
    sizes = []
    for _ in range(7):
        sizes.append(pace.rows)
        pace.succeeded(pace.rows, pace.rows * 100, pace.rows / 30_000)

    assert sizes == [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]


def test_wide_rows_make_small_chunks() -> None:
    """Rows of a megabyte: the bytes count, also below the smaller number."""
    pace = Pace(2_000, 50_000)
    pace.succeeded(2_000, 2_000 * 2**20, 5)

    assert pace.rows == BYTES // 2**20


def test_trouble_halves_down_to_one() -> None:
    """Failures go below the smaller number, down to one row; success comes back."""
    pace = Pace(4, 100)
    for expected in (2, 1, 1):
        pace.shrink()
        assert pace.rows == expected
    assert pace.smallest
    pace.succeeded(1, 10, 0.001)
    assert pace.rows == 2


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**10), st.floats(0, 1000)), max_size=20))
def test_it_is_always_possible(chunks: list[tuple[int, int, float]]) -> None:
    """Whatever a chunk was like, the next has a row at least and no more than the greatest number."""
    pace = Pace(10, 1_000)
    for rows, size, seconds in chunks:
        pace.succeeded(rows, size, seconds)
        assert 1 <= pace.rows <= 1_000
