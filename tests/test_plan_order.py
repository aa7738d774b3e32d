"""Golden plans, as the runner schedules them: whatever a step's SQL touches is made, filled and settled before it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from compiler.names import split
from compiler.sql import Sql, fits, qname
from runner.manifest import Plan, Step, read_plan
from tests.test_golden import PLANS

LATER = ["index", "reconcile", "constrain", "finish", "verify"]  # than the load of a table


def ancestors(plan: Plan) -> Mapping[str, frozenset[str]]:
    """All steps that are done when a step starts, those that come before its `after` too."""
    found: dict[str, frozenset[str]] = {}
    for step in plan.steps:
        found[step.id] = frozenset(step.after).union(*(found[before] for before in step.after))
    return found


def touched(plan: Plan, step: Step) -> dict[str, str]:
    """The target's relations that a step's SQL names: what makes each, by its name as SQL."""
    text = "\n".join(section.text for section in plan.open(step).sections if section.side == "target")
    made: dict[str, Sql] = {}
    for table in plan.tables:
        made[f"create.{table.id}"] = made[f"prepare.{table.id}"] = qname(*split(table.target))
        made[f"map.{table.id}"] = qname("transhume", fits(f"map_{table.id}"))
    there = {each.id for each in plan.steps}
    return {by: name for by, name in made.items() if by in there and re.search(rf"{re.escape(name)}(?![\w\"])", text)}


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
def test_what_a_step_touches_is_there(case: Path) -> None:
    """No step can start before the tables and maps that its SQL names are made, whatever runs beside it."""
    plan = read_plan(case / "expected")
    before = ancestors(plan)
    early = [
        (step.id, by, name)
        for step in plan.steps if step.kind not in ("require", "create", "prepare")
        for by, name in touched(plan, step).items() if by not in before[step.id] | {step.id}
    ]  # fmt: skip

    assert early == []


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
def test_rows_are_there_before_they_are_worked_on(case: Path) -> None:
    """What comes after a table's load waits for it; what reads another table, until that one loses no row any more."""
    plan = read_plan(case / "expected")
    before = ancestors(plan)
    early = [
        (step.id, other)
        for step in plan.steps if step.kind in LATER
        for by in touched(plan, step) if not by.startswith("map.")
        for other in settling(plan, step, by.split(".", 1)[1]) if other not in before[step.id]
    ]  # fmt: skip

    assert early == []


def settling(plan: Plan, step: Step, table: str) -> list[str]:
    """The steps before `step` that fill a table and take rows away; an index step reads no table but its own."""
    kinds = ("load",) if step.kind == "index" else ("load", "index", "reconcile")
    made = (other for other in plan.steps if other != step and other.kind in kinds)
    return [other.id for other in made if table in other.id.split(".", 1)[1].split("+")]
