"""Verify: whatever is changed after the load is found, on either side, and the verdict is kept."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from runner.errors import Refused
from tests.pg.migration import Migration

Make = Callable[..., Migration]


@pytest.mark.both_servers
def test_green(migrations: Make) -> None:
    """A run that nobody touched is green, exit code 0, and the verdict is in the trail."""
    migration = migrations(rows=200)
    migration.apply()
    done = migration.command("verify")

    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("checks, all green")
    assert migration.ask("SELECT what, detail FROM transhume.event ORDER BY event DESC LIMIT 1") == [
        ("verified", "green")
    ]


@pytest.mark.parametrize(
    "side, statement, red",
    [
        ("target", "UPDATE app.patient SET email = 'x' WHERE legacy_id = 1", {"verify.patient checksums"}),
        ("target", "UPDATE app.orders SET total = total + 1 WHERE legacy_id = 1", {"verify.orders checksums"}),
        ("target", "DELETE FROM app.orders WHERE legacy_id = 5",
         {"verify.orders rows", "verify.orders checksums"}),
        ("target", "INSERT INTO app.orders SELECT gen_random_uuid(), 0, patient_id, 0 FROM app.orders LIMIT 1",
         {"verify.orders rows", "verify.orders checksums"}),
        ("target", "DELETE FROM transhume.reject WHERE action = 'rejected'",
         {"verify.patient rows", "verify.patient checksums"}),
        ("target", "UPDATE transhume.chunk SET loaded = loaded + 1 WHERE step = 'load.orders' AND chunk = 1",
         {"verify.orders rows"}),
        ("target", "ALTER TABLE app.orders DROP CONSTRAINT orders_patient; ALTER TABLE app.orders ADD CONSTRAINT "
         "orders_patient FOREIGN KEY (patient_id) REFERENCES app.patient (id) NOT VALID", {"constrain.orders rules"}),
        ("source", "DELETE FROM legacy.orders WHERE id = 1", {"verify.orders rows", "verify.orders checksums"}),
        ("source", "UPDATE legacy.orders SET total = 0 WHERE id = 1", {"verify.orders checksums"}),
        ("source", "INSERT INTO legacy.orders VALUES (99991, 1, 0, 'late')",
         {"verify.orders rows", "verify.orders checksums", 'verify.orders query of "greatest"'}),
    ],
)  # fmt: skip
def test_changes_are_found(migrations: Make, side: str, statement: str, red: set[str]) -> None:
    """A row changed, lost or added, a reject forgotten, a checkpoint forged, a key not valid: each is named."""
    migration = migrations(rows=200)
    migration.apply()
    (migration.ask if side == "target" else migration.ask_source)(statement)

    verdict = migration.verify()

    assert {f"{check.step} {check.name}" for check in verdict.checks if not check.green} == red
    assert migration.ask("SELECT detail FROM transhume.event ORDER BY event DESC LIMIT 1")[0][0].startswith("red: ")


def test_the_command_is_red(migrations: Make) -> None:
    """Exit code 1, with numbers; JSON says the same."""
    migration = migrations(rows=200)
    migration.apply()
    migration.ask("DELETE FROM app.orders WHERE legacy_id = 5")

    text, data = migration.command("verify"), migration.command("verify", "--json")

    assert (text.returncode, data.returncode) == (1, 1)
    assert text.stdout.rstrip().endswith("are red")
    found = json.loads(data.stdout)
    problems = [problem for check in found["checks"] for problem in check["problems"]]
    rows = next(one for one in found["accounts"] if one["table"] == "orders")
    assert problems[0] == (
        f"the target has {rows['target']} rows, {rows['target'] + 1} were loaded and not reconciled away"
    )
    assert not found["green"]


def test_an_unfinished_run_is_red(migrations: Make) -> None:
    """What is there is verified; that steps are missing is red."""
    migration = migrations(rows=200, chunk=(50, 50))
    migration.command("apply", TRANSHUME_FAILPOINT="after-commit:5")

    checks = {check.name: check.problems for check in migration.verify().checks}

    assert checks["all steps are done"][0].endswith("of 13 steps are not done")


def test_a_run_that_was_rolled_back(migrations: Make) -> None:
    """There is nothing to compare with any more."""
    migration = migrations(rows=10)
    migration.apply()
    migration.roll_back()

    with pytest.raises(Refused, match="is rolled back: there is nothing to verify"):
        migration.verify()
