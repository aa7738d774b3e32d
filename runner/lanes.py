"""Chunks of one table side by side, where jobs are free: each in sessions of its own, committed in their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

C = TypeVar("C")
R = TypeVar("R")


class Slots:
    """How many of a run's jobs are taken by steps; a load may use those that are not, for a second chunk."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._busy, self._lock = jobs, 0, threading.Lock()
        self.pool = ThreadPoolExecutor(jobs, "chunk")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One job is at work."""
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    @property
    def spare(self) -> int:
        """How many jobs have nothing to do."""
        return max(0, self._jobs - self._busy)


@dataclass(slots=True)
class Lanes(Generic[C, R]):
    """The chunks of one table that are at work, oldest first.

    `move` is given a chunk and `turn`, which it calls before its checkpoint: it waits until the chunk before is
    committed, and raises where that failed. So what is committed never has a gap. A chunk waits only for one that was
    submitted before it, to the same first-in-first-out pool: that one is at work already.
    """

    pool: ThreadPoolExecutor
    move: Callable[[C, Callable[[], None]], R]
    flight: deque[tuple[C, Future[R]]] = field(default_factory=deque)

    def start(self, chunk: C) -> None:
        """Put a chunk to work, behind those that are."""
        before = self.flight[-1][1] if self.flight else None

        def turn() -> None:
            if before is not None:
                before.result()

        self.flight.append((chunk, self.pool.submit(self.move, chunk, turn)))

    def first(self) -> tuple[C, R]:
        """Wait for the oldest chunk and take it out. Raises what it raised; then every other has ended too."""
        chunk, future = self.flight.popleft()
        try:
            return chunk, future.result()
        except BaseException:
            self.drain()
            raise

    def drain(self) -> None:
        """Wait for all that are at work; those behind a failed one fail as well."""
        wait([future for _, future in self.flight])
        self.flight.clear()
