"""The pace of a lane that has a rate."""

from hypothesis import example, given
from hypothesis import strategies as st

from runner.throttle import wait_for_rate

ROWS = st.integers(0, 10**9)
SECONDS = st.floats(0, 10**6)
RATES = st.floats(0.01, 10**9)


@given(rows=ROWS, seconds=SECONDS, rate=RATES)
@example(rows=0, seconds=0.0, rate=100.0)
def test_a_lane_sleeps_until_its_rate_is_kept_and_no_longer(rows: int, seconds: float, rate: float) -> None:
    """With the sleep the chunk has taken what its rows take at that rate, or what it took anyway where that is more."""
    slept = wait_for_rate(rows, seconds, rate)

    assert slept >= 0
    assert abs(seconds + slept - max(seconds, rows / rate)) <= 1e-9 * max(seconds, rows / rate)


@given(rows=ROWS, seconds=SECONDS)
def test_a_lane_without_a_rate_never_sleeps(rows: int, seconds: float) -> None:
    """No limit, no sleep."""
    assert wait_for_rate(rows, seconds, None) == 0


@given(chunks=st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 100)), min_size=1, max_size=20), rate=RATES)
def test_over_many_chunks_the_rate_is_never_passed(chunks: list[tuple[int, float]], rate: float) -> None:
    """However the sizes of chunks change."""
    seconds = sum(taken + wait_for_rate(rows, taken, rate) for rows, taken in chunks)

    assert sum(rows for rows, _ in chunks) <= rate * seconds * (1 + 1e-9)
