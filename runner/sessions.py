"""The sessions of a run: one on each database for every thread, opened when needed, forgotten after an error."""

from __future__ import annotations

import contextlib
import threading

import psycopg
from psycopg.pq import TransactionStatus

from runner.connect import Address, Session, open_source, open_target, unreachable
from runner.copy import abandon
from runner.errors import SqlError
from runner.source_snapshot import Snapshot


class Sessions:
    """Opens and keeps a thread's sessions. `close` and `cancel` may be called from any thread.

    Where there is a `snapshot`, everything that is read of the source is read in it.
    """

    def __init__(
        self, source: Address, target: Address, application: str, lock_timeout: float, snapshot: Snapshot | None
    ) -> None:
        self._source, self._target, self._application = source, target, application
        self._lock_timeout = lock_timeout
        self._snapshot = snapshot
        self._local = threading.local()
        self._every: set[Session] = set()
        self._lock = threading.Lock()

    def source(self) -> Session:
        """This thread's read-only session on the source, inside the run's snapshot."""
        session: Session | None = getattr(self._local, "source", None)
        if session is not None and session.info.transaction_status == TransactionStatus.ACTIVE:
            abandon(session)  # it was left amid a COPY, whose other end has failed
        if session is None or session.closed:
            session = self._local.source = self._open_source()
        if self._snapshot is not None and (view := self._snapshot.enter(session)) is not None:
            self._local.view = view
        return session

    @property
    def view(self) -> str:
        """The name of the snapshot that this thread's session on the source is in."""
        return str(self._local.view)

    def exported(self) -> str | None:
        """The snapshot's name for sessions of other processes; None where there is no snapshot."""
        return None if self._snapshot is None else self._snapshot.name()

    def target(self) -> Session:
        """This thread's session on the target, outside a transaction."""
        session: Session | None = getattr(self._local, "target", None)
        if session is None or session.closed:
            try:
                session = open_target(self._target, self._application, self._lock_timeout)
            except psycopg.Error as error:
                raise _not_open(self._target, error) from error
            self._end_lost(session)
            self._local.target, self._local.pid = session, session.info.backend_pid
            self._keep(session)
        return session

    def _end_lost(self, session: Session) -> None:
        """End what this thread's session before has left in the server.

        Where the network fell silent, the server has not noticed: it would keep the locks of the chunk in flight.
        """
        query = """SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
                   WHERE pid = %s AND application_name = %s"""
        if pid := getattr(self._local, "pid", None):
            session.execute(query, (pid, self._application))

    def forget(self) -> None:
        """Close this thread's sessions: after an error, nothing is known of their state."""
        for name in ("source", "target"):
            session: Session | None = getattr(self._local, name, None)
            setattr(self._local, name, None)
            if session is not None:
                session.close()
                with self._lock:
                    self._every.discard(session)

    def cancel(self) -> None:
        """Cancel whatever any thread's sessions are running."""
        with self._lock:
            sessions = tuple(self._every)
        for session in sessions:
            with contextlib.suppress(psycopg.Error):
                session.cancel_safe(timeout=5)

    def cancel_all(self) -> None:
        """Cancel what every session of this application is running on either side, in whatever process it is."""
        query = """SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity
                   WHERE application_name = %s AND state = 'active' AND pid <> pg_catalog.pg_backend_pid()"""
        for where in (self._source, self._target):
            with (
                contextlib.suppress(psycopg.Error),
                contextlib.closing(open_source(where, "transhume cancel")) as session,
            ):
                session.execute(query, (self._application,))

    def close(self) -> None:
        """Close every session; no thread may be at work any more."""
        with self._lock:
            sessions, self._every = tuple(self._every), set()
        for session in sessions:
            session.close()
        if self._snapshot is not None:
            self._snapshot.close()

    def _open_source(self) -> Session:
        try:
            session = open_source(self._source, self._application)
        except psycopg.Error as error:
            raise _not_open(self._source, error) from error
        self._keep(session)
        return session

    def _keep(self, session: Session) -> None:
        with self._lock:
            self._every.add(session)


def _not_open(where: Address, error: psycopg.Error) -> SqlError:
    """A session that cannot be opened is a lost one: the server may be restarting."""
    failure = SqlError(error)
    reason = unreachable(where, error)
    failure.message, failure.hint, failure.lost = reason.message, reason.hint, True
    return failure
