"""Rejects: what the server refuses is set aside row by row, with the reason, within the budget, and can be listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest

from runner.embedded import Server
from runner.errors import RunnerError
from tests.pg import by_hand
from tests.pg.migration import Migration

Make = Callable[..., Migration]


@pytest.mark.parametrize("number", [1, 2])
def test_each_row_with_its_reason(migrations: Make, number: int) -> None:
    """Guards, casts, checks, duplicates and missing references: table, key, reason and SQLSTATE, nothing of the row."""
    migration = migrations(rows=300, databases=number)
    migration.apply()

    found = {(table, *key): tuple(rest) for table, key, *rest in migration.rejects()}

    load, index, reconcile = "load.patient", "index.patient", "reconcile.orders"
    assert found[("patient", "7")] == (
        "rejected", "is not a date of the form DD.MM.YYYY", "22007", load,
    )  # fmt: skip
    assert found[("patient", "250")] == ("rejected", "invalid input syntax for type integer", "22P02", load)
    check = 'new row for relation "patient" violates check constraint "weight_is_human"'
    assert found[("patient", "251")] == ("rejected", check, "23514", load)
    assert found[("patient", "99")] == ("reconciled", "is not unique", "23505", index)
    assert found[("orders", "40")] == ("reconciled", "no patient has it", "23503", reconcile)
    assert {key for table, key in found if table == "patient" and int(key) < 100} == {"7", "57", "99"}


def test_a_table_that_the_plan_does_not_have(migrations: Make) -> None:
    """A misspelt table has no rejects: that nothing is wrong with it must not be believed."""
    done = migrations(rows=1).command("rejects", "--table", "order")

    assert (done.returncode, done.stderr) == (
        2, 'error: the plan has no table "order"\n  = hint: it has patient, orders\n',
    )  # fmt: skip


def test_the_raw_row_is_kept(migrations: Make) -> None:
    """The whole source row is in the journal, and nowhere on the screen without --raw."""
    migration = migrations(rows=300)
    migration.apply()
    row = {"id": 250, "email": "p250@example.org", "born": None, "weight": "heavy"}

    assert migration.ask("SELECT raw FROM transhume.reject WHERE key = '{250}' AND table_id = 'patient'") == [(row,)]
    assert "heavy" not in migration.command("rejects").stdout
    assert "heavy" in migration.command("rejects", "--raw", "--table", "patient").stdout


def test_the_command_lists_them(migrations: Make) -> None:
    """`transhume rejects` filters, limits, and prints JSON; the total is told where not all are shown."""
    migration = migrations(rows=300)
    migration.apply()

    text = migration.command("rejects", "--table", "patient", "--limit", "2").stdout
    lines = migration.command("rejects", "--table", "patient", "--json").stdout.splitlines()

    total = migration.ask("SELECT count(*) FROM transhume.reject WHERE table_id = 'patient'")[0][0]
    assert text.rstrip().endswith(f"{total} rows, 2 of them shown")
    assert len(lines) == total
    assert json.loads(lines[0])["key"] == ["107"]
    assert "raw" not in json.loads(lines[0])


def test_more_than_the_budget_stops_the_step(migrations: Make) -> None:
    """Beyond its budget the chunk is rolled back and the reasons are told; with the rows mended, apply goes on."""
    migration = migrations(rows=300, chunk=(100, 100), budgets={"patient": 3}, rejected="100%")

    for _ in range(2):  # the budget is not reset by a restart
        with pytest.raises(RunnerError) as caught:
            migration.apply(jobs=1)
        assert caught.value.message == "4 of 300 rows of table patient would be set aside: the limit is 3"
        assert caught.value.notes == (
            "4 x load.patient born is not a date of the form DD.MM.YYYY [22007], 107 for one",
        )
        assert migration.ask("SELECT count(*) FROM transhume.reject WHERE table_id = 'patient'") == [(2,)]

    migration.ask_source("UPDATE legacy.patient SET born = NULL, weight = '70' WHERE id > 100")
    migration.ask_source("UPDATE legacy.patient SET email = NULL WHERE id > 100")
    migration.apply(jobs=1)
    assert migration.ask("SELECT key FROM transhume.reject WHERE table_id = 'patient' ORDER BY key") == [
        (["57"],),
        (["7"],),
        (["99"],),
    ]


def test_the_budget_of_the_project(migrations: Make) -> None:
    """The project's limit is a share of the rows of all tables, and counts what is reconciled away too."""
    migration = migrations(rows=300, rejected="2%")

    with pytest.raises(RunnerError) as caught:
        migration.apply(jobs=1)

    assert caught.value.message.endswith("of 1,200 rows of project hand would be set aside: the limit is 2%")
    assert caught.value.notes[:2] == (
        "48 x reconcile.orders patient_id no patient has it [23503], 106 for one",
        "6 x load.patient born is not a date of the form DD.MM.YYYY [22007], 107 for one",
    )
    assert migration.ask("SELECT state FROM transhume.step WHERE step = 'reconcile.orders'") == [("failed",)]


def test_hopeless_rows_are_not_sifted_to_the_end(migrations: Make) -> None:
    """Where no row fits, sifting stops at the budget, not at the last row."""
    migration = migrations(rows=2000, chunk=(2000, 2000), rejected="1%")
    migration.ask_source("UPDATE legacy.patient SET weight = 'none'")

    with pytest.raises(RunnerError, match="would be set aside: the limit is 1%"):
        migration.apply(jobs=1)

    assert migration.ask("SELECT count(*) FROM transhume.reject") == [(0,)]


def test_a_row_that_cannot_be_read_is_set_aside_by_its_key(migrations: Make) -> None:
    """Where reading fails, the chunk is halved down to the row; the others arrive."""
    unreadable = {"load.orders": ("(SELECT id, patient_id", "(SELECT id, 1 / (id - 77) * 0 + patient_id AS patient_id")}
    migration = migrations(rows=100, edits=unreadable)
    migration.apply()

    assert migration.ask("SELECT key, raw, reason, sqlstate FROM transhume.reject WHERE step = 'load.orders'") == [
        (["77"], None, "division by zero", "22012")
    ]
    assert migration.ask("SELECT count(*), sum(rejected) FROM transhume.chunk WHERE step = 'load.orders'")[0][1] == 1
    assert [check.name for check in migration.verify().checks if not check.green] == []


def test_bytes_that_are_no_text(migrations: Make, server: Server) -> None:
    """Bytes that are no UTF-8, in a database without an encoding: the row is set aside by its key, the rest arrives."""
    migration = migrations(rows=0)
    with closing(psycopg.connect(server.conninfo("postgres"), autocommit=True)) as session:
        session.execute(
            """CREATE DATABASE no_encoding TEMPLATE template0
               ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"""
        )
    try:
        odd = Migration(migration.folder, server.conninfo("no_encoding"), migration.target)
        odd.ask_source(by_hand.source(40))
        odd.ask_source(r"UPDATE legacy.orders SET memo = convert_from('\x636166e9', 'SQL_ASCII') WHERE id = 77")
        odd.apply()

        assert odd.ask("SELECT key, raw, reason FROM transhume.reject WHERE step = 'load.orders'") == [
            (["77"], None, 'invalid byte sequence for encoding "UTF8": 0xe9')
        ]
        assert odd.verify().green
    finally:
        with closing(psycopg.connect(server.conninfo("postgres"), autocommit=True)) as session:
            session.execute("DROP DATABASE no_encoding WITH (FORCE)")
