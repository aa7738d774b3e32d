"""Ctrl-C and SIGTERM while steps are at work: a flag that they look at, not an exception in the middle of anything."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

GRACE = 3.0  # seconds that the chunks at work have to end, before their statements are cancelled


class Interrupts:
    """Counts the signals. The first sets `stop`; after GRACE seconds, or at the second, `cancel` is called."""

    def __init__(self, stop: threading.Event, cancel: Callable[[], None]) -> None:
        self._stop, self._cancel = stop, cancel
        self._timers: list[threading.Timer] = []

    @property
    def happened(self) -> bool:
        """Whether there was one."""
        return bool(self._timers)

    def handle(self, signum: int, frame: FrameType | None) -> None:
        """A signal handler. The cancelling is done by a thread: a handler must not wait for a server."""
        self.request()

    def request(self) -> None:
        """End the run, from whatever thread."""
        self._stop.set()
        self._timers.append(threading.Timer(0 if self._timers else GRACE, self._cancel))
        self._timers[-1].start()

    def end(self) -> None:
        """Nothing is to be cancelled any more."""
        for timer in self._timers:
            timer.cancel()


@contextmanager
def interruptible(stop: threading.Event, cancel: Callable[[], None]) -> Iterator[Interrupts]:
    """Handle SIGINT and SIGTERM for as long as the block lasts; only in the main thread, which alone gets signals."""
    interrupts = Interrupts(stop, cancel)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {number: signal.signal(number, interrupts.handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        interrupts.end()
        for number, handler in before.items():
            signal.signal(number, handler)
