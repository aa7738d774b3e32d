"""Lanes: chunks side by side that commit in their order; behind one that fails, none does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.lanes import Lanes, Slots


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 4), st.integers(0, 9))
def test_committed_in_order(delays: list[int], jobs: int, failing: int) -> None:
    """However long each takes, commits are a prefix of the chunks: up to the one that fails, or all of them."""
    committed: list[int] = []

    def move(chunk: int, turn: Callable[[], None]) -> int:
        time.sleep(delays[chunk] / 1000)
        if chunk == failing:
            raise ValueError(f"chunk {chunk}")
        turn()
        committed.append(chunk)
        return chunk * 10

    with ThreadPoolExecutor(jobs) as pool:
        lanes: Lanes[int, int] = Lanes(pool, move)
        for chunk in range(len(delays)):
            lanes.start(chunk)
        with pytest.raises(ValueError, match=f"chunk {failing}") if failing < len(delays) else nullcontext():
            while lanes.flight:
                chunk, moved = lanes.first()
                assert moved == chunk * 10
        assert not lanes.flight

    assert committed == list(range(min(failing, len(delays))))


def test_all_have_ended_when_one_has_failed() -> None:
    """After an error no chunk is at work any more, so that the journal can be read."""
    ended = threading.Event()

    def move(chunk: int, turn: Callable[[], None]) -> None:
        if chunk == 0:
            raise ValueError("chunk 0")
        time.sleep(0.05)
        ended.set()
        turn()

    with ThreadPoolExecutor(2) as pool:
        lanes: Lanes[int, None] = Lanes(pool, move)
        lanes.start(0)
        lanes.start(1)
        with pytest.raises(ValueError, match="chunk 0"):
            lanes.first()
        assert ended.is_set()


def test_spare_jobs() -> None:
    """What steps do not need is spare, and never less than nothing."""
    slots = Slots(2)
    assert slots.spare == 2
    with slots.taken():
        assert slots.spare == 1
        with slots.taken(), slots.taken():
            assert slots.spare == 0
    assert slots.spare == 2
