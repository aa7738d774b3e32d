"""What the preflight finds, and the plan that the tests of it have in common: two tables that are there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from runner.errors import Refused
from runner.manifest import read_plan
from runner.preflight import Preflight
from runner.runs import session_on
from tests.conftest import Databases
from tests.pg.migration import Migration
from tests.pg.test_golden_plans_pg import migration_of
from tests.test_golden import PLANS

EXISTING = next(case for case in PLANS if case.name == "existing")


def existing(databases: Databases) -> Migration:
    """The golden plan whose target tables are there before."""
    return migration_of(EXISTING, databases)


@contextmanager
def preflight(migration: Migration, **options: Any) -> Iterator[Preflight]:
    """The preflight of a run that begins; `options` are its other fields."""
    with ExitStack() as stack:
        source = stack.enter_context(session_on(migration.places["source"], "transhume"))
        target = stack.enter_context(session_on(migration.places["target"], "transhume", 1))
        yield Preflight(read_plan(migration.folder), source, target, **{"fresh": True, **options})


def look(
    migration: Migration, env: Mapping[str, str] | None = None, **options: Any
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What refuses, and what is only told."""
    notices: list[str] = []
    with preflight(migration, **options) as looking:
        try:
            looking.check(env or {}, notices.append)
        except Refused as error:
            return error.notes, tuple(notices)
    return (), tuple(notices)


def refused(migration: Migration, **options: Any) -> tuple[str, ...]:
    """What refuses; nothing else is told."""
    problems, notices = look(migration, **options)
    assert notices == ()
    return problems


def told(migration: Migration, **options: Any) -> tuple[str, ...]:
    """What is told; nothing refuses."""
    problems, notices = look(migration, **options)
    assert problems == ()
    return notices


@contextmanager
def role(migration: Migration, *grants: str, **attributes: str) -> Iterator[Migration]:
    """The migration by a role of no privileges but `grants` (`source: GRANT ... TO ROLE`), dropped at the end."""
    name = f"visitor_{abs(hash(migration.target)) % 10**9}"
    migration.ask(f"CREATE ROLE {name} LOGIN {attributes.get('options', '')}")
    try:
        for grant in grants:
            side, _, statement = grant.partition(": ")
            (migration.ask_source if side == "source" else migration.ask)(statement.replace("ROLE", name))
        source, target = (make_conninfo(conninfo, user=name) for conninfo in (migration.source, migration.target))
        yield Migration(migration.folder, source, target)
    finally:
        for conninfo in (migration.source, migration.target):
            with psycopg.connect(conninfo, autocommit=True) as session:
                session.execute(f"DROP OWNED BY {name} CASCADE".encode())
        migration.ask(f"DROP ROLE {name}")
