"""The sections that walk through a source, against the servers: each page is a range of the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from compiler.bound import BoundTable, SourceColumn
from compiler.lower import lower
from compiler.plan import Step
from compiler.sql import Sql
from runner.connect import Session, address, open_target
from tests.conftest import Databases
from tests.pg.sections import Values, bound, copied_out, keys, last_rows, rows
from tests.tables import copied, ordered, section, table

pytestmark = pytest.mark.both_servers

SOURCE = """
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN public.code AS integer;
CREATE TABLE public.item (a integer, b text, c public.code, m public.mood, PRIMARY KEY (a, b), UNIQUE (c), UNIQUE (b));
INSERT INTO public.item SELECT n / 10, 'k' || n, n, CASE WHEN n % 2 = 0 THEN 'ok' ELSE 'sad' END::public.mood
FROM generate_series(1, 5000) AS n;
ANALYZE public.item;
"""
A = SourceColumn("a", "integer", "integer", False)
B = SourceColumn("b", "text", "text", False)
C = SourceColumn("c", "public.code", "integer", False)
KEYS = {"one": (B,), "two": (A, B), "domain": (C,)}


@pytest.fixture
def source(databases: Databases) -> Iterator[Session]:
    """A session on a source with 5,000 items, set as the runner sets it."""
    with closing(open_target(address("SOURCE", databases.create("source", SOURCE)), "test", 2)) as session:
        yield session


def item(*keyset: SourceColumn) -> BoundTable:
    """The table, paged by these columns."""
    mood = SourceColumn("m", "public.mood", "text", True)
    columns = tuple(copied(each.name, each.wire) for each in (*keyset, mood))
    legacy = tuple(each.name for each in keyset)
    return replace(
        table("item"), columns=columns, key=legacy, legacy_key=legacy, keyset=keyset, reads=(*keyset, mood),
        where=Sql("s.m = 'ok'"), indexes=(),
    )  # fmt: skip


def load(keyset: tuple[SourceColumn, ...], databases: int = 2, *, direct: bool = True) -> Step:
    """Its load."""
    plan = lower(ordered(replace(item(*keyset), direct=direct), databases=databases))  # type: ignore[arg-type]  # 1 or 2
    return next(step for step in plan.steps if step.id == "load.item")


def plan_of(session: Session, query: str) -> str:
    """How the server would run the query; every node and condition, as text."""
    session.execute("SET enable_seqscan = off")
    (found,) = session.execute(f"EXPLAIN (FORMAT json, COSTS off) {query}".encode()).fetchone() or ("",)
    return json.dumps(found)


@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_bounds_are_ranges_of_the_index(source: Session, keyset: tuple[SourceColumn, ...]) -> None:
    """With a bound it is an index condition; without one the test folds away, and nothing filters row by row."""
    section_ = section(load(keyset), "bound")
    first: Values = {}
    later: Values = {"after.1": "17", "after.2": "k17"}
    ending: Values = {**later, "upto.1": "70", "upto.2": "k70"}

    for values in (first, later, ending):
        plan = plan_of(source, bound(section_, {**values, "rows": "100"}))
        assert "Index" in plan
        assert "Filter" not in plan.replace('"Filter": "(count(*) > 0)"', "")  # which is the page's, not a row's
        assert ("Index Cond" in plan) == (values is not first)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_pages_cover_the_source(source: Session, keyset: tuple[SourceColumn, ...], number: int) -> None:
    """From bound to bound every row is in one chunk; its rows before and after the filter add up to all of them."""
    step = load(keyset, number)
    after: Values = {}
    counted = kept = pages = 0
    while found := rows(source, bound(section(step, "bound"), {**after, "rows": "700"})):
        *upto, size = found[0]
        page = {**after, **keys(upto, "upto")}
        ((before, passing),) = rows(source, bound(section(step, "count"), page))
        assert before == size
        counted, kept, pages = counted + before, kept + passing, pages + 1
        assert number == 1 or copied_out(source, bound(section(step, "direct"), page)) == passing
        after = keys(upto, "after")

    assert (counted, kept, pages) == (5000, 2500, 8)


BAD = {
    "none": [], "first": [1], "last": [1000], "neighbours": [500, 501], "some": [*range(7, 1001, 97)],
    "half": [*range(1, 1001, 2)], "all": [*range(1, 1001)],
}  # fmt: skip


@pytest.mark.parametrize("which", BAD)
def test_the_stage_is_sifted(source: Session, which: str) -> None:
    """Whatever the pieces, each refused row is told once, with its reason, and every other one is loaded once."""
    bad = BAD[which]
    step = load(KEYS["one"], direct=False)
    source.execute("CREATE SCHEMA app")
    source.execute("CREATE TABLE app.item (b text CHECK (b NOT LIKE 'bad%'), m text)")
    source.execute(section(step, "stage").sql.encode())
    with source.transaction():
        staged = "SELECT CASE WHEN n = ANY (%s) THEN 'bad' ELSE 'k' END || n, 'x' FROM generate_series(1, 1000) AS n"
        source.execute(f"INSERT INTO pg_temp.stage_item {staged}", (bad,))
        told, loaded, behind = [], 0, "(0,0)"
        while behind is not None:
            text = bound(section(step, "sift"), {"behind": behind, "most": "40"})
            *refused, (behind, _, _, _, count) = last_rows(source, text)
            assert len(refused) <= 40
            told += refused
            loaded += count
        places = [place for place, *_ in told]
        named = source.execute("SELECT b FROM pg_temp.stage_item WHERE ctid = ANY (%s::tid[])", (places,)).fetchall()
        kept = {code for (code,) in rows(source, "SELECT b FROM app.item")}

    assert [code for (code,) in named] == [f"bad{n}" for n in bad]
    assert {state for _, _, _, state, _ in told} <= {"23514"}
    assert loaded == len(kept) == 1000 - len(bad)
    assert rows(source, "SELECT count(*) FROM pg_temp.stage_item") == [(0,)]


def test_what_is_no_row_s_fault_ends_the_sifting(source: Session) -> None:
    """A table that is gone is not a thousand refused rows."""
    step = load(KEYS["one"], direct=False)
    kept = section(step, "stage").sql.replace(" ON COMMIT DELETE ROWS", "")
    source.execute(kept.encode())
    source.execute("INSERT INTO pg_temp.stage_item VALUES ('k1', 'x')")
    with pytest.raises(psycopg.errors.UndefinedTable):
        source.execute(bound(section(step, "sift"), {"behind": "(0,0)", "most": "40"}).encode())
