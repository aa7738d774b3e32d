"""What is tried again, and for how long: told by SQLSTATE, with jittered back-off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
from tenacity import RetryCallState, Retrying, retry_if_exception, sleep_using_event
from tenacity.stop import stop_base, stop_when_event_set
from tenacity.wait import wait_exponential, wait_random

from runner.errors import SqlError

T = TypeVar("T")

PATIENCE = 60.0  # seconds of outage, or of waiting for locks, before a step is given up
LONG = 30.0  # seconds of a try that was at work, and was not just kept waiting
OUTAGES = 5  # that one act may meet: a statement that crashes the server each time is given up
CANCELLED = "57014"
# Somebody else was in the way, and nothing is wrong: serialization, deadlock, lock timeout, too many connections.
BUSY = frozenset({"40001", "40P01", "55P03", "53300"})


def passing(error: SqlError) -> bool:
    """Whether the same again may succeed: the connection was lost, or somebody was in the way."""
    return error.lost or error.sqlstate in BUSY


@dataclass(slots=True)
class Outages(stop_base):
    """Counts the seconds of an outage from its first failure; a try that lasted long has ended the outage before it."""

    patience: float
    number: int = field(default=0, init=False)
    tried: float = field(default=0, init=False)
    failed: float = field(default=0, init=False)

    def begin(self) -> None:
        """A try begins."""
        self.tried = time.monotonic()

    def __call__(self, state: RetryCallState) -> bool:
        """A try has failed; whether it was the last one."""
        now = time.monotonic()
        if not self.number or now - self.tried >= LONG:
            self.number, self.failed = self.number + 1, now
        return self.number > OUTAGES or now - self.failed >= self.patience


def persist(
    act: Callable[[], T],
    *,
    stop: threading.Event,
    patience: float,
    failed: Callable[[SqlError], None],
    worth: Callable[[SqlError], bool] = passing,
) -> T:
    """Call `act` until it succeeds, `patience` seconds of an outage at most; `failed` is told before each other try.

    Raises SqlError: one that is not `worth` another try, or the last one. Setting `stop` ends it at once.
    """
    outages = Outages(patience)

    def located() -> T:
        outages.begin()
        try:
            return act()
        except psycopg.Error as error:  # of the journal's own statements: they have no place in the plan
            raise SqlError(error) from error

    # Nearly every act succeeds at once, and needs no Retrying: one takes 0.02 ms, and is garbage in a cycle that holds
    # a threading.local. Freeing that while a profiler asks for all threads' frames, as Dask's does every 10 ms, stops
    # Python before 3.11.9 for good: https://github.com/python/cpython/issues/106883
    try:
        return located()
    except SqlError as error:
        if not worth(error):
            raise
        first = [error]

    def again() -> T:
        if first:
            raise first.pop()
        return located()

    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, SqlError):
            failed(error)

    return Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, SqlError) and worth(error)),
        stop=outages | stop_when_event_set(stop),
        wait=wait_exponential(multiplier=0.05, max=5) + wait_random(0, 0.2),
        sleep=sleep_using_event(stop),
        before_sleep=before_sleep,
        reraise=True,
    )(again)
