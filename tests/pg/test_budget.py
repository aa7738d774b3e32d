"""The error budget: asked at each chunk, and as exact as if all that was set aside were counted each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from runner import budget, journal
from runner.connect import Session
from runner.errors import RunnerError
from runner.journal import Run
from runner.manifest import Plan, Table, read_plan
from runner.units import Budget
from tests.pg.migration import Migration

Make = Callable[..., Migration]
REJECT = """INSERT INTO transhume.reject (run, step, table_id, source, key, target_column, reason, sqlstate, action)
            VALUES (%s, %s, %s, 'x', %s, %s, 'x', '22000', %s)"""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What was counted, each time that all rows set aside were."""
    found: list[int] = []
    count = budget._set_aside

    def counted(session: Session, run: Run, table: str | None) -> int:
        found.append(count(session, run, table))
        return found[-1]

    monkeypatch.setattr(budget, "_set_aside", counted)
    return found


@pytest.mark.parametrize("number", [1, 2])
def test_rows_are_counted_only_at_the_edge(migrations: Make, counts: list[int], number: int) -> None:
    """A load within its budget counts nothing; the steps that take rows away do, and one row too many stops them."""
    within = migrations(rows=600, chunk=(10, 10), databases=number, rejected="100%", budgets={"patient": 20})
    within.apply(jobs=1)
    assert counts == [20, 20, 20, 110, 110]  # by the repair, then, table by table, by the reconciliation

    beyond = migrations(rows=600, chunk=(10, 10), databases=number, rejected="100%", budgets={"patient": 19})

    with pytest.raises(RunnerError, match="20 of 600 rows of table patient would be set aside: the limit is 19"):
        beyond.apply(jobs=1)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_as_if_all_were_counted(migrations: Make, counts: list[int], seed: int) -> None:
    """Whatever chunks and parts the journal has, it stops where counting stops, and nowhere else."""
    dice = random.Random(seed)
    migration = migrations(rows=0)
    plan = read_plan(migration.folder)
    with closing(psycopg.connect(migration.target, autocommit=True)) as session:
        journal.create(session)
        run = journal.insert_run(session, plan, "here", "there", "1")
        real = _filled(session, run, dice)
        for _ in range(60):
            table = dice.choice(plan.tables)
            own, all = (Budget(str(n), None, n) for n in (dice.randrange(60), dice.randrange(100)))
            judged = replace(plan, limits=replace(plan.limits, rejected=all))
            stops = real[table.id] > own.rows or sum(real.values()) > all.rows
            for fresh in (0, 5, None):  # of the entries none is this transaction's
                assert _stops(session, judged, run, replace(table, rejected=own), fresh) == stops

    assert 0 < len(counts) < 60 * 3 * 2


def _stops(session: Session, plan: Plan, run: Run, table: Table, fresh: int | None) -> bool:
    try:
        budget.check(session, plan, run, table, fresh)
    except RunnerError:
        return True
    return False


def _filled(session: Session, run: Run, dice: random.Random) -> dict[str, int]:
    """A journal; how many rows of each table were set aside."""
    found = {"patient": 0, "orders": 0}
    for table in found:
        load, take = f"load.{table}", "index.patient" if table == "patient" else "reconcile.orders"
        for step in (load, take):
            journal.begin_step(session, run, step)
        journal.add_ranges(session, run, load, [journal.Range(0)])
        for chunk in range(dice.randrange(1, 8)):
            rows = dice.randrange(6)
            journal.claim_chunk(session, run, load, chunk, None, None)
            for row in range(rows):
                session.execute(REJECT, (run.run, load, table, [f"{chunk}/{row}"], None, "rejected"))
            journal.checkpoint(session, run, load, chunk, journal.Counts(10, 0, rows), 0, 0)
            found[table] += rows
        taken = dice.randrange(9)
        for row in range(taken):  # by either of two references
            for column in ("a", "b")[: dice.randrange(1, 3)]:
                session.execute(REJECT, (run.run, take, table, [f"taken {row}"], column, "reconciled"))
        journal.add_part(session, run, take, "settle", 2 * taken)
        session.execute(REJECT, (run.run, take, table, ["nulled"], "c", "nulled"))
        found[table] += taken
    return found
