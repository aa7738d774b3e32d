"""The direct path against the servers: what it loads and sets aside is what the stage would, to the row."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compiler.bound import Ordered
from compiler.lower import lower
from compiler.pipeline import check
from compiler.plan import Plan
from runner.connect import Session, address, open_target
from tests.conftest import Databases
from tests.pg.sections import REJECT, Mover, rows
from tests.test_golden import GOLDEN, INPUT

pytestmark = pytest.mark.both_servers

# Golden cases, and the loads of them that are compared.
CASES = {
    "casts": ("patients", "visits"),
    "collation": ("patients", "visits"),
    "composite_key": ("patients", "visits"),
    "direct": ("patients",),
    "existing_partitioned": ("visits",),
    "no_key": ("patients", "visits"),
    "odd_names": ('"odd.name"', "Order Items"),
    "partition": ("visits",),
    "recode": ("visits",),
    "types": ("billing.moods",),
    "where": ("visits",),
}
SET_ASIDE = {
    "casts": {"22001", "22007", "22012"},
    "composite_key": {"23502"},
    "direct": {"22001", "22012", "22P02", "23514"},
    "no_key": {"22012", "23502"},
    "recode": {"22000"},
}
Content = dict[str, list[tuple[Any, ...]]]


def ordered(case: Path, here: Path) -> Ordered:
    """The golden case, as far as order."""
    specs = here / "specs" / "demo"
    shutil.copytree(GOLDEN / "base", specs)
    for name in sorted(INPUT & {path.name for path in case.iterdir()}):
        if (case / name).is_dir():
            shutil.copytree(case / name, specs / name, dirs_exist_ok=True)
        else:
            shutil.copy(case / name, specs / name)
    return check(specs)


def plan_of(found: Ordered, *, direct: bool) -> Plan:
    """The plan, with the direct path or without."""
    return lower(replace(found, tables=tuple(replace(table, direct=direct) for table in found.tables)))


def loaded(plan: Plan, source: Session, target: Session, names: tuple[str, ...], *, direct: bool) -> Content:
    """The target's tables and what was set aside, once the loads are done."""
    target.execute(REJECT.encode())
    found: Content = {}
    for step in plan.steps:
        if step.kind in ("require", "create", "prepare"):
            for section in (each for each in step.sections if each.name == "apply"):
                target.execute(section.sql.encode())
        elif step.kind == "load" and step.name in names:
            assert ("direct" in {each.name for each in step.sections}) == direct
            Mover(source, target, step).load()
            table = next(table for table in plan.tables if table.id == step.table)
            name = ".".join(f'"{part}"' for part in table.target.replace('"', "").split(".", 1))
            found[step.name] = rows(target, f"SELECT t::text FROM {name} AS t ORDER BY 1")
    kept = "table_id, source, key, raw, target_column, reason, sqlstate, action"
    found["rejects"] = rows(target, f"SELECT {kept} FROM transhume.reject ORDER BY table_id, key, target_column")
    return found


def content(case: Path, name: str) -> str:
    """The SQL that fills one of the databases."""
    files = (folder / f"{name}.sql" for folder in (case, GOLDEN / "base"))
    return next((file.read_text(encoding="utf-8") for file in files if file.exists()), "")


def opened_on(role: str, databases: Databases, content: str) -> Session:
    """A session as the runner has it, on a fresh database."""
    return open_target(address(role, databases.create(role, content)), "test", 2)


@pytest.mark.parametrize("name", CASES)
def test_both_paths_give_the_same(name: str, databases: Databases, tmp_path: Path) -> None:
    """The rows of the target and those set aside, with their reasons, do not depend on the path."""
    case = GOLDEN / "plans" / name
    found = ordered(case, tmp_path)
    with ExitStack() as stack:
        opened = (opened_on(role, databases, content(case, role)) for role in ("source", "target", "target"))
        source, one, two = (stack.enter_context(closing(session)) for session in opened)
        directly = loaded(plan_of(found, direct=True), source, one, CASES[name], direct=True)
        staged = loaded(plan_of(found, direct=False), source, two, CASES[name], direct=False)

    assert directly == staged
    assert all(directly[table] for table in CASES[name])
    assert {state for *_, state, _ in directly["rejects"]} == SET_ASIDE.get(name, set())
