"""Trying again: how long, counted from where, and how often."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import pytest

from runner.errors import SqlError
from runner.retry import LONG, OUTAGES, persist


@dataclass
class Clock:
    """Time that passes when a try takes long, and when the next one is waited for."""

    now: float = 1000.0
    tries: list[float] = field(default_factory=list)

    def act(self, takes: Callable[[int], float], succeeds: int = 0) -> str:
        """A try that takes so long, and loses its connection unless it is the one that succeeds."""
        self.tries.append(self.now)
        self.now += takes(len(self.tries))
        if len(self.tries) == succeeds:
            return "done"
        raise psycopg.OperationalError("the connection is lost")

    def sleep(self, seconds: float) -> None:
        """What waits for the next try."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that runner/retry.py looks at."""
    clock = Clock()
    monkeypatch.setattr("runner.retry.time.monotonic", lambda: clock.now)
    monkeypatch.setattr("runner.retry.sleep_using_event", lambda event: clock.sleep)
    return clock


def tried(clock: Clock, takes: Callable[[int], float], patience: float, succeeds: int = 0) -> str:
    """What becomes of it, with so much patience."""
    return persist(
        lambda: clock.act(takes, succeeds), stop=threading.Event(), patience=patience, failed=lambda error: None
    )


def test_what_succeeds_leaves_nothing_to_collect() -> None:
    """No garbage in cycles: freeing it at a bad moment has stopped a worker's Python for good (runner/retry.py)."""
    stop = threading.Event()
    gc.collect()
    gc.disable()
    try:
        assert persist(lambda: "done", stop=stop, patience=60, failed=lambda error: None) == "done"
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_outage_is_waited_for(clock: Clock) -> None:
    """Tries that fail at once are repeated until the patience is at its end, counted from the first of them."""
    with pytest.raises(SqlError, match="the connection is lost"):
        tried(clock, lambda number: 0.0, patience=60)

    assert 60 <= clock.now - 1000 < 66
    assert len(clock.tries) > 12


@pytest.mark.parametrize("takes", [61, 3600])
def test_a_long_statement_is_tried_again(clock: Clock, takes: float) -> None:
    """A statement that ran for longer than the patience before its connection was lost is begun again."""
    assert tried(clock, lambda number: takes, patience=60, succeeds=2) == "done"


def test_long_work_ends_an_outage(clock: Clock) -> None:
    """Seconds of an outage before the server was there for long are not held against the next outage."""
    takes = {1: 0.0, 2: 50.0, 3: 10.0, 4: 10.0, 5: LONG, 6: 50.0, 7: 0.0}

    assert tried(clock, takes.__getitem__, patience=40, succeeds=7) == "done"
    with pytest.raises(SqlError):
        tried(Clock(), takes.__getitem__, patience=0, succeeds=7)


def test_what_crashes_the_server_each_time_is_given_up(clock: Clock) -> None:
    """However long the tries last, their number is bounded."""
    with pytest.raises(SqlError):
        tried(clock, lambda number: 500.0, patience=60)

    assert len(clock.tries) == OUTAGES + 1


def test_a_wait_for_a_connection_is_no_work(clock: Clock) -> None:
    """Tries that each wait for a server that does not answer are one outage."""
    with pytest.raises(SqlError):
        tried(clock, lambda number: 10.0, patience=25)

    assert len(clock.tries) == 4


def test_no_patience(clock: Clock) -> None:
    """With a patience of zero the first failure is the last."""
    with pytest.raises(SqlError):
        tried(clock, lambda number: 100.0, patience=0)

    assert len(clock.tries) == 1
