"""The embedded server comes up from whatever state it was left in, and goes when nobody uses it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from runner import embedded, embedded_cluster, embedded_home
from runner.embedded import EmbeddedError, Server
from tests.conftest import SECOND, UNSAFE, Databases

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone can become another user")


def query(server: Server, text: str, dbname: str = "postgres") -> object:
    """The one value that a query returns."""
    with psycopg.connect(server.conninfo(dbname)) as connection:
        row = connection.execute(text.encode()).fetchone()
    return row[0] if row else None


def ends(pid: int) -> bool:
    """Whether a process is gone, or is only waiting for its parent to notice, within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_cold_start_makes_a_server_of_utf8_with_one_order_of_text(home: Path) -> None:
    """A state folder that does not exist becomes a server with the settings asked for, for its owner alone."""
    server = embedded.start(home / "new", settings={**UNSAFE, "work_mem": "7MB"})

    try:
        assert query(server, "SHOW server_encoding") == "UTF8"
        assert query(server, "SELECT datlocale FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"
        assert query(server, "SHOW work_mem") == "7MB"
        assert query(server, "SHOW listen_addresses") == ""
        assert query(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        assert [stat.S_IMODE(path.stat().st_mode) for path in (server.socket, server.data)] == [0o700, 0o700]
    finally:
        server.stop()


def test_warm_start_finds_the_data_again(home: Path) -> None:
    """What was committed before a stop is there after the next start, which finds no pid file."""
    with embedded.running(home, settings=UNSAFE) as first:
        embedded.create_database(first, "kept")

    assert ends(first.pid)
    assert not (first.data / "postmaster.pid").exists()
    with embedded.running(home, settings=UNSAFE) as second:
        assert embedded.databases(second) == ("kept",)
        assert second.pid != first.pid


def test_start_finds_a_running_server(home: Path) -> None:
    """A second start is the same server; stopping it twice is no error."""
    first = embedded.start(home, settings=UNSAFE)
    second = embedded.start(home, settings={"work_mem": "9MB"})

    assert second == first
    second.stop()
    first.stop()
    assert ends(first.pid)


def test_the_last_of_two_processes_stops_the_server(home: Path) -> None:
    """Two processes that begin at once share one server; it outlives the first that leaves, and not the second."""
    script = "\n".join(
        (
            "import sys, pathlib",
            "from runner import embedded",
            f"with embedded.running(pathlib.Path({str(home)!r}), settings={UNSAFE!r}) as server:",
            "    print(server.pid, flush=True)",
            "    sys.stdin.readline()",
        )
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    pids = {int(process.stdout.readline()) for process in processes if process.stdout}
    assert len(pids) == 1
    (pid,) = pids

    processes[0].communicate("done\n")
    assert psutil.pid_exists(pid)
    processes[1].communicate("done\n")
    assert ends(pid)
    assert [process.returncode for process in processes] == [0, 0]


def test_a_killed_process_leaves_a_server_that_the_next_one_stops(home: Path) -> None:
    """kill -9 of the process inside running() orphans its server; the next to use it takes over, and stops it."""
    script = (
        "import os, pathlib, signal; from runner import embedded\n"
        f"with embedded.running(pathlib.Path({str(home)!r}), settings={UNSAFE!r}) as server:\n"
        "    print(server.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False)
    orphan = int(done.stdout)

    assert done.returncode == -signal.SIGKILL
    with embedded.running(home) as server:
        assert server.pid == orphan
    assert ends(orphan)


def test_running_leaves_a_server_that_somebody_started(home: Path) -> None:
    """A server that start() brought up lives on; running() only borrows it."""
    server = embedded.start(home, settings=UNSAFE)

    with embedded.running(home) as borrowed:
        assert borrowed == server
    assert query(server, "SELECT 1") == 1
    server.stop()


def test_running_leaves_a_server_with_a_visitor(home: Path) -> None:
    """A psql that is connected when the last process leaves keeps its server; a session of our own does not."""
    with embedded.running(home, settings=UNSAFE) as server:
        psql = psycopg.connect(server.conninfo("postgres"), application_name="psql")
    assert psql.execute("SELECT 1").fetchone() == (1,)
    psql.close()

    with embedded.running(home) as again:
        assert again.pid == server.pid
        ours = psycopg.connect(server.conninfo("postgres"), application_name="transhume run 1")
    assert ends(server.pid)
    ours.close()


def test_running_ends_where_the_server_has_crashed(home: Path) -> None:
    """A server that is down when the last process leaves needs no stopping; the next one brings it up."""
    with embedded.running(home, settings=UNSAFE) as server:
        os.kill(server.pid, signal.SIGQUIT)
        assert ends(server.pid)

    with embedded.running(home, settings=UNSAFE) as again:
        assert query(again, "SELECT 1") == 1


@pytest.mark.parametrize("binaries", [None, SECOND], ids=["embedded", "second"])
def test_recovery_after_kill_9_of_the_server(home: Path, binaries: Path | None) -> None:
    """A killed postmaster leaves a stale pid file and busy backends; the next start recovers what was committed."""
    if binaries and not binaries.exists():
        pytest.skip(f"no PostgreSQL in {binaries}")
    first = embedded.start(home, bin=binaries)
    with psycopg.connect(first.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        os.kill(first.pid, signal.SIGKILL)
        assert ends(first.pid)
    assert (first.data / "postmaster.pid").exists()

    second = embedded.start(home, bin=binaries)
    assert second.pid != first.pid
    assert query(second, "SELECT count(*) FROM kept") == 1000
    second.stop()


def test_a_stale_pid_that_now_belongs_to_another_process(home: Path) -> None:
    """After a restart of the machine, the pid in the file may be anyone's: nothing waits for it, nothing kills it."""
    first = embedded.start(home, settings=UNSAFE)
    pid_file = first.data / "postmaster.pid"
    text = pid_file.read_text(encoding="utf-8")
    first.stop()
    user = embedded_home.account(first.data.parent)
    stranger = subprocess.Popen(["sleep", "60"], **user.switch())
    try:
        pid_file.write_text(text.replace(str(first.pid), str(stranger.pid), 1), encoding="utf-8")
        second = embedded.start(home, settings=UNSAFE)
        assert query(second, "SELECT 1") == 1
        assert stranger.poll() is None
        second.stop()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_broken_initdb_is_begun_again(home: Path) -> None:
    """A half-made data folder, left by a crash in initdb, is thrown away."""
    with embedded_cluster.Cluster.at(home, embedded.embedded_bin()) as cluster:
        half = cluster.folder / "data.half"
        half.mkdir()
        (half / "PG_VERSION").write_text("18\n", encoding="utf-8")

    with embedded.running(home, settings=UNSAFE) as server:
        assert query(server, "SELECT 1") == 1
    assert not half.exists()


def test_a_server_that_does_not_start_says_why(home: Path) -> None:
    """The error holds the end of the server's log."""
    with pytest.raises(EmbeddedError) as caught, embedded.running(home, settings={**UNSAFE, "shared_buffers": "lots"}):
        pass
    assert f"the embedded server in {home}/pg18 does not start\n  | " in str(caught.value)
    assert 'invalid value for parameter "shared_buffers": "lots"' in str(caught.value)


def test_a_folder_without_postgresql(tmp_path: Path) -> None:
    """A wrong folder of binaries is an error with a hint, before anything is made."""
    with pytest.raises(EmbeddedError) as caught:
        embedded.start(tmp_path / "home", bin=tmp_path)
    assert str(caught.value) == (
        f"there is no PostgreSQL that runs in {tmp_path}\n"
        "  = hint: it must hold postgres, initdb and pg_ctl for this machine"
    )
    assert not (tmp_path / "home").exists()


def test_a_state_folder_that_is_a_file(tmp_path: Path) -> None:
    """A state folder that cannot be made is an error that names the variable."""
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError) as caught:
        embedded.start(tmp_path / "file")
    assert str(caught.value) == (
        f"cannot use the state folder {tmp_path}/file: File exists\n"
        "  = hint: set TRANSHUME_HOME to a folder you may write to"
    )


@as_root
def test_a_state_folder_of_another_user(home: Path) -> None:
    """Root does not put its cluster into a folder that somebody else prepared."""
    os.chown(home, 65534, 65534)
    with pytest.raises(EmbeddedError, match=f"^{home} belongs to another user\n  = hint: set TRANSHUME_HOME"):
        embedded.start(home)
    os.chown(home, 0, 0)


@as_root
def test_a_state_folder_that_the_server_cannot_reach(home: Path) -> None:
    """Under a closed folder, the server's user cannot enter its own: the error says who must reach what."""
    (home / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError) as caught:
        embedded.start(home / "closed" / "state")
    assert f"who cannot reach {home}/closed/state/pg18\n  = hint: set TRANSHUME_HOME" in str(caught.value)


@as_root
def test_binaries_that_the_server_cannot_reach_are_copied_once(home: Path) -> None:
    """A virtual environment under /root is closed to the server's user; a copy in the state folder serves."""
    package = embedded.embedded_bin().parent.parent
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (closed / folder.name).symlink_to(folder)
    binaries = closed / embedded.embedded_bin().relative_to(package.parent)

    with embedded.running(home / "state", settings=UNSAFE, bin=binaries) as first:
        assert first.bin.is_relative_to(home / "state" / "install")
        assert query(first, "SELECT 1") == 1
        made = first.bin.stat().st_ctime_ns
    with embedded.running(home / "state", settings=UNSAFE, bin=binaries) as second:
        assert second.bin == first.bin
        assert second.bin.stat().st_ctime_ns == made


@as_root
def test_root_hands_the_server_to_an_ordinary_user(home: Path) -> None:
    """The data folder and the server belong to an ordinary user, and stay his."""
    with embedded.running(home, settings=UNSAFE) as server:
        uid = psutil.Process(server.pid).uids().real
        assert uid == server.data.stat().st_uid != 0


def test_a_long_path_gets_a_socket_elsewhere(home: Path) -> None:
    """A socket's path has 107 bytes at most: under a longer one, the socket goes to a folder of its own in /tmp."""
    with embedded.running(home / ("long" * 30), settings=UNSAFE) as server:
        assert server.socket.parent == Path("/tmp")
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert query(server, "SELECT 1") == 1


def test_databases_come_and_go(server: Server, databases: Databases) -> None:
    """A database is made, copied from a template, listed and dropped; a name that is taken is an error."""
    pair = databases(source="CREATE TABLE a (n int); INSERT INTO a VALUES (1)")
    name = psycopg.conninfo.conninfo_to_dict(pair.source)["dbname"]

    assert query(server, "SELECT n FROM a", str(name)) == 1
    assert name in embedded.databases(server)
    with pytest.raises(EmbeddedError, match=f'^the embedded server refuses: database "{name}" already exists$'):
        embedded.create_database(server, str(name))
    embedded.drop_database(server, str(name))
    embedded.drop_database(server, str(name))
    assert name not in embedded.databases(server)


@pytest.mark.both_servers
def test_names_are_quoted(server: Server) -> None:
    """A database may have any name."""
    embedded.create_database(server, 'it"s 100%; DROP')
    assert 'it"s 100%; DROP' in embedded.databases(server)
    embedded.drop_database(server, 'it"s 100%; DROP')


@pytest.mark.parametrize(
    "env, uid, expected",
    [
        ({"TRANSHUME_HOME": "/x/y"}, 0, "/x/y"),
        ({}, 0, "/var/tmp/transhume-0"),
        ({"XDG_STATE_HOME": "/state"}, 0, "/var/tmp/transhume-0"),
        ({"XDG_STATE_HOME": "/state"}, 1000, "/state/transhume"),
        ({"TRANSHUME_HOME": "/x/y", "XDG_STATE_HOME": "/state"}, 1000, "/x/y"),
    ],
)
def test_state_home(env: dict[str, str], uid: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRANSHUME_HOME wins; an ordinary user has a state folder; root has one that the server can reach."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)

    assert str(embedded.state_home(env)) == expected
