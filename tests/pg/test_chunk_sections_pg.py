"""The sections that walk through a source, against the servers: each page is a range of the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from compiler.bound import BoundTable, SourceColumn
from compiler.lower import lower
from compiler.plan import Step
from compiler.sql import Sql
from runner.connect import Session, address, open_target
from tests.conftest import Databases
from tests.pg.sections import Values, bound, copied_out, keys, rows
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


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_parts_are_halved_down_to_a_row(source: Session, keyset: tuple[SourceColumn, ...], number: int) -> None:
    """In one database, and on the direct path: each half has rows that pass the filter, until there is one row."""
    step = load(keyset, number)
    sizes = []
    part: Values = {}
    while True:
        sizes.append(rows(source, bound(section(step, "count"), part))[0][1])
        found = rows(source, bound(section(step, "halve"), part))
        if not found:
            break
        part = keys(found[0], "upto")

    assert sizes == [2500, 1250, 625, 312, 156, 78, 39, 19, 9, 4, 2, 1]


def test_the_stage_is_halved_down_to_a_row(source: Session) -> None:
    """Between two databases: the last row of the first half, and the row after it."""
    step = load(KEYS["one"], direct=False)
    source.execute(section(step, "stage").sql.encode())
    with source.transaction():
        source.execute("INSERT INTO pg_temp.stage_item SELECT 'k' || n, 'x' FROM generate_series(1, 1000) AS n")
        first, last = rows(source, "SELECT min(ctid)::text, max(ctid)::text FROM pg_temp.stage_item")[0]
        halves = []
        while found := rows(source, bound(section(step, "halve"), {"first": first, "last": last})):
            last, after = found[0]
            halves.append(rows(source, f"SELECT count(*) FROM pg_temp.stage_item WHERE ctid <= '{last}'::tid")[0][0])
            between = f"SELECT FROM pg_temp.stage_item WHERE ctid > '{last}'::tid AND ctid < '{after}'::tid"
            assert rows(source, between) == []

    assert halves == [500, 250, 125, 62, 31, 15, 7, 3, 1]
    assert rows(source, "SELECT count(*) FROM pg_temp.stage_item") == [(0,)]
