"""What lives beside a run: a standby that lags, a session that waits for a lock."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from runner import embedded
from runner.embedded import Server
from runner.embedded_cluster import Cluster
from tests.conftest import UNSAFE

PATIENCE = 30  # seconds


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby of the server `primary`; `name` is the one that the primary knows it by."""

    name: str
    primary: Server
    server: Server

    def stop_replay(self) -> None:
        """Let it fall behind: it still receives the log, and replays none of it."""
        with closing(psycopg.connect(self.server.conninfo("postgres"), autocommit=True)) as session:
            session.execute("SELECT pg_wal_replay_pause()")
            state = "SELECT pg_get_wal_replay_pause_state()"
            until(lambda: session.execute(state).fetchone() == ("paused",), "the standby still replays")

    def replay(self) -> None:
        """Let it catch up."""
        with closing(psycopg.connect(self.server.conninfo("postgres"), autocommit=True)) as session:
            session.execute("SELECT pg_wal_replay_resume()")


@contextlib.contextmanager
def standby(primary: Server, name: str) -> Iterator[Standby]:
    """A standby that streams from the server, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="transhume-", dir="/tmp") as root:
        folder = Path(root)
        folder.chmod(0o711)
        with Cluster.at(folder, primary.bin) as cluster:
            where = make_conninfo(primary.conninfo("postgres"), application_name=name)
            backup = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname", where)
            done = cluster.user.run(primary.bin / "pg_basebackup", "-D", cluster.data, *backup, cwd=cluster.folder)
            assert done.returncode == 0, done.stdout
        server = embedded.start(folder, settings=UNSAFE, bin=primary.bin)
        try:
            yield Standby(name, primary, server)
        finally:
            embedded.stop(folder, bin=primary.bin)


@contextlib.contextmanager
def waiting(conninfo: str, statement: str, application: str) -> Iterator[int]:
    """A session that waits for a lock with that statement; its process. It gives up when the block ends."""
    with (
        closing(psycopg.connect(conninfo, autocommit=True)) as session,
        closing(psycopg.connect(conninfo, autocommit=True, application_name=application)) as waiter,
    ):
        pid = waiter.info.backend_pid

        def wait() -> None:
            with contextlib.suppress(psycopg.errors.QueryCanceled):
                waiter.execute(statement.encode())

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            query = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s"
            until(lambda: session.execute(query, (pid,)).fetchone() == ("Lock",), "the session never waited")
            yield pid
        finally:
            waiter.cancel_safe()
            thread.join()
