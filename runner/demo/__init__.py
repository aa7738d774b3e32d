"""The demo's source: a Django-like legacy database with realistic dirt, the same rows on every machine."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg

SMALLEST, LARGEST = 0.001, 100.0  # of the scale: some 2,000 rows, 20 million rows


def fill(conn: psycopg.Connection[Any], scale: float = 1.0) -> None:
    """Fill an empty database in one transaction; at scale 1 with about 200,000 rows, in some 3 seconds.

    legacy.sql says what the rows are. Raises psycopg.Error, where the tables exist for one.
    """
    text = (files("runner.demo") / "legacy.sql").read_text(encoding="utf-8")
    with conn.transaction():
        conn.execute("SELECT pg_catalog.set_config('demo.scale', %s, true)", [str(scale)])
        conn.execute(text.encode())
