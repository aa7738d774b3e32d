"""Removals in the compiler: plans of their own, which nothing else in the project changes, and every step's shape."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler.pipeline import check, compile_project, lower
from compiler.plan import Plan
from tests.test_golden import GOLDEN
from transhume import main

ROOT = Path(__file__).parent.parent
PRODUCTION = ROOT / "specs" / "production"


@pytest.fixture(scope="module")
def phases() -> dict[str, Plan]:
    """The plans of the production removal, by phase."""
    plan = lower(check(PRODUCTION))
    return {one.removal.phase: one for one in plan.removals if one.removal}


def test_a_removal_has_five_plans(phases: dict[str, Plan]) -> None:
    """One for each phase, and the way back; all of them about the one database that the table is in."""
    assert list(phases) == ["1-deprecate", "2-detach", "3-drop", "4-purge", "restore"]
    assert {(plan.databases, plan.project.source.env) for plan in phases.values()} == {(1, "PRODUCTION_DATABASE_URL")}


def test_what_cannot_be_undone_is_said(phases: dict[str, Plan]) -> None:
    """Only the drop, the purge and the steps of a restore have no revert, and each says where the way back is."""
    for phase, plan in phases.items():
        for step in plan.steps:
            has_revert = any(section.name == "revert" for section in step.sections)
            assert not (has_revert and not step.reversible), step.id
            assert step.reversible or phase in ("3-drop", "4-purge", "restore"), step.id
            assert step.undo
    assert [step.id for step in phases["3-drop"].steps if not step.reversible] == ["drop.users"]


def test_steps_come_one_after_the_other(phases: dict[str, Plan]) -> None:
    """The order within a phase is what makes it safe: no step starts before the one before it is done."""
    for plan in phases.values():
        ids = [step.id for step in plan.steps]
        assert [step.after for step in plan.steps] == [(), *((before,) for before in ids[:-1])]


def test_nothing_else_changes_a_removals_plan(tmp_path: Path) -> None:
    """Its phases lie weeks apart: what is written of tables meanwhile makes no other plan of it, nor it of theirs."""
    specs = tmp_path / "specs" / "demo"
    shutil.copytree(GOLDEN / "base", specs)
    alone = compile_project(specs)
    (specs / "removals").mkdir()
    spec = (GOLDEN / "plans" / "removal" / "removals" / "visits.yaml").read_text()
    (specs / "removals" / "visits.yaml").write_text(spec)
    both = compile_project(specs)
    table = specs / "tables" / "patients.yaml"
    table.write_text(table.read_text() + "chunk: {rows: 10, max: 100}\n")
    changed = compile_project(specs)

    assert {name: text for name, text in both.items() if not name.startswith("removals/")} == alone
    removals = {name: text for name, text in both.items() if name.startswith("removals/")}
    assert {name: text for name, text in changed.items() if name.startswith("removals/")} == removals
    assert changed["plan.yaml"] != both["plan.yaml"]


@pytest.mark.parametrize("step", ["drop.users", "plans/production/removals/users/3-drop/drop/users.sql"])
def test_a_step_of_a_removal_is_explained(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, or by its file."""
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, ["explain", step, "-p", "production"])

    assert result.stdout.startswith("drop.users: app.users (hashed_password, is_active) is dropped\n"), result.output
    assert "DROP COLUMN zz_removed_hashed_password RESTRICT" in result.stdout
