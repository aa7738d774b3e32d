"""A server that may be crashed, and how."""

from __future__ import annotations

import contextlib
import signal
import time

import psutil

from runner.embedded import Server

# A server that is killed loses nothing without fsync, as long as the machine stays up; autovacuum is to come soon.
SETTINGS = {"fsync": "off", "autovacuum_naptime": "1s"}


def crash(server: Server) -> None:
    """Kill the server's processes as a power cut would, as far as a process can."""
    postmaster = psutil.Process(server.pid)
    children = postmaster.children()
    postmaster.send_signal(signal.SIGKILL)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGKILL)
    psutil.wait_procs([postmaster, *children], timeout=10)
    time.sleep(0.2)
