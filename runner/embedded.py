"""The embedded PostgreSQL: initdb, start, stop and recover, for several processes at once and without root.

Only the binaries of the package are used. One cluster lives in a state folder, `pg<major>` under `state_home()`:

    pg18.lock    held while a process starts or stops the server
    pg18.users   held shared by each process inside `running()`; the last to let go stops the server
    pg18/        0700, of the user that runs the server: data/, socket/, log, transient

Everyone who reaches the socket is trusted, as the superuser. That is safe: the socket is in a folder that only the
server's own user and root may enter, both of which can read the data files anyway, and no port is opened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from runner.embedded_cluster import SUPERUSER, Cluster
from runner.embedded_home import EmbeddedError, embedded_bin, state_home

__all__ = [
    "EmbeddedError",
    "Server",
    "create_database",
    "databases",
    "drop_database",
    "embedded_bin",
    "running",
    "start",
    "state_home",
    "stop",
]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its binaries, data folder, folder of the socket, process and major version."""

    bin: Path
    data: Path
    socket: Path
    pid: int
    version: int

    def conninfo(self, dbname: str) -> str:
        """How psycopg and psql reach one of its databases."""
        return make_conninfo(host=str(self.socket), port=5432, user=SUPERUSER, dbname=dbname)

    def stop(self) -> None:
        """Stop the server, ending every session; nothing happens where it is down already."""
        stop(self.data.parent.parent, bin=self.bin)


def start(home: Path | None = None, *, settings: Mapping[str, str] | None = None, bin: Path | None = None) -> Server:
    """Start the server, or find it running; it then lives on after this process, until `Server.stop`.

    `settings` are PostgreSQL's, and count where this call is the one that starts it. `bin` is the folder of other
    binaries than the embedded ones. Raises EmbeddedError.
    """
    with Cluster.at(home or state_home(), bin or embedded_bin()) as cluster:
        cluster.transient.unlink(missing_ok=True)
        return _server(cluster, cluster.start(settings or {}))


def stop(home: Path | None = None, *, bin: Path | None = None) -> None:
    """Stop the server of a state folder, where it runs. Raises EmbeddedError where it does not end."""
    with Cluster.at(home or state_home(), bin or embedded_bin()) as cluster:
        cluster.stop()


@contextlib.contextmanager
def running(
    home: Path | None = None, *, settings: Mapping[str, str] | None = None, bin: Path | None = None
) -> Iterator[Server]:
    """The server, for as long as the block lasts; arguments and errors are those of `start`.

    The last process to leave stops it, unless `start` had started it before, or somebody's psql is connected. A process
    that was killed counts as having left: the operating system lets go of its lock.
    """
    home, bin = home or state_home(), bin or embedded_bin()
    with Cluster.at(home, bin) as cluster:
        users = cluster.use()
        try:
            server = _server(cluster, cluster.start(settings or {}, transient=True))
        except BaseException:
            os.close(users)
            raise
    try:
        yield server
    finally:
        with Cluster.at(home, bin) as cluster:
            if cluster.leave(users) and not _visitors(server):
                cluster.stop()


def _server(cluster: Cluster, pid: int) -> Server:
    return Server(cluster.bin, cluster.data, cluster.socket, pid, cluster.version)


def _visitors(server: Server) -> int:
    """How many sessions are not this program's: a psql, say, that must not lose its server."""
    query = """SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
               AND pid <> pg_catalog.pg_backend_pid() AND application_name NOT LIKE 'transhume%'"""
    try:
        with _session(server) as session:
            row = session.execute(query).fetchone()
    except EmbeddedError:  # it is down already
        return 0
    return row[0] if row else 0


def databases(server: Server) -> tuple[str, ...]:
    """The names of the databases that were created here, sorted."""
    query = "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
    with _session(server) as session:
        return tuple(name for (name,) in session.execute(query))


def create_database(server: Server, name: str, template: str | None = None) -> None:
    """Create a database, empty or as a copy of `template`. Raises EmbeddedError, if it exists for one."""
    copy = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    with _session(server) as session:
        session.execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), copy))


def drop_database(server: Server, name: str) -> None:
    """Drop a database, ending the sessions in it; nothing happens where there is none of that name."""
    with _session(server) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def _session(server: Server) -> Iterator[psycopg.Connection[TupleRow]]:
    try:
        with psycopg.connect(
            server.conninfo("postgres"), autocommit=True, application_name="transhume embedded"
        ) as session:
            yield session
    except psycopg.Error as error:
        text = error.diag.message_primary or str(error).strip()
        raise EmbeddedError(f"the embedded server refuses: {text}") from None
