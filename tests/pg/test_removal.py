"""Removals on real servers: each phase forward, back, forward; a column with everything that a column can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.pg.removing import Removing, removing, shown
from tests.pg.rich import FILES, SPEC, schema

ROWS = 300
DATA = "SELECT id, email, note, legacy, touched_at FROM app.users ORDER BY id"


@pytest.fixture
def rich(databases: Databases, tmp_path: Path) -> Removing:
    """The removal of a column that has everything."""
    return removing(databases, tmp_path, schema(ROWS), SPEC, FILES)


@pytest.mark.both_servers
def test_each_phase_goes_forward_and_back(rich: Removing) -> None:
    """Whatever phase a restore starts from, the column is what it was in every part, and so is every row."""
    was, data = rich.descriptor("legacy"), rich.ask(DATA)
    for last in (1, 2, 3):
        for phase in range(1, last + 1):
            rich.apply(phase)
        rich.restore()

        assert shown(rich.descriptor("legacy")) == shown(was), last
        assert rich.ask(DATA) == data, last
        assert leftovers(rich) == [], last


def leftovers(removal: Removing) -> list[object]:
    """What a removal has made in the database and should have taken away."""
    return removal.ask(
        """SELECT relname::text FROM pg_class WHERE relnamespace = 'transhume'::regnamespace
             AND (relname LIKE 'backup%' OR relname LIKE 'moved%' OR relname LIKE 'scratch%')
           UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'transhume'::regnamespace
           UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgname LIKE 'zz%transhume%'
           UNION ALL SELECT conname::text FROM pg_constraint WHERE conname LIKE 'transhume%'"""
    )
