"""What a schema may hold and nobody expects: names, types, keys and shapes that break naive tools."""

from __future__ import annotations

import pytest

from tests.conftest import Databases
from tests.real.conftest import HERE, Connection, Project, Real, connect, count, rows, tables

LEGACY = (HERE / "odd" / "legacy.sql").read_text(encoding="utf-8")


@pytest.fixture
def odd(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The legacy database, and an empty target."""
    pair = databases(source=LEGACY)
    return Real(databases, tmp_path_factory.mktemp("odd"))("odd", pair.source, pair.target)


def as_they_were(connection: Connection, table: str, columns: list[str]) -> list[str]:
    """The columns that did not become UUIDs: keys and references did."""
    query = """SELECT attname::text FROM pg_attribute WHERE attrelid = format('app.%%I', %s::text)::regclass
               AND attnum > 0 AND atttypid <> 'uuid'::regtype"""
    kept = {name for (name,) in connection.execute(query, [table])}
    return [name for name in columns if name in kept]


@pytest.mark.both_servers
def test_whatever_a_schema_holds(odd: Project) -> None:
    """Every value of every table arrives, under its name; the one row whose reference leads nowhere says so."""
    odd.compile("--keys", "uuid")
    odd.apply()
    odd.verify()

    source, target = odd.both()
    legacy, moved = tables(source, "public"), tables(target, "app")
    assert legacy.keys() == moved.keys()  # but for "nothing", which has no columns to list
    for name in sorted(moved.keys() - {"orphans"}):
        columns = as_they_were(target, name, legacy[name])
        only = "" if name == "parts" else "ONLY"
        assert rows(target, "app", name, columns) == rows(source, "public", name, columns, only), name
    assert rows(target, "app", "orphans", ["legacy_id"]) == ["(1)"]
    rejected = target.execute("SELECT table_id, key, sqlstate, action FROM transhume.reject").fetchall()
    assert rejected == [("orphans", ["2"], "23503", "reconciled")]

    odd.rollback()
    assert tables(target, "app") == {}
    assert count(connect(odd.target), "SELECT count(*) FROM pg_namespace WHERE nspname = 'app'") == 0
