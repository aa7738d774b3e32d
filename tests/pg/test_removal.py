"""Removals on real servers: each phase forward, back, forward; a column with everything that a column can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import Refused, RunnerError
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


def leftovers(removal: Removing) -> list[tuple[Any, ...]]:
    """What a removal has made in the database and should have taken away."""
    return removal.ask(
        """SELECT relname::text FROM pg_class WHERE relnamespace = 'transhume'::regnamespace
             AND (relname LIKE 'backup%' OR relname LIKE 'moved%' OR relname LIKE 'scratch%')
           UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'transhume'::regnamespace
           UNION ALL SELECT tgname::text FROM pg_trigger WHERE tgname LIKE 'zz%transhume%'
           UNION ALL SELECT conname::text FROM pg_constraint WHERE conname LIKE 'transhume%'"""
    )


TABLE = """
CREATE SCHEMA app;
CREATE TABLE app.parents (id integer PRIMARY KEY);
CREATE TABLE app.legacy (id integer PRIMARY KEY, parent integer REFERENCES app.parents, word text);
CREATE TABLE app.children (id integer PRIMARY KEY, legacy integer CONSTRAINT children_legacy REFERENCES app.legacy);
CREATE VIEW app.words AS SELECT word FROM app.legacy;
INSERT INTO app.parents VALUES (1);
INSERT INTO app.legacy SELECT g, 1, 'w' || g FROM generate_series(1, 9) AS g;
INSERT INTO app.children VALUES (1, 1);
"""
TABLE_SPEC = """\
because: nothing has written it since the cut-over
dependents: {drop: [view words, constraint children_legacy on children]}
phases: {soak: 0s, retain: 0s}
"""
STATE = """SELECT (SELECT array_agg(l::text ORDER BY id) FROM app.legacy AS l), pg_get_viewdef('app.words'),
                  ARRAY(SELECT pg_get_constraintdef(oid) || convalidated FROM pg_constraint
                        WHERE contype = 'f' AND connamespace = 'app'::regnamespace ORDER BY conname)"""


@pytest.mark.both_servers
def test_a_table_goes_the_same_way(databases: Databases, tmp_path: Path) -> None:
    """It waits in a schema of its own, comes back from phases 1 to 3 with all that used it, and is exported."""
    removal = removing(databases, tmp_path, TABLE, TABLE_SPEC, name="legacy")
    was = removal.ask(STATE)
    for last in (1, 2, 3):
        for phase in range(1, last + 1):
            removal.apply(phase)
        if last > 1:
            assert removal.ask("SELECT to_regclass('app.legacy'), to_regclass('app.words')") == [(None, None)]
        removal.restore()
        assert removal.ask(STATE) == was
    for phase in (1, 2, 3):
        removal.apply(phase)
    done = removal.command("apply", "production", "--removal", "legacy", "--phase", "4", "--confirm", "legacy", "--yes")
    assert done.returncode == 0, done.stderr
    assert removal.ask("SELECT rows FROM transhume.removal_export") == [(9,)]
    assert removal.ask("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'quarantine%'") == [(0,)]
    with pytest.raises(Refused, match="is purged"):
        removal.restore()


def test_what_uses_a_table_is_named(databases: Databases, tmp_path: Path) -> None:
    """A view, or a key of another table, that the spec does not name stops phase 1."""
    spec = TABLE_SPEC.replace("dependents: {drop: [view words, constraint children_legacy on children]}\n", "")
    removal = removing(databases, tmp_path, TABLE, spec, name="legacy")
    with pytest.raises(RunnerError) as red:
        removal.apply(1)
    assert [note.partition(" uses")[0] for note in red.value.notes] == [
        "constraint children_legacy on app.children", "view app.words",
    ]  # fmt: skip
