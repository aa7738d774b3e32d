"""What a removal's plan says of locks is what the server takes: each step's strongest, on each table and view."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.pg.locks import held_by_each_step, said_by
from tests.pg.removing import removing
from tests.pg.rich import FILES, SPEC, schema


@pytest.mark.both_servers
def test_each_step_takes_the_locks_that_it_says(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each transaction of each step the server holds what the header says, nothing else, and one table at most."""
    removal = removing(databases, tmp_path, schema(50), SPEC, FILES)

    def phases() -> None:
        for phase in (1, 2, 3):
            removal.apply(phase)
        removal.restore()

    held, crowds = held_by_each_step(monkeypatch, phases)

    for where, locks in held.items():
        said = said_by(removal.folder, where)
        strong = {on: level for on, level in locks.items() if level not in ("ACCESS SHARE", "ROW SHARE")}
        assert strong == {on: level for on, level in said.items() if level not in ("ACCESS SHARE", "ROW SHARE")}, where
    tables = {"app.users", "app.plans"}
    crowded = [(place, names) for place, names in crowds if len(tables & set(names)) > 1]
    assert crowded == [('3-drop/unlink/users.sql build of "users_plan"', ["app.plans", "app.users"])]  # its two tables
