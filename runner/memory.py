"""How much memory the runner and its workers hold."""

from __future__ import annotations

import contextlib

import psutil


def resident() -> int:
    """Bytes of this process and of all below it. Pages that several of them share count for each."""
    here = psutil.Process()
    total = 0
    for process in (here, *here.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            total += process.memory_info().rss
    return total
