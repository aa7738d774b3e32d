"""Every golden plan, carried out: forward, verified, back to what was there, and forward again, on both servers.

A case's source.sql and target.sql (or those of golden/base) make the databases that its catalogs are snapshots of.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runner.connect import address, open_source
from runner.manifest import read_plan
from runner.snapshot import read_catalog
from tests.conftest import Databases
from tests.pg.migration import Migration
from tests.test_golden import GOLDEN, PLANS

pytestmark = pytest.mark.both_servers

# What became of each table's rows: moved, filtered, rejected, reconciled, nulled. Tables that move whole are not here.
ACCOUNTS: Mapping[str, Mapping[str, tuple[int, int, int, int, int]]] = {
    "any_by_name": {"notes": (27, 0, 8, 10, 7)},
    "any_in_one_database": {"notes": (25, 0, 6, 13, 0)},
    "any_of_uuids": {"notes": (24, 0, 2, 17, 1)},
    "casts": {"patients": (6, 0, 14, 0, 0), "visits": (17, 0, 1, 42, 0)},
    "circle": {"stores": (8, 0, 1, 2, 0), "staff": (16, 0, 0, 4, 4)},
    "composite_key": {"visits": (40, 0, 20, 0, 0)},
    "concurrently": {"visits": (20, 0, 0, 40, 0)},
    "date_without_format": {"patients": (7, 0, 13, 0, 0), "visits": (21, 0, 0, 39, 0)},
    "direct": {"patients": (27, 0, 33, 0, 0)},
    "duplicate_keys": {"notes": (6, 0, 1, 10, 0)},
    "duplicates": {"visits": (15, 0, 5, 40, 0)},
    "map_left_out": {"patients": (8, 0, 12, 0, 0), "visits": (24, 0, 3, 33, 0)},
    "missing": {"visits": (92, 0, 0, 8, 45)},
    "no_key": {"visits": (36, 0, 22, 2, 0)},
    "odd_names": {"Order Items": (4, 0, 0, 0, 1)},
    "one_database": {"patients": (13, 0, 7, 0, 0), "visits": (53, 2, 5, 0, 19)},
    "partition": {"patients": (13, 0, 7, 0, 0), "visits": (39, 0, 0, 21, 0)},
    "recode": {"visits": (45, 0, 15, 0, 0)},
    "tree": {"comments": (18, 2, 0, 0, 1)},
    "tree_reject": {"comments": (9, 0, 11, 0, 0)},
    "tree_under": {"comments": (17, 3, 0, 0, 0)},
    "tree_intervals": {"places": (12, 1, 0, 0, 0)},
    "tree_paths": {"categories": (8, 0, 1, 0, 0), "posts": (13, 1, 1, 0, 0)},
    "tree_replies": {"messages": (12, 0, 3, 0, 0)},
    "warnings": {"visits": (21, 0, 39, 0, 0)},
    "where": {"visits": (59, 1, 0, 0, 0)},
}


def content(case: Path, name: str) -> str:
    """The SQL that fills one of the databases."""
    files = (folder / f"{name}.sql" for folder in (case, GOLDEN / "base"))
    return next((file.read_text(encoding="utf-8") for file in files if file.exists()), "")


def catalog(conninfo: str) -> dict[str, Any]:
    """What the target holds, but for the runner's own schema."""
    with closing(open_source(address("TARGET_DATABASE_URL", conninfo), "test")) as session:
        return read_catalog(session, "target")


def migration_of(case: Path, databases: Databases) -> Migration:
    """The case's plan between two fresh databases; skipped where the server has not what it requires."""
    plan = read_plan(case / "expected")
    source = databases.create("source", content(case, "source"))
    target = source if plan.databases == 1 else databases.create("target", content(case, "target"))
    migration = Migration(case / "expected", source, target)
    there = {name for (name,) in migration.ask("SELECT name FROM pg_available_extensions")}
    if missing := set(plan.requires.extensions) - there:
        pytest.skip(f"the server does not have {', '.join(sorted(missing))}")
    return migration


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
def test_forward_back_forward(case: Path, databases: Databases) -> None:
    """Every row arrives or is accounted for, every check is green, and nothing is left when it is rolled back."""
    migration = migration_of(case, databases)
    before = catalog(migration.target)

    migration.apply()
    verdict = migration.verify()
    accounts = {
        each.table: (each.moved, each.filtered, each.rejected, each.reconciled, each.nulled)
        for each in verdict.accounts
    }
    rejects = migration.rejects()
    assert [check for check in verdict.checks if not check.green] == []
    assert {table: rows for table, rows in accounts.items() if any(rows[1:])} == ACCOUNTS.get(case.name, {})
    assert all(rows[0] for rows in accounts.values())
    migration.roll_back()
    assert catalog(migration.target) == before

    migration.apply()
    again = migration.rejects()
    assert [(*row[:3], row[4]) for row in again] == [(*row[:3], row[4]) for row in rejects]


SWAP = """UPDATE app.visits AS a SET {0} = b.{0} FROM app.visits AS b
          WHERE a.legacy_id IN (10, 20) AND b.legacy_id = 30 - a.legacy_id"""
RENAME = """UPDATE app.patients AS a SET name = b.name, born = b.born FROM app.patients AS b
            WHERE (a.name, b.name) IN (('patient 3', 'patient 6'), ('patient 6', 'patient 3'))"""
# What may go wrong after the load without a row more or less: the case, the damage, the column that must be named.
DAMAGE = {
    "two values change places": ("identity", SWAP.format("fee"), "fee"),
    "two looked-up references change places": ("identity", SWAP.format("patient_id"), "patient_id"),
    "two derived references change places": ("plain", SWAP.format("patient_id"), "patient_id"),
    "two rows change keys": ("map_table", RENAME, "name"),
    "a value becomes another": ("plain", "UPDATE app.patients SET name = 'patient  7' WHERE legacy_id = 7", "name"),
    "a value becomes NULL": ("plain", "UPDATE app.visits SET at = NULL WHERE legacy_id = 10", "at"),
    "NULL becomes a value": ("plain", "UPDATE app.patients SET born = '' WHERE legacy_id = 2", "born"),
    "a cent is lost": ("query", "UPDATE app.visits SET fee = fee - 0.01", "fee"),
    "a reference comes back": ("missing", "UPDATE app.visits SET b = a WHERE id = 99", "b"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_verify_finds(what: str, databases: Databases) -> None:
    """The checksum of the column that was damaged is red, and that of no other."""
    case, damage, column = DAMAGE[what]
    migration = migration_of(GOLDEN / "plans" / case, databases)
    migration.apply()
    assert migration.verify().green
    migration.ask(damage)
    red = [problem for check in migration.verify().checks if check.name == "checksums" for problem in check.problems]

    assert [problem.split(" differs")[0] for problem in red] == [f"column {column}"]
