"""A server crashes, loses a process, comes back from an old copy: the run goes on, or says why not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from runner import embedded
from runner.connect import address, open_target
from runner.embedded import Server
from tests.faults.conftest import Make, Quietly
from tests.faults.depot import SOURCE, Depot, until
from tests.pg.crashing import crash

Start = Callable[[], Server]
Moved = Callable[..., Depot]


@pytest.fixture
def moved(depots: Make, fragile: Start) -> Iterator[Moved]:
    """Makes a migration of which one side is on the server that may be crashed."""
    name = f"fragile_{os.getpid()}"

    def make(side: str = "target") -> Depot:
        depot, server = depots(), fragile()
        embedded.create_database(server, name)
        if side == "target":
            return Depot(depot.folder, depot.source, server.conninfo(name))
        with closing(psycopg.connect(server.conninfo(name), autocommit=True)) as session:
            session.execute(SOURCE.encode())
        return Depot(depot.folder, server.conninfo(name), depot.target)

    yield make
    embedded.drop_database(fragile(), name)


def killed(depot: Depot, chunks: int) -> None:
    """Apply, until there are so many chunks more; then kill the runner."""
    before = depot.chunks()
    depot.killed_once(lambda: depot.chunks() >= before + chunks)


@pytest.mark.faults
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_server_crashes(moved: Moved, fragile: Start, quietly: Quietly, side: str) -> None:
    """Killed with all its processes and started again, either server costs the chunks in flight, and no more.

    The role of the target would not wait for the disk; the runner does, so what the journal says is on it.
    """
    depot = moved(side)
    if side == "target":
        depot.ask("ALTER DATABASE {} SET synchronous_commit = off".format(*depot.ask("SELECT current_database()")[0]))
    runner = depot.start()
    until(lambda: depot.chunks() > 20)
    crash(fragile())
    fragile()
    told = runner.ended()

    assert any("trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


def test_the_commit_is_waited_for(depots: Make) -> None:
    """A database or role that answers before the disk does is told to wait for it."""
    depot = depots()
    depot.ask("ALTER DATABASE {} SET synchronous_commit = off".format(*depot.ask("SELECT current_database()")[0]))

    with closing(open_target(address("TARGET_DATABASE_URL", depot.target), "test", 1)) as session:
        assert session.execute("SHOW synchronous_commit").fetchone() == ("on",)


@pytest.mark.faults
def test_a_process_of_the_server_is_killed(moved: Moved, quietly: Quietly) -> None:
    """As when memory runs out: the server ends every session and recovers, the run reconnects and goes on."""
    depot = moved()
    runner = depot.start()
    until(lambda: depot.chunks() > 20)
    query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'transhume:%' AND state <> 'idle' LIMIT 1"
    until(lambda: ended_one(depot, query))
    told = runner.ended()

    assert any("trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


def ended_one(depot: Depot, query: str) -> bool:
    """Kill the processes that a query finds; whether there was one."""
    found = depot.ask(query)
    for (pid,) in found:
        os.kill(pid, signal.SIGKILL)
    return bool(found)


def copied(server: Server, where: Path) -> None:
    """Stop the server and keep a copy of all that it has."""
    server.stop()
    subprocess.run(["cp", "-a", server.data, where], check=True)


def restored(server: Server, where: Path) -> None:
    """Stop the server and put the copy in the place of its data."""
    server.stop()
    shutil.rmtree(server.data)
    where.rename(server.data)


@pytest.mark.faults
@pytest.mark.parametrize("begun", [True, False], ids=["amid the run", "before the run"])
def test_the_target_comes_back_from_an_old_copy(moved: Moved, fragile: Start, quietly: Quietly, begun: bool) -> None:
    """Journal and rows go back together: the run goes on from where the copy was taken; if that was before, anew."""
    depot = moved()
    server = fragile()
    copy = server.data.with_name("copy")
    if begun:
        killed(depot, 30)
    copied(server, copy)
    fragile()
    kept = depot.chunks()
    killed(depot, 30)
    restored(server, copy)
    fragile()

    assert (depot.chunks(), depot.torn()) == (kept, [])
    depot.applied()
    assert depot.end().differs(quietly().end) == []


def test_rows_without_a_journal(depots: Make) -> None:
    """Where only the journal was lost, what is in the target is nobody's: refused, and left as it is."""
    depot = depots()
    query = "SELECT count(*) > 0 FROM transhume.chunk WHERE step = 'load.customers' AND loaded > 0"
    depot.killed_once(lambda: depot.begun() and depot.ask(query) == [(True,)])
    depot.ask("DROP SCHEMA transhume CASCADE")
    rows = depot.ask("SELECT count(*) FROM app.customers")

    done = depot.command("apply")

    assert done.returncode == 4, done.stderr
    assert "is there already" in done.stderr
    assert rows != [(0,)]
    assert depot.ask("SELECT count(*) FROM app.customers") == rows


@pytest.mark.faults
def test_an_orphan_ends_by_itself(depots: Make) -> None:
    """What a dead runner left at work in the server is ended by the server, though nobody applies again."""
    depot = depots()
    with depot.start() as runner:
        until(lambda: depot.chunks() > 5)
        with closing(psycopg.connect(depot.target)) as session:
            session.execute("LOCK TABLE transhume.run IN ACCESS EXCLUSIVE MODE")  # every change waits for it
            runner.kill()
            runner.wait()
    started = time.monotonic()
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'transhume:%%' AND datname = %s"
    name = depot.ask("SELECT current_database()")[0][0]
    until(lambda: depot.ask(query, name) == [(0,)], 0.1)
    assert time.monotonic() - started < 60
