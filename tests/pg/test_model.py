"""Made-up databases moved for real, and compared to the row with what a model in plain Python says becomes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runner.errors import RunnerError
from tests.conftest import Databases
from tests.pg import model_project
from tests.pg.migration import Migration
from tests.pg.model import Fate, Model
from tests.pg.model_columns import quoted
from tests.pg.model_tables import Table, make, spec_name
from tests.pg.test_golden_plans_pg import catalog

# The first few, and some in which much comes together: rows without a key, one database, maps, circles, duplicates; the
# last four each showed a mistake: a key that is NULL, references of rows that go, a place that two rows had in turn, a
# reference that must not be missing in rows that are set aside for something else.
QUICK = (0, 1, 2, 3, 21, 24, 35, 36, 41, 92, 100, 144, 2138, 2021, 3035, 5117)
SLOW = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(32) if seed not in QUICK]
FAILURES = r"has no row|has no such row|violates|refer by|out of range|division by zero"


@pytest.mark.parametrize("seed", [*QUICK, *SLOW])
def test_the_move_is_what_the_model_says(seed: int, databases: Databases, tmp_path: Path) -> None:
    """Every value, every row set aside and every account, forward, back, and forward again."""
    world = make(seed)
    model = Model(world)
    source = databases.create("source")
    target = source if world.databases == 1 else databases.create("target")
    model_project.source(world, source)
    model_project.target(world, target)
    migration = model_project.plan(world, tmp_path, source, target)
    before = catalog(target)

    for _ in range(2):
        if model.fails:
            with pytest.raises(RunnerError, match=FAILURES):
                migration.apply()
        else:
            migration.apply()
            compare(migration, model)
        migration.roll_back()
        assert catalog(target) == before


def compare(migration: Migration, model: Model) -> None:
    """The target, the rows set aside, the accounts and the checks."""
    rejects = migration.ask(
        """SELECT table_id, key, action, sqlstate, target_column FROM transhume.reject
           WHERE run = (SELECT run FROM transhume.run ORDER BY started_at DESC LIMIT 1)"""
    )
    for name, table in model.world.tables.items():
        fate, own = model.fates[name], [row[1:] for row in rejects if row[0] == spec_name(name)]
        assert rows(migration, table) == expected(fate.live, table), name
        set_aside(table, fate, [row for row in own if row[1] != "nulled"])
        live = {texts(table.key_of(moved.source)) for moved in fate.live}
        nulled = {(tuple(key), column) for key, action, _, column in own if action == "nulled" and tuple(key) in live}
        assert nulled == {(texts(key), column) for key, column in fate.nulled if texts(key) in live} or not table.key
    verdict = migration.verify()
    assert [check for check in verdict.checks if not check.green] == []
    accounts = verdict.accounts
    assert {one.table: (one.source, one.filtered, one.rejected, one.reconciled, one.target) for one in accounts} == {
        spec_name(name): account(table, model.fates[name]) for name, table in model.world.tables.items()
    }


def account(table: Table, fate: Fate) -> tuple[int, int, int, int, int]:
    """Source, filtered, rejected, reconciled, target."""
    aside = Counter(action for action, _ in fate.aside.values())
    aside.update(action for action, _ in fate.keyless.elements())
    return len(table.rows), fate.filtered, aside["rejected"], aside["reconciled"], len(fate.live)


def set_aside(table: Table, fate: Fate, rows: list[tuple[Any, ...]]) -> None:
    """Each row with the right action and for one of the right reasons."""
    if not table.key:
        assert Counter(row[1] for row in rows) == Counter(action for action, _ in fate.keyless.elements())
        return
    found = {tuple(row[0]): (row[1], row[2]) for row in rows}
    wanted = {texts(key): aside for key, aside in fate.aside.items()}
    assert len(found) == len(rows)
    differ = {key for key in {*found, *wanted} if not _agree(found.get(key), wanted.get(key))}
    assert [(table.name, key, found.get(key), wanted.get(key)) for key in differ] == []


def _agree(found: tuple[str, str] | None, wanted: tuple[str, frozenset[str]] | None) -> bool:
    return found is not None and wanted is not None and found[0] == wanted[0] and found[1] in wanted[1]


def texts(key: Iterable[Any]) -> tuple[str, ...]:
    """A key as the journal has it."""
    return tuple(map(str, key))


def rows(migration: Migration, table: Table) -> Counter[str]:
    """The rows of a target table."""
    columns = ", ".join(f"t.{quoted(fill.name)}" for fill in table.all)
    with closing(psycopg.connect(migration.target)) as session:
        query = f"SELECT {columns} FROM app.{quoted(table.name)} AS t"
        return Counter(str([plain(value) for value in row]) for row in session.execute(query.encode()))


def expected(live: Iterable[Any], table: Table) -> Counter[str]:
    """The rows that the model has."""
    return Counter(str([plain(moved.values[fill.name]) for fill in table.all]) for moved in live)


def plain(value: Any) -> Any:
    """One value has one text."""
    match value:
        case datetime(tzinfo=None):
            return value.isoformat()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal():
            return str(value.normalize() + 0)
        case dict():
            return sorted(value.items())
    return value
