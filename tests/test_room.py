"""The memory bound's room: it slows down, and never stops; what is read ahead is bounded, and ends when told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.prefetch import Prefetch
from runner.room import AHEAD, COPIES, EASY, TIGHT, Room

MB = 2**20


def let_in(room: Room, widths: list[int]) -> list[int]:
    """The chunks that are moved at once, of those that ask one after the other, as long as none of them ends."""
    leave = threading.Event()
    inside: list[int] = []

    def move(width: int) -> None:
        with room.chunk(width):
            inside.append(width)
            leave.wait()

    threads = [threading.Thread(target=move, args=(width,), daemon=True) for width in widths]
    for thread in threads:
        thread.start()
        deadline = time.monotonic() + 0.05
        while room.busy == len(inside) and time.monotonic() < deadline and thread.is_alive():
            time.sleep(0.001)
    found = inside.copy()
    assert len(found) == room.busy
    leave.set()
    for thread in threads:
        thread.join(30)
    assert len(inside) == len(widths)
    assert room.busy == 0
    return found


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.lists(st.integers(0, 200), max_size=5), st.lists(st.integers(0, 20), max_size=6))
def test_one_at_least_and_never_too_many(lanes: int, residents: list[int], widths: list[int]) -> None:
    """Whatever was resident, and however wide the rows are, one chunk is moved, and no more than fit."""
    room = Room(100 * MB, lanes, 40 * MB)
    allowed = lanes
    for resident in residents:
        room.update(resident * MB)
        allowed = max(1, allowed - 1) if resident > 85 else min(lanes, allowed + 1) if resident < 70 else allowed
    inside = let_in(room, [width * MB for width in widths])

    assert len(inside) <= allowed
    assert len(inside) == min(1, len(widths)) or 40 * MB + COPIES * sum(inside) <= 100 * MB * TIGHT


def test_it_gives_way_and_comes_back() -> None:
    """Above the bound's larger share a chunk less and nothing read ahead; below the smaller one all of it again."""
    room = Room(100 * MB, 3)
    ahead = room.ahead
    room.update(int(100 * MB * TIGHT) + 1)
    tight = room.tight, room.ahead
    room.update(int(100 * MB * EASY) - 1)

    assert 0 < ahead <= min(AHEAD, 100 * MB // 3)
    assert (tight, room.tight, room.ahead) == ((True, 0), False, ahead)


def test_no_bound() -> None:
    """Without a bound all lanes are at work, whatever is resident."""
    room = Room(None, 3)
    room.update(10**12)

    assert len(let_in(room, [10**9] * 4)) == 3
    assert room.ahead == AHEAD


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 50), st.integers(0, 30))
def test_what_is_ahead_fits(sizes: list[int], room: int, takes: int) -> None:
    """Items come in order; what waits and what is at work fit, or are one item; closing at any moment ends it."""
    ahead: Prefetch[bytes] = Prefetch(iter([bytes(size) for size in sizes]), len, lambda: room)
    taken = []
    for _ in range(takes):
        if (item := ahead.take()) is None:
            break
        taken.append(len(item))
        held = [len(waiting) for waiting in tuple(ahead._waiting)] + [len(item)]
        assert sum(held) <= room or sum(size > 0 for size in held) == 1
    thread = ahead._thread
    ahead.close(lambda: None)

    assert taken == sizes[:takes]
    assert not thread.is_alive()


def test_closing_interrupts() -> None:
    """Where the reader waits for the server, closing makes it stop waiting; again, where it waits for more."""
    told = threading.Semaphore(0)

    def items() -> Iterator[bytes]:
        for _ in range(2):
            assert told.acquire(timeout=30)
        yield b"late"

    ahead = Prefetch(items(), len, lambda: 10)
    ahead.close(told.release)

    assert not ahead._thread.is_alive()


def test_errors_come_in_their_turn() -> None:
    """What was read before an error is handed over first; the error is raised again each time."""

    def items() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    ahead = Prefetch(items(), len, lambda: 10)

    assert ahead.take() == b"one"
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            ahead.take()


def test_reading_goes_on_while_an_item_is_at_work() -> None:
    """The next item is read before the one at work is done with, as far as there is room."""
    read = []

    def items() -> Iterator[bytes]:
        for number in range(5):
            read.append(number)
            yield bytes(4)

    ahead = Prefetch(items(), len, lambda: 12)
    ahead.take()
    deadline = time.monotonic() + 30
    while len(read) < 4:  # one at work, two that wait, one held back
        assert time.monotonic() < deadline
    assert len(ahead._waiting) == 2
    ahead.close(lambda: None)
    assert read == [0, 1, 2, 3]
