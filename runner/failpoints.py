"""Named places where a test kills the runner, as a crash would: TRANSHUME_FAILPOINT=after-claim:3 at the third passing.

The places, in the order of a chunk: before-fence, after-fence, after-claim, mid-copy, after-copy, after-load,
before-commit, after-commit. For every other change: ddl-before-fence, ddl-before-record, ddl-before-commit,
ddl-after-commit. For builds outside of a transaction: outside-before-intent, outside-before-record. The process gets
SIGKILL: no handler runs, no buffer is flushed.
"""

from __future__ import annotations

import os
import signal
import threading

_name, _, _count = os.environ.get("TRANSHUME_FAILPOINT", "").partition(":")
_left = int(_count or 1)
_lock = threading.Lock()


def failpoint(name: str) -> None:
    """Kill this process if the environment asks for it here; otherwise the cost is one comparison."""
    global _left
    if name != _name:
        return
    with _lock:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
