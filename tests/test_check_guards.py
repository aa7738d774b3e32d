"""Checks as guards: where nothing in a check can raise, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compiler import check_guards
from compiler.bound import BoundColumn, Guard
from compiler.check_guards import with_guard
from compiler.expressions import Scalar, Scope, scalar
from compiler.spec import Check, Word
from compiler.sql import Sql
from compiler.types import read_type
from tests.tables import SPAN, copied

CAST = Guard("rate", Sql("s.rate ~ '^[0-9]+$'"), "rate is no integer", "22P02")
COLUMNS = (
    copied("total", "numeric(12,2)"),
    copied("paid", "numeric(12,2)"),
    copied("rate", value=Sql("s.rate::integer"), copies="", guards=(CAST,)),
    copied("made", value=Sql("s.a / s.b"), copies=""),
    copied("mood", "app.mood", wire="text"),
)


def guards(check: str, columns: tuple[BoundColumn, ...] = COLUMNS) -> dict[str, list[str]]:
    """What a check called `c` adds: the guards' SQL by column."""
    scope = Scope("target table", {column.name: read_type(column.type) for column in columns}, "", 15)
    word = Word(check, SPAN)
    found = with_guard(columns, Check(Word("c", SPAN), word), scalar(word, scope), scope)
    added = {one.name: [guard for guard in one.guards if guard not in old.guards]
             for one, old in zip(found, columns, strict=True)}  # fmt: skip
    assert all((guard.reason, guard.sqlstate) == ("breaks c", "23514") for some in added.values() for guard in some)
    return {name: [str(guard.ok) for guard in some] for name, some in added.items() if some}


def test_a_null_passes_as_it_passes_a_check() -> None:
    """The guard stands at the last column that the check names."""
    assert guards("paid <= total") == {"paid": ["(s.paid <= s.total) IS NOT FALSE"]}


def test_a_cast_is_asked_for_first() -> None:
    """A value that cannot be cast is never compared: its own guard finds it."""
    expected = "CASE WHEN (s.rate ~ '^[0-9]+$') THEN (s.rate::integer > 0) IS NOT FALSE ELSE true END"
    assert guards("rate > 0") == {"rate": [expected]}


@pytest.mark.parametrize("check", ["total / 2 > 1", "made > 0", "mood <> 'glad'", "1 = 1"])
def test_what_may_raise_is_left_to_the_table(check: str) -> None:
    """A division, an expression of the author's, a type that is not built in; and a check of no column."""
    assert guards(check) == {}


def test_a_column_that_nothing_fills_is_left_to_the_table() -> None:
    """Its default is the target's business."""
    columns = tuple(replace(column) for column in COLUMNS if column.name != "paid")
    scope = Scope("target table", {column.name: read_type(column.type) for column in COLUMNS}, "", 15)
    check = Check(Word("c", SPAN), Word("paid <= total", SPAN))

    assert with_guard(columns, check, scalar(check.sql, scope), scope) == columns


def test_a_check_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `resolve` made of it is what is asked; only a guard's own values are put in its place."""
    read: list[Scope] = []

    def counted(word: Word, scope: Scope) -> Scalar:
        read.append(scope)
        return scalar(word, scope)

    monkeypatch.setattr(check_guards, "scalar", counted)
    assert guards("made > 0") == {}
    assert read == []
    assert guards("paid <= total")
    assert [set(scope.values or ()) for scope in read] == [{"paid", "total"}]
