"""The manifest: a plan folder is what was compiled, to the byte, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from runner.errors import REFUSED, Refused
from runner.manifest import read_plan
from runner.units import Budget, seconds, size
from tests.pg.by_hand import write_plan

Edit = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan folder."""
    return write_plan(tmp_path / "hand")


def replaced(name: str, old: str, new: str) -> Edit:
    """An edit of one file."""

    def edit(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return edit


def test_read(folder: Path) -> None:
    """Everything of the manifest arrives, in its units."""
    plan = read_plan(folder)

    assert (plan.project, plan.databases, len(plan.steps)) == ("hand", 2, 13)
    assert plan.table["orders"].keyset == ("id",)
    assert plan.limits.rejected == Budget("10%", Fraction(1, 10), 0)
    assert plan.limits.lock_timeout == 2.0
    assert len(plan.digest) == 64


@pytest.mark.parametrize(
    "edit, message",
    [
        (replaced("load/orders.sql", "s.total", "s.total + 1"), "load/orders.sql was edited after it was compiled"),
        (lambda f: (f / "load/orders.sql").unlink(), "load/orders.sql is missing"),
        (lambda f: (f / "load/more.sql").write_text("SELECT 1"), "load/more.sql is not in the manifest"),
        (lambda f: (f / "plan.yaml").unlink(), "plan.yaml: No such file or directory"),
        (replaced("plan.yaml", "format: 2", "format: 3"), "not a manifest of this version: format: 2 was expected"),
        (replaced("plan.yaml", "kind: finish", "kind: polish"), "'polish' is not one of"),
        (replaced("plan.yaml", "databases: 2", "databases: [2"), "plan.yaml cannot be read as YAML"),
        (replaced("plan.yaml", "- require.app", "- require.apq"), "step create.patient does not fit: require.apq"),
        (replaced("plan.yaml", "table: orders", "table: order"), "step create.orders does not fit: order"),
        (replaced("plan.yaml", "file: load/orders.sql", "file: ../orders.sql"), "'../orders.sql' does not match"),
    ],
)
def test_an_edited_folder_is_refused(folder: Path, edit: Edit, message: str) -> None:
    """Edited, missing and extra files, and a manifest that does not hold together, each say what and exit with 4."""
    edit(folder)

    with pytest.raises(Refused) as caught:
        read_plan(folder)
    assert message in str(caught.value)
    assert caught.value.exit_code == REFUSED


def test_a_build_that_is_hidden_is_refused(tmp_path: Path) -> None:
    """What runs outside of a transaction is said in the manifest, where a reviewer sees it."""
    probe = ('-- transhume: build of "patient_email"', '-- transhume: probe of "patient_email" on target\nSELECT\n\n')
    edits = {"index.patient": (probe[0], probe[1] + probe[0])}

    with pytest.raises(Refused, match=r"index\.patient has builds outside of a transaction, and the mani") as caught:
        read_plan(write_plan(tmp_path / "plan", edits=edits))
    assert caught.value.exit_code == REFUSED


def test_a_file_edited_while_the_plan_runs_is_refused(folder: Path) -> None:
    """The bytes that are run are digested when they are read, not only at the start."""
    plan = read_plan(folder)
    step = plan.steps[-1]
    replaced(step.file, "count(*)", "count(1)")(folder)

    with pytest.raises(Refused, match="was edited after it was compiled"):
        plan.open(step)


def test_schemas(folder: Path) -> None:
    """Each schema that a table is in, once, without its quotes."""
    plan = read_plan(folder)
    table = plan.tables[0]
    names = ["app.orders", '"Old.App"."a.b"', "app.users", '"q""uoted".c']

    assert plan.schemas == ("app",)
    assert replace(plan, tables=tuple(replace(table, target=name) for name in names)).schemas == (
        "app", "Old.App", 'q"uoted',
    )  # fmt: skip


def test_notes_beside_the_plan_are_let_be(folder: Path) -> None:
    """PLAN.md and hidden files of editors are no part of what runs."""
    (folder / "PLAN.md").write_text("# Plan")
    (folder / ".DS_Store").write_text("")

    assert read_plan(folder).project == "hand"


def test_units() -> None:
    """Durations in seconds, sizes in bytes, budgets as exact shares."""
    assert [seconds(text) for text in ("500ms", "2s", "5m", "4h", "7d")] == [0.5, 2, 300, 14400, 604800]
    assert [size(text) for text in ("64kB", "512MB", "2GB")] == [65536, 536870912, 2147483648]
    assert (Budget.read("0.1%").allowed(100_000), Budget.read("0.1%").allowed(999), Budget.read(7).allowed(1)) == (
        100, 0, 7,
    )  # fmt: skip
