"""Roll back: the target is as it was, from wherever the run had come; the journal stays; apply begins anew."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from runner.errors import Refused, RunnerError
from tests.pg.migration import Migration

Make = Callable[..., Migration]

RELATIONS = """SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema', 'transhume')
                 AND n.nspname NOT LIKE 'pg_%' UNION ALL SELECT nspname, '' FROM pg_namespace WHERE nspname = 'app'"""


def test_forward_back_forward(migrations: Make) -> None:
    """Nothing is left behind but the journal; the second run gives what the first one gave."""
    migration = migrations(rows=100)
    migration.apply()
    content = migration.content()

    assert migration.roll_back().steps == 13
    assert migration.ask(RELATIONS) == []
    assert migration.roll_back().steps == 0
    migration.apply()

    assert migration.content() == content
    assert migration.ask("SELECT state FROM transhume.run ORDER BY started_at") == [("rolled back",), ("done",)]


@pytest.mark.parametrize(
    "point", ["ddl-before-commit:1", "ddl-after-commit:2", "after-commit:2", "before-commit:6", "ddl-after-commit:6"]
)
def test_a_half_done_run(migrations: Make, point: str) -> None:
    """A run that crashed anywhere is undone as far as it had come."""
    migration = migrations(rows=100, chunk=(50, 50))
    migration.command("apply", TRANSHUME_FAILPOINT=point)
    migration.roll_back()

    assert migration.ask(RELATIONS) == []


@pytest.mark.parametrize("point", ["revert-before-commit:1", "revert-before-commit:5", "revert-before-commit:12"])
def test_killed_while_rolling_back(migrations: Make, point: str) -> None:
    """A roll back that was killed goes on; until it is through, apply refuses."""
    migration = migrations(rows=100)
    migration.apply()
    done = migration.command("rollback", TRANSHUME_FAILPOINT=point)
    assert done.returncode == -signal.SIGKILL

    with pytest.raises(Refused, match="the run of project hand is being rolled back"):
        migration.apply()
    assert migration.command("rollback").returncode == 0
    assert migration.ask(RELATIONS) == []


def test_a_step_that_cannot_be_undone(migrations: Make) -> None:
    """It stops there and says why, as the step's header has it; what was undone before stays undone."""
    revert = "-- transhume: revert on target\nALTER TABLE app.orders DROP CONSTRAINT IF EXISTS orders_patient\n"
    final = {"constrain.orders": (revert, "")}
    migration = migrations(rows=10, edits=final)
    text = (migration.folder / "plan.yaml").read_text()
    head, tail = text.split("- id: constrain.orders")
    (migration.folder / "plan.yaml").write_text(
        head + "- id: constrain.orders" + tail.replace("reversible: true", "reversible: false", 1)
    )
    migration.apply()

    with pytest.raises(RunnerError) as caught:
        migration.roll_back()

    assert str(caught.value).splitlines() == [
        "constrain.orders cannot be undone",
        "  | constrain.orders",
        " from specs/hand/tables/orders.yaml:2",
        "  = hint: restore the target from a backup made before the run",
    ]
    states = dict(migration.ask("SELECT step, state FROM transhume.step"))
    assert (states["finish.orders"], states["constrain.orders"]) == ("reverted", "done")


def test_another_version_of_the_plan_is_refused(migrations: Make) -> None:
    """Only the plan that made a run knows how to undo it."""
    migration = migrations(rows=10)
    migration.apply()
    other = migrations(rows=10, chunk=(1, 7))

    with pytest.raises(Refused, match="was made by another version of the plan"):
        Migration(other.folder, migration.source, migration.target).roll_back()


def test_nothing_to_roll_back(migrations: Make) -> None:
    """Without a run there is nothing to undo, and exit code 4."""
    done = migrations(rows=0).command("rollback")

    assert done.returncode == 4
    assert "error: project hand was never applied to this target" in done.stderr
