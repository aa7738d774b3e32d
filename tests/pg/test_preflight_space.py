"""The preflight of disk space: what a load needs is about what it takes, and a clear shortage is refused."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from runner.errors import RunnerError
from runner.preflight import space
from tests.conftest import Databases
from tests.pg import by_hand
from tests.pg.compiled import Projects
from tests.pg.migration import Migration
from tests.pg.preflighting import existing, look, preflight, refused, told
from tests.pg.test_faults import fingerprints

PARTS = r"\(tables in pg_default [\d.]+ kB, indexes in pg_default [\d.]+ kB, WAL [\d.]+ kB\)"
NEEDS = re.compile(rf"the load needs about [\d.]+ [kM]B {PARTS}")


def hand(databases: Databases, folder: Path, rows: int) -> Migration:
    """The plan written by hand, which knows the relations of its source."""
    migration = Migration(folder / "hand", databases.create("source", by_hand.source(rows)), databases.create("target"))
    by_hand.write_plan(migration.folder, relations=fingerprints(migration))
    return migration


def needed(migration: Migration) -> Mapping[str, int]:
    """Bytes that the load still needs, by what for."""
    with preflight(migration, fresh=False) as looking:
        found = space.needed(looking.plan, looking.source, looking.target, looking.facts["target"], False)
    return {need.what: need.size for need in found}


@pytest.mark.both_servers
def test_what_is_needed_is_about_what_it_takes(databases: Databases, tmp_path: Path) -> None:
    """The estimate is no less than what the tables take in the end, nor twice that; then nothing more is needed.

    Pages without a row do not count: PostgreSQL 16 adds many at once where sessions load side by side.
    """
    migration = hand(databases, tmp_path, 3000)
    before = needed(migration)
    migration.apply()
    made = "FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r'"
    pages = "SELECT count(DISTINCT (ctid::text::point)[0]) * 8192 FROM {}"
    tables = sum(migration.ask(pages.format(table))[0][0] for (table,) in migration.ask(f"SELECT oid::regclass {made}"))
    ((indexes,),) = migration.ask(f"SELECT sum(pg_indexes_size(oid)) {made}")

    assert tables <= before["tables in pg_default"] <= 2 * tables
    assert indexes <= before["indexes in pg_default"] <= 2 * indexes
    assert before["WAL"] == before["tables in pg_default"] + before["indexes in pg_default"]
    assert sum(needed(migration).values()) < 0.5 * sum(before.values())


TREE = """\
table: comments
from: comment
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [body]
tree: {parent: {from: parent_id, to: parent_id}, fill: {root: root_id, depth: depth}}
"""


def test_the_rows_of_a_hierarchy_are_kept(databases: Databases, tmp_path: Path) -> None:
    """They are in the target twice for a while, with what says where they hang; then nothing more is needed."""
    source = """CREATE TABLE comment (id integer PRIMARY KEY, parent_id integer, body text NOT NULL);
                INSERT INTO comment SELECT n, n / 2, repeat('x', 100) FROM generate_series(1, 3000) AS n; ANALYZE"""
    migration = Projects(databases, tmp_path)(source, {"comments": TREE})
    before = needed(migration)["rows kept in pg_default"]
    done = migration.command("apply", "--jobs", "1", TRANSHUME_FAILPOINT="after-claim:3")
    assert done.returncode == -signal.SIGKILL, done.stderr
    working = "SELECT sum(pg_table_size(oid))::bigint FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'"
    ((size,),) = migration.ask(working)
    migration.apply()

    assert 0.9 * size <= before <= 2 * size
    assert "rows kept in pg_default" not in needed(migration)


@pytest.mark.both_servers
def test_free_space_that_the_operator_confirms(databases: Databases, tmp_path: Path) -> None:
    """TRANSHUME_FREE_SPACE is compared with what the load needs, as it stands; what is no size is a usage error."""
    migration = hand(databases, tmp_path, 500)
    assert refused(migration, env={"TRANSHUME_FREE_SPACE": "200GB"}) == ()
    (problem,) = refused(migration, env={"TRANSHUME_FREE_SPACE": "10 kB"})
    assert NEEDS.sub("NEEDS", problem) == "NEEDS, and TRANSHUME_FREE_SPACE says that 10.0 kB are free: make room"
    with pytest.raises(RunnerError, match="TRANSHUME_FREE_SPACE is no size: much") as caught:
        refused(migration, env={"TRANSHUME_FREE_SPACE": "much"})
    assert caught.value.exit_code == 2
    done = migration.command("apply", TRANSHUME_FREE_SPACE="1kB")
    assert done.returncode == 4
    assert done.stderr.endswith("says that 1.0 kB are free: make room\n  = hint: nothing was changed\n")


@pytest.mark.both_servers
def test_free_space_of_this_machine(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server runs here, its file systems are asked: a shortage is refused."""
    migration = hand(databases, tmp_path, 500)
    with preflight(migration) as looking:
        assert space.is_here(looking.target)
    asked: list[str] = []

    def full(path: Path) -> Disk:
        asked.append(str(path))
        return Disk()

    monkeypatch.setattr(os, "statvfs", full)
    (problem,) = refused(migration)

    assert NEEDS.sub("NEEDS", problem) == (
        "NEEDS, and 4.0 kB are free there: make room, or TRANSHUME_FREE_SPACE says how much there is"
    )
    data = str(databases.server.data)
    assert set(asked) == {data, f"{data}/pg_wal"}
    monkeypatch.undo()
    assert look(migration) == ((), ())


class Disk:
    """A file system with one free block."""

    f_bavail, f_frsize = 1, 4096


def test_each_tablespace_is_asked(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is there already needs room in its own tablespace."""
    migration = existing(databases)
    folder = databases.server.data.parent / f"other_{os.getpid()}"
    folder.mkdir()
    os.chown(folder, databases.server.data.stat().st_uid, -1)
    migration.ask(f"CREATE TABLESPACE other LOCATION '{folder}'")
    migration.ask("ALTER TABLE app.visits SET TABLESPACE other")
    asked: list[str] = []
    usual = os.statvfs

    def noted(path: Path) -> os.statvfs_result:
        asked.append(str(path))
        return usual(path)

    monkeypatch.setattr(os, "statvfs", noted)

    assert sorted(needed(migration)) == [
        "WAL", "indexes in other", "indexes in pg_default", "tables in other", "tables in pg_default",
    ]  # fmt: skip
    assert refused(migration) == ()
    assert str(folder) in asked
    migration.ask("ALTER TABLE app.visits SET TABLESPACE pg_default")
    migration.ask("DROP TABLESPACE other")


def test_space_that_cannot_be_seen(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine's server what is needed is told, where it is worth telling, and how to confirm it."""
    migration = hand(databases, tmp_path, 500)
    monkeypatch.setattr(psutil, "Process", missing)
    assert told(migration) == ()
    monkeypatch.setattr(space, "WORTH_TELLING", 100)
    (notice,) = told(migration)
    assert NEEDS.sub("NEEDS", notice) == (
        "NEEDS: TRANSHUME_FREE_SPACE=200GB, say, has the run compare it with what is free"
    )
    assert look(migration, env={"TRANSHUME_FREE_SPACE": "1GB"}) == ((), ())


def missing(_: int) -> Any:
    """A process that is not on this machine."""
    raise psutil.NoSuchProcess(0)


def test_wal_that_nobody_reads(databases: Databases, tmp_path: Path) -> None:
    """WAL is what the server lets stand between checkpoints, and all of it where a slot keeps it."""
    migration = hand(databases, tmp_path, 500)
    with preflight(migration) as looking:
        facts = looking.facts["target"]
        most = {slot: space.most_wal(facts, slot) for slot in (False, True)}

    assert most == {False: facts.number("max_wal_size") * 2**20, True: float("inf")}
