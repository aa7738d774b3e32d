"""The demo's databases: a Django-like legacy source, dirt included and the same everywhere, and an empty target."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

from runner import embedded

PROJECT = "dispatch"
SMALLEST, LARGEST = 0.001, 100.0  # of the scale: some 2,000 rows, 20 million rows


def create(server: embedded.Server, scale: float = 1.0, *, fresh: bool = True) -> None:
    """Make both databases on the embedded server, the source filled; `fresh` False: only those that are missing.

    Raises EmbeddedError, psycopg.Error.
    """
    source, target = f"{PROJECT}_source", f"{PROJECT}_target"
    draft = f"{PROJECT}_filling"  # under its own name a database is whole, even if this process is killed
    for name in (source, target, draft) if fresh else (draft,):
        embedded.drop_database(server, name)
    existing = embedded.databases(server)
    if target not in existing:
        embedded.create_database(server, target)
    if source in existing:
        return
    embedded.create_database(server, draft)
    with psycopg.connect(server.conninfo(draft), application_name="transhume demo") as conn:
        fill(conn, scale)
    embedded.create_database(server, source, template=draft)
    embedded.drop_database(server, draft)


def fill(conn: psycopg.Connection[Any], scale: float = 1.0) -> None:
    """Fill an empty database in one transaction; at scale 1 with about 200,000 rows, in some 3 seconds.

    legacy.sql says what the rows are. Raises psycopg.Error, where the tables exist for one.
    """
    text = (files("runner.demo") / "legacy.sql").read_text(encoding="utf-8")
    with conn.transaction():
        conn.execute("SELECT pg_catalog.set_config('demo.scale', %s, true)", [str(scale)])
        conn.execute(text.encode())
