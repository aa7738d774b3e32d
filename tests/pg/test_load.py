"""Loads: every row arrives once, between two databases and within one, whatever the chunks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.errors import RunnerError
from tests.pg import by_hand
from tests.pg.migration import Migration

Make = Callable[..., Migration]


@pytest.mark.both_servers
@pytest.mark.parametrize("number", [1, 2])
def test_every_row_is_accounted_for(migrations: Make, number: int) -> None:
    """What is loaded, filtered, rejected and reconciled is what Python counts, to the row."""
    migration = migrations(rows=1000, databases=number)

    accounts = {one.table: one for one in migration.apply().accounts}
    verified = {one.table: one for one in migration.verify().accounts}

    assert verified == by_hand.accounts(1000)
    assert {name: (one.loaded, one.reconciled) for name, one in accounts.items()} == {
        name: (one.loaded, one.reconciled) for name, one in verified.items()
    }


def test_chunks_do_not_matter(migrations: Make) -> None:
    """One row a chunk, odd sizes, and one chunk for all give the same content."""
    contents = []
    for chunk in ((1, 1), (7, 13), (5000, 5000)):
        migration = migrations(rows=100, chunk=chunk)
        migration.apply()
        contents.append((migration.content(), [row[:2] for row in migration.rejects()]))
        query = (
            """SELECT sum(loaded + rejected), max(loaded + rejected) FROM transhume.chunk WHERE step = 'load.patient'"""
        )
        assert migration.ask(query) == [(100, min(100, chunk[1]))]

    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize("number", [1, 2])
def test_an_empty_table(migrations: Make, number: int) -> None:
    """A table without rows is done at once, and verified."""
    migration = migrations(rows=0, databases=number)
    migration.apply()

    assert migration.verify().green
    assert migration.content() == [(0, 0), (0, 0)]


def test_a_table_without_a_key_moves_in_one_chunk(migrations: Make) -> None:
    """Without a keyset there is one chunk, whatever its size."""
    migration = migrations(rows=60, keyed=False, chunk=(1, 10))
    migration.apply()

    assert migration.ask("SELECT step, chunk, after, upto FROM transhume.chunk ORDER BY step") == [
        ("load.orders", 1, None, None),
        ("load.patient", 1, None, None),
    ]
    assert {one.table: one for one in migration.verify().accounts} == by_hand.accounts(60)


SWALLOW = """numeric(12,2));
CREATE FUNCTION app.swallow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RETURN CASE WHEN NEW.legacy_id <> 42 THEN NEW END; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.swallow()"""


@pytest.mark.parametrize("number", [1, 2])
def test_a_row_that_is_neither_loaded_nor_rejected_stops_the_step(migrations: Make, number: int) -> None:
    """Rows that a trigger swallows are missed in their chunk, and the chunk is rolled back."""
    edits = {"create.orders": ("numeric(12,2))", SWALLOW)}
    migration = migrations(rows=100, databases=number, chunk=(30, 30), edits=edits)

    with pytest.raises(RunnerError) as caught:
        migration.apply(jobs=1)

    assert caught.value.message == (
        "load.orders, chunk 2: of 29 rows 28 were loaded and 0 set aside: 1 are unaccounted for"
    )
    assert migration.ask("SELECT count(*) FROM app.orders") == [(29,)]


def test_the_source_is_read_in_one_snapshot(migrations: Make) -> None:
    """Rows that an application adds during the run are not half seen."""
    migration = migrations(rows=100)
    migration.apply()
    migration.ask_source("INSERT INTO legacy.patient VALUES (100000, 'late@example.org', NULL, '70')")

    verdict = migration.verify()

    assert [(check.step, check.name) for check in verdict.checks if not check.green] == [
        ("verify.patient", "rows"), ("verify.patient", "checksums"),
    ]  # fmt: skip


def test_the_server_s_error_is_shown_at_its_place(migrations: Make) -> None:
    """An error that no row causes stops the step, with the character in the plan, the spec, and the exit code 1."""
    migration = migrations(rows=10, edits={"load.orders": ("s.id, md5('patient:'", "s.idd, md5('patient:'")})

    with pytest.raises(RunnerError) as caught:
        migration.apply()

    lines = str(caught.value).splitlines()
    assert lines[0] == "column s.idd does not exist [42703]"
    assert lines[1].startswith(f" --> {migration.folder}/load/orders.sql:")
    assert lines[2] == " from specs/hand/tables/orders.yaml:2"
    assert lines[3].startswith("  = hint: Perhaps you meant to reference the column")
    place = caught.value.place
    assert place is not None
    text = (migration.folder / "load/orders.sql").read_text().splitlines()[place.line - 1]
    assert text[place.column - 1 :].startswith("s.idd")
