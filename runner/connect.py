"""Connections: built from fields, with the same session settings everywhere, and errors that show no password."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.errors import FAILED, USAGE, Refused, RunnerError, first_line

# What psycopg logs of a lost connection (errors while it tidies up) is reported as the error that it is.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

Session = psycopg.Connection[tuple[Any, ...]]

# A dead peer is noticed after 30 + 3 * 10 seconds, a server that is not there after 10.
KEEPALIVE: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

# What values look like as text, and whose functions are called, must not depend on the role or the database.
SETTINGS: Mapping[str, str] = {
    "search_path": "",
    "row_security": "off",  # a row that a policy hides becomes an error, never a row left behind
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    "default_transaction_isolation": "read committed",
    "jit": "off",  # compiling a plan takes longer than a chunk
}
SOURCE_SETTINGS: Mapping[str, str] = {"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "0"}
TARGET_SETTINGS: Mapping[str, str] = {
    "default_transaction_read_only": "off",
    "synchronous_commit": "on",
    # The planner takes every column of a table without statistics for one of 200 values: 44,000 rows whose 20,000
    # authors were looked up that way took a quarter longer than with a hash.
    "enable_memoize": "off",
    "idle_in_transaction_session_timeout": "5min",  # a frozen runner lets go of its locks
}
# Not every version knows all of them: transaction_timeout came with 17.
SET_KNOWN = """SELECT pg_catalog.set_config(k.name, s.value, false)
               FROM unnest(%s::text[], %s::text[]) AS s(name, value)
               JOIN pg_catalog.pg_settings AS k ON lower(k.name) = lower(s.name)"""
DEADLOCK_SHARE = 0.8  # of deadlock_timeout: so the runner gives way, and the application is never the victim


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach a database: `env` names it in messages; `fields` may hold a password and are never shown."""

    env: str
    fields: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        """Where it is, without user and password."""
        host = self.fields.get("host") or self.fields.get("hostaddr") or "the default host"
        return f"{self.env} ({host}, database {self.fields.get('dbname') or 'by default'})"


def address(env: str, url: str) -> Address:
    """The address that a URL or a conninfo text gives. Raises RunnerError, with nothing of the text in it."""
    try:
        fields = conninfo_to_dict(url)
        if _misread(fields):
            raise psycopg.ProgrammingError
        return Address(env, fields)
    except psycopg.Error:  # its text may hold a piece of the password
        raise RunnerError(
            f"{env} is not a PostgreSQL URL",
            "it reads postgresql://user:password@host:port/database; other characters than letters and digits in the "
            "password are percent-encoded",
            USAGE,
        ) from None


def _misread(fields: Mapping[str, Any]) -> bool:
    """Whether a piece of a password with an unescaped @ or / was taken for a host, port or name, which errors show."""
    port = str(fields.get("port") or "")
    return any("@" in str(fields.get(part)) for part in ("host", "dbname")) or not set(port) <= set("0123456789,")


def open_session(where: Address, application: str, settings: Mapping[str, str]) -> Session:
    """A session in autocommit mode with these settings beside the usual ones. Raises RunnerError, psycopg.Error."""
    conninfo = make_conninfo(**{**KEEPALIVE, **where.fields, "application_name": application})
    session = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
    try:
        _refuse_pooler(session, where)
        values = {**SETTINGS, **settings}
        session.execute(SET_KNOWN, (list(values), list(values.values())))
        _watch_client(session)
    except BaseException:
        session.close()
        raise
    return session


def open_source(where: Address, application: str) -> Session:
    """A read-only session on the source."""
    session = open_session(where, application, SOURCE_SETTINGS)
    session.read_only = True
    return session


def open_target(where: Address, application: str, lock_timeout: float) -> Session:
    """A session on the target. It waits for a lock shorter than the server takes to look for deadlocks."""
    session = open_session(where, application, TARGET_SETTINGS)
    query = "SELECT setting::integer FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"
    row = session.execute(query).fetchone()
    patience = min(lock_timeout * 1000, (row[0] if row else 1000) * DEADLOCK_SHARE)
    session.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", (f"{max(1, int(patience))}ms",))
    return session


def unreachable(where: Address, error: psycopg.Error) -> RunnerError:
    """What a connection that was not made says: the reason, and no password."""
    text = first_line(error)
    if password := where.fields.get("password"):
        text = text.replace(str(password), "********")
    return RunnerError(f"cannot connect to {where}: {text}", _connect_hint(text, where.env), FAILED)


def _connect_hint(text: str, env: str) -> str:
    if "password" in text or "authentication" in text:
        return f"check the user and the password in {env}"
    if "does not exist" in text:
        return f"check the names in {env}"
    return f"is the server running, and is {env} its address?"


def _refuse_pooler(session: Session, where: Address) -> None:
    """A pooler invents the process id that it tells the client; a session's settings and locks are not safe with it.

    The first statement of a session empties its path as well: what follows has operators, which could be planted.
    """
    row = session.execute(
        "SELECT pg_catalog.pg_backend_pid(), pg_catalog.set_config('search_path', '', false)"
    ).fetchone()
    if row is None or row[0] != session.info.backend_pid:
        raise Refused(
            f"{where} is a connection pooler, which gives one session's settings and locks to another",
            "connect to the server itself, often port 5432",
        )


def _watch_client(session: Session) -> None:
    """Let the server end a long statement whose client has died; not every platform can."""
    try:
        session.execute("SELECT pg_catalog.set_config('client_connection_check_interval', '2s', false)")
    except psycopg.errors.InvalidParameterValue:
        return
