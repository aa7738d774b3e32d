"""One view of the source for a whole run: a REPEATABLE READ snapshot that every session shares."""

from __future__ import annotations

import threading
from typing import Protocol

import psycopg
from psycopg.pq import TransactionStatus

from runner.connect import Address, Session, open_source
from runner.errors import SnapshotLost

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# What the server says of a snapshot that nobody holds any more; the last while its holder is ending.
GONE = (
    psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject,
    psycopg.errors.ObjectNotInPrerequisiteState,
)  # fmt: skip


class Snapshot(Protocol):
    """A view of the source that sessions can share."""

    def enter(self, session: Session) -> str | None:
        """Put a session into it; the view's name. None: the session is in a transaction that works already."""

    def name(self) -> str:
        """By which any session can enter it. Raises psycopg.Error."""

    def close(self) -> None:
        """End it."""


class SourceSnapshot:
    """Exports a snapshot in a session of its own, which stays open, and lets other sessions enter it.

    After a lost connection a new snapshot is exported: what is read from then on is as the source is then, so the
    source must not be written to during a run. The accounting shows it where it was.
    """

    def __init__(self, where: Address, application: str) -> None:
        self._where, self._application = where, application
        self._lock = threading.Lock()
        self._exporter: Session | None = None
        self._name = ""
        self._exports = 0

    def enter(self, session: Session) -> str | None:
        """See Snapshot."""
        if not _is_outside(session):
            return None
        try:
            return _enter(session, self.name())
        except SnapshotLost:  # it was lost between two questions
            return _enter(session, self.name())

    def name(self) -> str:
        """The snapshot's name, by which any session can enter it; another one, of a new snapshot, where it is gone."""
        with self._lock:
            if self._exporter is None or not _alive(self._exporter):
                self._exporter = open_source(self._where, self._application)
                self._exporter.execute(BEGIN)
                row = self._exporter.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
                self._exports += 1  # a server that was restarted may give the same name again
                self._name = f"{row[0] if row else ''}/{self._exports}"
            return self._name

    def close(self) -> None:
        """See Snapshot."""
        with self._lock:
            if self._exporter is not None:
                self._exporter.close()
            self._exporter = None


class ImportedSnapshot:
    """A snapshot that another process has exported."""

    def __init__(self, name: str) -> None:
        self._name = name

    def enter(self, session: Session) -> str | None:
        """See Snapshot. Raises SnapshotLost where it is gone."""
        return _enter(session, self._name) if _is_outside(session) else None

    def name(self) -> str:
        """See Snapshot."""
        return self._name

    def close(self) -> None:
        """It is the exporter's."""


def _is_outside(session: Session) -> bool:
    """Whether the session is in no transaction that works; one that failed is ended."""
    if session.info.transaction_status == TransactionStatus.INERROR:
        session.rollback()
    return session.info.transaction_status != TransactionStatus.INTRANS


def _enter(session: Session, name: str) -> str:
    session.execute(BEGIN)
    try:
        session.execute(f"SET TRANSACTION SNAPSHOT '{name.partition('/')[0]}'".encode())
    except GONE:
        session.rollback()
        raise SnapshotLost(f"the snapshot {name} of the source is gone") from None
    return name


def _alive(session: Session) -> bool:
    """Whether the session still holds its transaction open."""
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        session.close()
        return False
    return session.info.transaction_status == TransactionStatus.INTRANS
