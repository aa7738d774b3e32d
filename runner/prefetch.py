"""An iterator that runs ahead in a thread of its own, as far as so many bytes allow."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Hands over what `items` yields. At most `room()` bytes wait or are at work, or a single item that is larger.

    An item is at work from when it is taken until the next one is asked for. One more may be there, read and held back.
    `size` is the bytes of an item. What `items` raises is raised by the `take` that would have got the next item.
    """

    def __init__(self, items: Iterator[T], size: Callable[[T], int], room: Callable[[], int]) -> None:
        self._size, self._room = size, room
        self._waiting: deque[T] = deque()
        self._bytes = self._at_work = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(items,), name="read ahead", daemon=True)
        self._thread.start()

    def take(self) -> T | None:
        """The next item, once there is one; None behind the last."""
        with self._changed:
            self._bytes -= self._at_work
            self._at_work = 0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._waiting:
                item = self._waiting.popleft()
                self._at_work = self._size(item)
                return item
            if self._error is not None:
                raise self._error
            return None

    def close(self, interrupt: Callable[[], None]) -> None:
        """End the thread and wait for it; `interrupt` ends what it may be waiting for."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        while self._thread.is_alive():
            interrupt()
            self._thread.join(0.2)

    def _run(self, items: Iterator[T]) -> None:
        try:
            for item in items:
                size = self._size(item)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or not self._bytes or self._fits(size))  # noqa: B023
                    if self._closed:
                        return
                    self._waiting.append(item)
                    self._bytes += size
                    self._changed.notify_all()
                del item  # it is not kept while the next one is read
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _fits(self, size: int) -> bool:
        return self._bytes + size <= self._room()
