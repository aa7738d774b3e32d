"""The memory bound of a run: what waits in memory, and how many chunks are moved at once, give way to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AHEAD = 4 * 2**20  # bytes that a lane reads ahead: some hundredths of a second of its work
COPIES = 4  # of a row while it passes: the receiving buffer, which doubles, a row held back, and one at work
TIGHT, EASY = 0.85, 0.7  # of the bound: above the one a chunk at a time less, below the other one more


class Room:
    """Room for `lanes` chunks at once. `bound` is in bytes, for the whole process; None for no bound.

    `resident` is what the process holds before anything is moved.

    One chunk at a time is always moved: a single row that does not fit is the server's to send.
    """

    def __init__(self, bound: int | None, lanes: int, resident: int = 0) -> None:
        self._bound, self._lanes = bound, lanes
        self._held = resident  # what it will hold, as far as that is known of the chunks at work
        self._allowed, self.busy = lanes, 0
        self._changed = threading.Condition()
        self.tight = False

    @property
    def ahead(self) -> int:
        """How many bytes a lane may read ahead now."""
        if self._bound is None:
            return AHEAD
        return 0 if self.tight else min(AHEAD, self._bound // (16 * self._lanes))

    def update(self, resident: int) -> None:
        """Adapt to how many bytes the process has resident now."""
        if self._bound is None:
            return
        with self._changed:
            self.tight = resident > TIGHT * self._bound
            if self.tight:
                self._allowed = max(1, self._allowed - 1)
            elif resident < EASY * self._bound:
                self._allowed = min(self._lanes, self._allowed + 1)
            self._changed.notify_all()

    @contextmanager
    def chunk(self, width: float = 0) -> Iterator[None]:
        """Move one chunk, once there is room for it; a row has about `width` bytes."""
        need = int(COPIES * width)
        with self._changed:
            self._changed.wait_for(lambda: not self.busy or (self.busy < self._allowed and self._fits(need)))
            self.busy += 1
            self._held += need
        try:
            yield
        finally:
            with self._changed:
                self.busy -= 1
                self._held -= need
                self._changed.notify_all()

    def _fits(self, need: int) -> bool:
        return self._bound is None or self._held + need <= TIGHT * self._bound
