"""Figures: what a run took is in its journal, and `status` shows it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from runner.errors import RunnerError
from tests.pg.migration import Migration

Make = Callable[..., Migration]
MB = 2**20


def test_memory_and_rates_are_kept(migrations: Make) -> None:
    """Every step has its peak, those that moved rows a rate; the run has the greatest peak."""
    migration = migrations(rows=300)
    migration.apply()
    found = migration.ask("SELECT step, peak_memory, rows_per_second FROM transhume.step ORDER BY step")

    assert len(found) == 13
    assert all(10 * MB < peak < 1000 * MB for _, peak, _ in found)
    assert {step for step, _, rate in found if rate is not None} == {"load.patient", "load.orders"}
    assert all(rate > 0 for _, _, rate in found if rate is not None)
    assert migration.ask("SELECT peak_memory FROM transhume.run") == [(max(peak for _, peak, _ in found),)]


def test_status_shows_them(migrations: Make) -> None:
    """In its table, and for machines."""
    migration = migrations(rows=300)
    migration.apply()
    text = migration.command("status").stdout
    found = json.loads(migration.command("status", "--json").stdout)

    assert f"peak memory of the runner and its workers: {found['run']['peak_memory'] / MB:,.0f} MB" in text
    load = next(step for step in found["steps"] if step["step"] == "load.orders")
    (line,) = (line for line in text.splitlines() if "load.orders" in line)
    assert f"{load['rows_per_second']:,.0f}" in line
    assert f"{load['peak_memory'] / MB:,.0f} MB" in line


def test_a_failed_step_keeps_its_figures(migrations: Make) -> None:
    """What is looked into after a failure is there too."""
    migration = migrations(rows=300, edits={"verify.orders": ("SELECT max(t.legacy_id)", "SELECT 1 / 0")})
    with pytest.raises(RunnerError):
        migration.apply()

    (found,) = migration.ask("SELECT state, peak_memory FROM transhume.step WHERE step = 'verify.orders'")
    assert found[0] == "failed"
    assert found[1] > 10 * MB
