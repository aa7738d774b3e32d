"""No statement of a plan waits for a lock without end: each step gives way, tries again, and then says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import psycopg
import pytest
from tenacity import wait_none

from runner import connect, retry, rollback
from runner.errors import RunnerError, SqlError
from runner.manifest import Plan, Step, read_plan
from runner.schedule import Act, Parts
from runner.steps import KINDS
from runner.work import Work
from tests.conftest import Databases
from tests.pg.migration import Migration
from tests.pg.test_golden_plans_pg import migration_of
from tests.test_golden import GOLDEN

CASES = ("concurrently", "existing", "identity", "tree")
TABLES = """SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', c.oid::regclass) FROM pg_class AS c
            WHERE c.relkind IN ('r', 'p')
              AND (c.relnamespace = to_regnamespace('app') OR c.relname ~ '^(map|links|tree)_')"""
GIVES_WAY = "lock timeout [55P03]; trying again"


@contextmanager
def hostile(migration: Migration, *more: str) -> Iterator[None]:
    """A session that holds the strongest lock on every table of the plan that is there, and does `more`."""
    with closing(psycopg.connect(migration.target)) as session:
        for (lock,) in session.execute(TABLES).fetchall():
            session.execute(lock.encode())
        for statement in more:
            session.execute(statement.encode())
        yield


def in_the_way(step: Step, plan: Plan) -> tuple[str, ...]:
    """What another session makes, and has not committed, where the step is to make it."""
    match step.kind:
        case "require":
            return ("CREATE SCHEMA app",)
        case "create":
            return (f"CREATE TABLE {plan.table[step.table].target} ()",)
        case "map":
            return (f"CREATE TABLE transhume.map_{step.table} ()",)
        case "tree":
            return (f"CREATE TABLE transhume.links_{step.table} ()",)
    return ()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for a fiftieth of a second, little longer between, so that tries follow in a short time."""
    monkeypatch.setattr(connect, "DEADLOCK_SHARE", 0.02)
    monkeypatch.setattr(retry, "wait_random", lambda least, most: wait_none())


Kind = Callable[[Work], Parts | None]


def whole(begin: Act) -> None:
    """Carry a step out to its end, one part after the other."""
    left = begin()
    while left is not None:
        for part in left.parts:
            part()
        left = left.end()


def test_every_kind_of_step_gives_way(databases: Databases, monkeypatch: pytest.MonkeyPatch, impatient: None) -> None:
    """Where another session holds what a step needs, the step tries again and ends; without it, the step goes on."""
    tried: dict[str, list[str]] = {}

    def obstructed(kind: Kind, migration: Migration) -> Kind:
        def carry_out(work: Work) -> None:
            told = len(migration.notices.texts)
            with hostile(migration, *in_the_way(work.step, work.context.plan)), pytest.raises(SqlError) as caught:
                whole(lambda: kind(replace(work, context=replace(work.context, patience=0.05))))
            assert caught.value.sqlstate == "55P03"
            assert GIVES_WAY in "".join(migration.notices.texts[told:])
            tried.setdefault(work.step.kind, []).append(work.step.id)
            whole(lambda: kind(work))

        return carry_out

    kinds = dict(list(KINDS.items())[: list(KINDS).index("describe")])  # for removals: test_removal_gates.py
    for case in CASES:
        migration = migration_of(GOLDEN / "plans" / case, databases)
        for name, kind in kinds.items():
            monkeypatch.setitem(KINDS, name, obstructed(kind, migration))
        migration.apply(jobs=1)

    assert tried.keys() == kinds.keys()
    assert sum(map(len, tried.values())) == sum(len(read_plan(GOLDEN / "plans" / c / "expected").steps) for c in CASES)


@pytest.mark.usefixtures("impatient")
def test_a_rollback_gives_way(databases: Databases) -> None:
    """Reverts, which take the strongest locks, are under the same limit."""
    migration = migration_of(GOLDEN / "plans" / "existing", databases)
    migration.apply()
    plan = read_plan(migration.folder)
    with hostile(migration), pytest.raises(RunnerError, match=r"lock timeout \[55P03\]"):
        rollback.roll_back(plan, migration.places, migration.notices, patience=0.2)
    assert any(GIVES_WAY in text for text in migration.notices.texts)

    migration.roll_back()
    assert migration.ask("SELECT state FROM transhume.run") == [("rolled back",)]


@pytest.mark.usefixtures("impatient")
def test_the_journal_gives_way(databases: Databases) -> None:
    """Where the runner's own schema is being made by somebody else, that is said at once."""
    migration = migration_of(GOLDEN / "plans" / "existing", databases)

    with hostile(migration, "CREATE SCHEMA transhume"), pytest.raises(RunnerError, match=r"lock timeout \[55P03\]"):
        migration.apply()
    migration.apply()
