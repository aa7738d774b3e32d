"""Where everything is measured: one server with the same settings for all, and what a command costs there."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from runner import embedded
from runner.embedded import Server

ROOT = Path(__file__).parents[1]
SETTINGS = {  # the rest, autovacuum and fsync among it, is as PostgreSQL has it
    "shared_buffers": "1GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
}
TICK = 0.05  # seconds between two looks at the memory


class Failed(Exception):
    """A program did not end well; the message is its last output."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: seconds by the clock, seconds of CPU of the clients and of the server, bytes of the clients."""

    seconds: float
    clients: float
    server: float
    memory: int


@dataclass(frozen=True, slots=True)
class Site:
    """A running server and a folder that ends with it."""

    server: Server
    home: Path

    def execute(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """Run statements in a database, each by itself; the rows of the last one."""
        with contextlib.closing(psycopg.connect(self.server.conninfo(database), autocommit=True)) as session:
            for statement in statements:
                cursor = session.execute(statement.encode())
            return cursor.fetchall() if statements and cursor.description else []

    def psql(self, database: str, *arguments: str) -> list[str]:
        """The command line of a psql that stops at the first error."""
        return [str(self.server.bin / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.server.conninfo(database),
                *arguments]  # fmt: skip

    def fresh(self, database: str, template: str | None = None) -> None:
        """An empty database, or a copy, in place of one that may be there."""
        embedded.drop_database(self.server, database)
        embedded.create_database(self.server, database, template)

    def transhume(self, source: str, target: str, *arguments: str, cwd: Path | None = None, check: bool = True) -> int:
        """Run the command between two databases; its exit code. Raises Failed, if it is to `check`."""
        ends = {"LEGACY_DATABASE_URL": source, "TARGET_DATABASE_URL": target}
        urls = {name: self.server.conninfo(database) for name, database in ends.items()}
        environment = {**os.environ, **urls, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-m", "transhume", *arguments], cwd=cwd or self.home, env=environment,
                              capture_output=True, text=True)  # fmt: skip
        if check and done.returncode != 0:
            raise Failed(f"transhume {arguments[0]} ended with {done.returncode}\n{done.stderr}{done.stdout}")
        return done.returncode

    def measured(self, run: Callable[[], object]) -> Cost:
        """What `run` costs; it does its work in processes that it starts and waits for."""
        self.execute("postgres", "CHECKPOINT")
        server, clients, started = _server_cpu(self.server), _clients_cpu(), time.monotonic()
        with _peak_memory() as memory:
            run()
        seconds = time.monotonic() - started
        return Cost(seconds, _clients_cpu() - clients, _server_cpu(self.server) - server, memory[0])


@contextlib.contextmanager
def opened() -> Iterator[Site]:
    """A server of its own, in a folder under TRANSHUME_BENCH_HOME or /var/tmp that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="transhume-bench-", dir=os.environ.get("TRANSHUME_BENCH_HOME", "/var/tmp")))
    home.chmod(0o711)
    try:
        with embedded.running(home, settings=SETTINGS) as server:
            yield Site(server, home)
    finally:
        shutil.rmtree(home)


def run(command: Sequence[str], *, log: Path | None = None, cwd: Path | None = None) -> None:
    """Run a program to its end; its output is kept in `log`. Raises Failed."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if log is not None:
        log.write_text(done.stdout)
    if done.returncode != 0:
        raise Failed(f"{Path(command[0]).name} ended with {done.returncode}\n{done.stdout[-4000:]}")


def settings_line() -> str:
    """The server's settings, for the report."""
    return ", ".join(f"{name} {value}" for name, value in SETTINGS.items())


@contextlib.contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """The greatest sum of the resident memory of this process's children and theirs, found when the block ends."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(TICK):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _resident() -> int:
    total = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def _clients_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _server_cpu(server: Server) -> float:
    """Of the postmaster, of its processes, and of those that it has outlived.

    A process that ends while they are counted is either not counted or counted twice, so it is done again: a session
    ends shortly after its client has.
    """
    postmaster = psutil.Process(server.pid)
    while True:
        processes = postmaster.children()
        times = postmaster.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in processes:
                times = process.cpu_times()
                total += times.user + times.system
            if postmaster.children() == processes:
                return float(total)
