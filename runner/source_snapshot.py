"""One view of the source for a whole run: a REPEATABLE READ snapshot that every session shares."""

from __future__ import annotations

import threading

import psycopg
from psycopg.pq import TransactionStatus

from runner.connect import Address, Session, open_source

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class SourceSnapshot:
    """Exports a snapshot in a session of its own, which stays open, and lets other sessions enter it.

    After a lost connection a new snapshot is exported: what is read from then on is as the source is then, so the
    source must not be written to during a run. The accounting shows it where it was.
    """

    def __init__(self, where: Address, application: str) -> None:
        self._where, self._application = where, application
        self._lock = threading.Lock()
        self._exporter: Session | None = None
        self._name: str | None = None

    def enter(self, session: Session) -> None:
        """Put a session into the snapshot, where it is not in a transaction that works already."""
        if session.info.transaction_status == TransactionStatus.INTRANS:
            return
        if session.info.transaction_status == TransactionStatus.INERROR:
            session.rollback()
        name = self._export()
        session.execute(BEGIN)
        if name is not None:
            session.execute(f"SET TRANSACTION SNAPSHOT '{name}'".encode())

    def close(self) -> None:
        """End the snapshot."""
        with self._lock:
            if self._exporter is not None:
                self._exporter.close()
            self._exporter = None

    def _export(self) -> str | None:
        """The snapshot's name; None where the server cannot export one, then each session has its own."""
        with self._lock:
            if self._exporter is None or not _alive(self._exporter):
                self._exporter = open_source(self._where, self._application)
                self._exporter.execute(BEGIN)
                self._name = _exported(self._exporter)
            return self._name


def _exported(session: Session) -> str | None:
    try:
        row = session.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.ObjectNotInPrerequisiteState):
        session.rollback()  # a standby of an old server
        session.execute(BEGIN)
        return None
    return None if row is None else str(row[0])


def _alive(session: Session) -> bool:
    """Whether the session still holds its transaction open."""
    try:
        session.execute("SELECT 1")
    except psycopg.Error:
        session.close()
        return False
    return session.info.transaction_status == TransactionStatus.INTRANS
