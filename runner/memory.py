"""How much memory the runner and its workers hold."""

from __future__ import annotations

import contextlib
import multiprocessing
import os

import psutil


def resident() -> int:
    """Bytes of this process and of its workers. Pages that several of them share count for each.

    Only the workers are looked for: to find all processes below this one takes a look at every process there is.
    """
    total = 0
    for process in (os.getpid(), *(child.pid for child in multiprocessing.active_children())):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            total += psutil.Process(process).memory_info().rss
    return total
