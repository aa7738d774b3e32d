"""The sections that walk through a source, against the servers: each page is a range of the index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from compiler.bound import BoundTable, SourceColumn
from compiler.lower import lower
from compiler.plan import Section, Step
from compiler.sql import Sql
from runner.bind import bind
from runner.connect import Session, address, open_target
from tests.conftest import Databases
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


def load(keyset: tuple[SourceColumn, ...], databases: int = 2) -> Step:
    """Its load."""
    plan = lower(ordered(item(*keyset), databases=databases))  # type: ignore[arg-type]  # 1 or 2
    return next(step for step in plan.steps if step.id == "load.item")


def bound(which: Section, **values: str | None) -> str:
    """The section's text with values by the names that it binds, in which a dot is written as `_`."""
    return bind(which.sql.rstrip(";"), [values[name.replace(".", "_")] for name in which.binds]).text


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    """What the query gives."""
    return session.execute(query.encode()).fetchall()


def plan_of(session: Session, query: str) -> str:
    """How the server would run the query; every node and condition, as text."""
    session.execute("SET enable_seqscan = off")
    (found,) = session.execute(f"EXPLAIN (FORMAT json, COSTS off) {query}".encode()).fetchone() or ("",)
    return json.dumps(found)


@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_bounds_are_ranges_of_the_index(source: Session, keyset: tuple[SourceColumn, ...]) -> None:
    """With a bound it is an index condition; without one the test folds away, and nothing filters row by row."""
    section_ = section(load(keyset), "bound")
    first = {f"after_{n}": None for n in (1, 2)}
    later = {"after_1": "17", "after_2": "k17"}

    for values in (first, later):
        plan = plan_of(source, bound(section_, rows="100", **values))
        assert "Index" in plan
        assert "Filter" not in plan
        assert ("Index Cond" in plan) == (values is later)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_pages_cover_the_source(source: Session, keyset: tuple[SourceColumn, ...], number: int) -> None:
    """From bound to bound every row is in one chunk; its rows before and after the filter add up to all of them."""
    step = load(keyset, number)
    width = range(1, len(keyset) + 1)
    after: dict[str, str | None] = {f"after_{n}": None for n in width}
    counted = kept = pages = 0
    while found := rows(source, bound(section(step, "bound"), rows="700", **after)):
        upto = {f"upto_{n}": found[0][n - 1] for n in width}
        (count,) = rows(source, bound(section(step, "count"), **after, **upto))
        counted += count[0]
        kept += count[1] if number == 1 else _copied(source, bound(section(step, "extract"), **after, **upto))
        after = {f"after_{n}": upto[f"upto_{n}"] for n in width}
        pages += 1

    assert (counted, kept, pages) == (5000, 2500, 8)


def _copied(source: Session, query: str) -> int:
    with source.cursor() as cursor:
        with cursor.copy(query.encode()) as copy:
            for _ in copy:
                pass
        return cursor.rowcount


@pytest.mark.parametrize("keyset", KEYS.values(), ids=KEYS)
def test_parts_are_halved_down_to_a_row(source: Session, keyset: tuple[SourceColumn, ...]) -> None:
    """In one database: each half has rows that pass the filter, until there is one row."""
    step = load(keyset, 1)
    width = range(1, len(keyset) + 1)
    sizes = []
    upto: dict[str, str | None] = {f"upto_{n}": None for n in width}
    while True:
        values = {f"after_{n}": None for n in width} | upto
        sizes.append(rows(source, bound(section(step, "count"), **values))[0][1])
        found = rows(source, bound(section(step, "halve"), **values))
        if not found:
            break
        upto = {f"upto_{n}": found[0][n - 1] for n in width}

    assert sizes == [2500, 1250, 625, 312, 156, 78, 39, 19, 9, 4, 2, 1]


def test_the_stage_is_halved_down_to_a_row(source: Session) -> None:
    """Between two databases: the last row of the first half, and the row after it."""
    step = load(KEYS["one"])
    source.execute(section(step, "stage").sql.encode())
    with source.transaction():
        source.execute("INSERT INTO pg_temp.stage_item SELECT 'k' || n, 'x' FROM generate_series(1, 1000) AS n")
        first, last = rows(source, "SELECT min(ctid)::text, max(ctid)::text FROM pg_temp.stage_item")[0]
        halves = []
        while found := rows(source, bound(section(step, "halve"), first=first, last=last)):
            last, after = found[0]
            halves.append(rows(source, f"SELECT count(*) FROM pg_temp.stage_item WHERE ctid <= '{last}'::tid")[0][0])
            between = f"SELECT FROM pg_temp.stage_item WHERE ctid > '{last}'::tid AND ctid < '{after}'::tid"
            assert rows(source, between) == []

    assert halves == [500, 250, 125, 62, 31, 15, 7, 3, 1]
    assert rows(source, "SELECT count(*) FROM pg_temp.stage_item") == [(0,)]
