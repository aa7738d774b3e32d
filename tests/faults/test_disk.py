"""Disks that are full: file systems of a few megabytes, which root can mount; and other limits of a server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from runner import embedded
from runner.embedded import Server
from tests.conftest import Databases
from tests.faults.conftest import Make, Quietly
from tests.faults.depot import SOURCE, Depot, write_plan

ROOM = {"TRANSHUME_FREE_SPACE": "1GB"}  # what the preflight is told: it would see that there is none
Start = Callable[[], Server]


@contextmanager
def small(folder: Path, size: str) -> Iterator[Path]:
    """A file system of so many bytes in a folder; skipped where this user may not mount one."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small file system takes root, and the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # a test that fails leaves its server in it


def grown(folder: Path, size: str) -> None:
    """Give the file system more room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


@pytest.fixture
def crowded(depots: Make, home: Path) -> tuple[Depot, Start, Path]:
    """A migration to a server of its own, how to start that, and an empty folder of its user's."""
    settings = {"fsync": "off", "shared_buffers": "16MB"}

    def start() -> Server:
        return embedded.start(home, settings=settings)

    depot, server = depots(), start()
    folder = server.data.with_name("small")
    folder.mkdir()
    embedded.create_database(server, "target")
    return Depot(depot.folder, depot.source, server.conninfo("target")), start, folder


def left(depot: Depot) -> int:
    """Bytes of the log that can still be written without another file."""
    name, written = depot.ask(
        """SELECT (SELECT max(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'),
                  pg_current_wal_insert_lsn() - '0/0'::pg_lsn"""
    )[0]
    return int(int(name[8:16], 16) * 2**32 + (int(name[16:], 16) + 1) * 2**24 - written)


def own(folder: Path, like: Path) -> None:
    """Give a folder to the server's user."""
    owner = like.stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    folder.chmod(0o700)


@pytest.mark.faults
def test_the_disk_of_the_data_is_full(crowded: tuple[Depot, Start, Path], quietly: Quietly) -> None:
    """The run stops with 53100, and what is committed stays; with room again, applying again goes on from there."""
    depot, start, folder = crowded
    with small(folder, "400k"):
        own(folder, start().data)
        depot.ask(f"CREATE TABLESPACE small LOCATION '{folder}'")
        with closing(psycopg.connect(start().conninfo("postgres"), autocommit=True)) as session:
            session.execute("ALTER DATABASE target SET default_tablespace = small")
        done = depot.command("apply", **ROOM)
        assert done.returncode == 1, done.stderr
        assert "No space left on device [53100]" in done.stderr
        assert "make room" in done.stderr or "Check free disk space" in done.stderr
        assert depot.chunks() > 0
        assert depot.torn() == []

        grown(folder, "50m")
        depot.applied()
        assert depot.end().differs(quietly().end) == []
        start().stop()


@pytest.mark.faults
def test_the_disk_of_the_log_is_full(crowded: tuple[Depot, Start, Path], quietly: Quietly) -> None:
    """The server ends itself, and the run stops; with room again, server and run go on from what was committed."""
    depot, start, folder = crowded
    server = start()
    log = server.data / "pg_wal"
    server.stop()
    used = sum(file.stat().st_size for file in log.rglob("*") if file.is_file())
    with small(folder, str(used + 2**20)):
        own(folder, server.data)
        subprocess.run(["cp", "-a", f"{log}/.", folder], check=True)
        shutil.rmtree(log)
        log.symlink_to(folder)
        start()
        while left(depot) > 2**20:
            depot.ask("SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 500000))")
        done = depot.command("apply", "--outage", "2", **ROOM)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "PANIC" in (server.data.parent / "log").read_text()

        grown(folder, "200m")
        start()
        assert depot.torn() == []
        depot.applied()
        assert depot.end().differs(quietly().end) == []
        start().stop()


def test_temporary_files_are_limited(depots: Make, quietly: Quietly) -> None:
    """A sort that spills beyond temp_file_limit stops the step and says so; with the limit raised it goes on."""
    depot = depots()
    name = depot.ask("SELECT current_database()")[0][0]
    for setting in ("temp_file_limit = '64kB'", "maintenance_work_mem = '64kB'", "work_mem = '64kB'"):
        depot.ask(f"ALTER DATABASE {name} SET {setting}")
    done = depot.command("apply")

    assert done.returncode == 1, done.stderr
    assert "temporary file size exceeds " in done.stderr
    assert depot.torn() == []
    depot.ask(f"ALTER DATABASE {name} RESET ALL")
    depot.applied()
    assert depot.end().differs(quietly().end) == []


WIDE = """
table: shops
from: {sql: "SELECT s.id, s.code, s.name, s.name AS again FROM public.shop AS s", key: id}
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [code, name, again]
"""


@pytest.mark.faults
def test_a_row_that_is_too_big(databases: Databases, tmp_path: Path) -> None:
    """A row of which the server cannot make one message is set aside by its key; it stops nothing."""
    wide = "UPDATE shop SET name = repeat('wide', 150000000) WHERE id = 7;"
    source, target = databases.create("source", SOURCE + wide), databases.create("target")
    depot = Depot(write_plan(tmp_path, source, target, shops=WIDE), source, target)
    depot.applied()

    assert depot.ask("SELECT count(*), count(*) FILTER (WHERE legacy_id = 7) FROM app.shops") == [(19, 0)]
    aside = [(key, sqlstate) for table, key, _, _, sqlstate, _ in depot.rejects() if table == "shops"]
    assert aside == [(["7"], "54000")]
