"""One PostgreSQL cluster on disk: made, started from whatever state it was left in, stopped."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from runner.embedded_home import Account, EmbeddedError, account, major, prepare_home, reachable, socket_folder

SUPERUSER = "postgres"
START_LIMIT = 300  # seconds: recovery after a crash reads up to max_wal_size of log
ORPHAN_LIMIT = 15  # seconds for the backends of a killed server to notice and end
NO_PROCESS = 2**22 + 1  # above the greatest pid of Linux and macOS
LOG_LIMIT = 4_000_000  # bytes of log after which a start begins a new one

SETTINGS: Mapping[str, str] = {  # a bulk load on two cores; the rest is PostgreSQL's own
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",  # fewer checkpoints during the load
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster on disk. Every method expects its lock to be held: see `at`."""

    home: Path
    folder: Path
    bin: Path
    version: int
    user: Account

    @classmethod
    @contextlib.contextmanager
    def at(cls, home: Path, binaries: Path) -> Iterator[Cluster]:
        """The cluster of these binaries under `home`, locked against other processes."""
        version = major(binaries)
        home = prepare_home(home)
        folder = home / f"pg{version}"
        with _locked(home / f"{folder.name}.lock"):
            user = account(folder)
            try:
                user.own(folder)
                user.must_reach(folder)
                yield cls(home, folder, reachable(binaries, user, home), version, user)
            except OSError as error:
                raise EmbeddedError(
                    f"cannot prepare the embedded server in {folder}: {error}", "TRANSHUME_HOME chooses another folder"
                ) from None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def socket(self) -> Path:
        """The folder of the socket, made where it is missing: something may have swept /tmp."""
        return socket_folder(self.folder, self.user)

    @property
    def transient(self) -> Path:
        """A mark that nobody asked for this server to live on."""
        return self.folder / "transient"

    def start(self, settings: Mapping[str, str], *, transient: bool = False) -> int:
        """Bring the server up, from whatever state it was left in; its pid."""
        if not self.data.exists():
            self._initdb(sync=settings.get("fsync") != "off")
        if self._settled() is None:
            if transient:
                self.transient.touch()
            self._launch(settings)
        pid = self._settled()
        if pid is None:
            raise EmbeddedError("the embedded server ended as soon as it had started", log=self._tail(0))
        return pid

    def stop(self) -> None:
        """Stop it in order, or after a minute as a crash would, which loses nothing that was committed."""
        if not self.data.exists():
            return
        if self._postmaster() is not None and self._control("stop", "-m", "fast", "-t", "60").returncode:
            self._control("stop", "-m", "immediate", "-t", "60")
        if self._postmaster() is not None:
            raise EmbeddedError(f"the embedded server in {self.folder} does not stop", log=self._tail(0))
        self.transient.unlink(missing_ok=True)
        if self.socket.parent != self.folder:
            shutil.rmtree(self.socket)

    def use(self) -> int:
        """Count this process among the users of the server, until the returned file is closed."""
        users = os.open(self.home / f"{self.folder.name}.users", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    def leave(self, users: int) -> bool:
        """Take this process off the users of the server; True where it was the last, and nobody wants it to live on."""
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(users)
        return self.transient.exists()

    def _initdb(self, *, sync: bool) -> None:
        """Make the data folder under another name first: a half-made one is never taken for a whole one."""
        half = self.folder / "data.half"
        shutil.rmtree(half, ignore_errors=True)
        # From 17 the server brings its own C.UTF-8: the same order of text on every platform.
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-collate=C", "--lc-ctype=C"]
        done = self.user.run(
            self.bin / "initdb", "--pgdata", half, "--username", SUPERUSER, "--encoding=UTF8",
            *(locale if self.version >= 17 else ["--locale=C.UTF-8"]), "--lc-messages=C",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions", *([] if sync else ["--no-sync"]),
            cwd=self.folder,
        )  # fmt: skip
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed in {self.folder}", _space_hint(done.stdout), done.stdout)
        half.rename(self.data)

    def _launch(self, settings: Mapping[str, str]) -> None:
        """Start a server that is down. After a kill -9, its orphaned backends may need a moment to end."""
        self._forget_pid()
        self._shorten_log()
        options = {**SETTINGS, "listen_addresses": "", "unix_socket_directories": str(self.socket), **settings}
        words = shlex.join(word for key, value in options.items() for word in ("-c", f"{key}={value}"))
        deadline = time.monotonic() + ORPHAN_LIMIT
        while True:
            before = self.log.stat().st_size if self.log.exists() else 0
            done = self._control("start", "-l", str(self.log), "-t", str(START_LIMIT), "-o", words)
            if done.returncode == 0:
                return
            tail = self._tail(before) or done.stdout
            if "pre-existing shared memory block" not in tail or time.monotonic() > deadline:
                raise EmbeddedError(f"the embedded server in {self.folder} does not start", _space_hint(tail), tail)
            time.sleep(0.2)

    def _control(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        """pg_ctl; `-w` waits for the end of what it does."""
        return self.user.run(self.bin / "pg_ctl", verb, "-D", self.data, "-s", "-w", *options, cwd=self.folder)

    def _settled(self) -> int | None:
        """The pid of a server that takes connections, or None; waits while it is starting, recovering or stopping."""
        deadline = time.monotonic() + START_LIMIT
        while (pid := self._postmaster()) is not None:
            if self._pid_file()[7:8] == ["ready"]:
                return pid
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"the embedded server (process {pid}) is not ready after {START_LIMIT} s",
                    "it may be recovering; try again",
                    self._tail(0),
                )
            time.sleep(0.05)
        return None

    def _postmaster(self) -> int | None:
        """The pid of this cluster's server, or None: a pid in a stale file may be somebody else's by now.

        Told by the command line, because a container's root may not read another user's /proc/<pid>/cwd.
        """
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return None
        try:
            process = psutil.Process(int(lines[0]))
            alive = process.status() != psutil.STATUS_ZOMBIE
            return process.pid if alive and str(self.data) in process.cmdline() else None
        except psutil.Error:
            return None

    def _forget_pid(self) -> None:
        """Let no stale pid stop a start: it may be another process by now, or a zombie, and PostgreSQL would refuse.

        The rest of postmaster.pid stays, because PostgreSQL finds orphaned backends through it. The socket's own lock
        is in a folder that only this cluster uses.
        """
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.socket / name).unlink(missing_ok=True)
        if lines := self._pid_file():
            text = "\n".join([str(NO_PROCESS), *lines[1:], ""])
            (self.data / "postmaster.pid").write_text(text, encoding="utf-8")

    def _pid_file(self) -> list[str]:
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines]

    def _shorten_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old"))

    def _tail(self, start: int) -> str:
        """The last lines of the server's log, from byte `start` on."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(start, self.log.stat().st_size - 8192))
            return log.read().decode("utf-8", "replace")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; the system lets go of it when the process ends, however it ends."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _space_hint(text: str) -> str:
    return "the disk is full; TRANSHUME_HOME chooses another" if "No space left" in text else ""
