"""Ranges and chunks of a source, against the servers: they cover it in order, and ranges have about as many rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from compiler.bound import BoundTable, SourceColumn
from compiler.catalog import Relation
from compiler.lower import lower
from compiler.names import Name
from compiler.plan import Step
from compiler.sql import Sql
from runner.connect import Session, address, open_target
from tests.conftest import Databases
from tests.pg.sections import Values, bound, copied_out, keys, rows
from tests.tables import copied, ordered, relation, section, table

pytestmark = pytest.mark.both_servers

ROWS = 6000
SOURCE = f"""
CREATE DOMAIN public.code AS integer;
CREATE TABLE public.item (
  sparse bigint PRIMARY KEY, skewed text COLLATE "C" NOT NULL UNIQUE, u uuid NOT NULL UNIQUE,
  at timestamp NOT NULL UNIQUE, a integer, b text, c public.code NOT NULL UNIQUE, UNIQUE (a, b)
);
INSERT INTO public.item
SELECT CASE WHEN n % 2 = 0 THEN n ELSE 1000000000::bigint * n * n END,
       CASE WHEN n % 10 = 0 THEN chr(97 + n % 26) || n ELSE 'order/2024/' || n END,
       md5(n::text)::uuid,
       timestamp '2024-01-01' + n::bigint * n * n * interval '1 microsecond',
       CASE WHEN n % 10 = 0 THEN n ELSE 7 END, 'B' || n, n
FROM generate_series(1, {ROWS}) AS n;
CREATE VIEW public.item_view AS SELECT * FROM public.item;
CREATE MATERIALIZED VIEW public.item_kept AS SELECT * FROM public.item;

CREATE TABLE public.place (v integer, w text);
INSERT INTO public.place SELECT n, repeat('x', n % 50) FROM generate_series(1, {ROWS}) AS n;
CREATE TABLE public.parent (v integer, w text);
CREATE TABLE public.child () INHERITS (public.parent);
CREATE TABLE public.grandchild () INHERITS (public.child);
INSERT INTO public.parent SELECT n, repeat('x', 50) FROM generate_series(1, 1000) AS n;
INSERT INTO public.child SELECT n, 'x' FROM generate_series(1001, 3000) AS n;
INSERT INTO public.grandchild SELECT n, 'x' FROM generate_series(3001, {ROWS}) AS n;
CREATE TABLE public.divided (v integer, w text) PARTITION BY RANGE (v);
CREATE TABLE public.divided_1 PARTITION OF public.divided FOR VALUES FROM (1) TO (4001) PARTITION BY HASH (v);
CREATE TABLE public.divided_1_0 PARTITION OF public.divided_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.divided_1_1 PARTITION OF public.divided_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE public.divided_2 PARTITION OF public.divided DEFAULT;
INSERT INTO public.divided SELECT n, 'x' FROM generate_series(1, {ROWS}) AS n;
CREATE TABLE public.bare (v integer, w text);
ANALYZE public.item, public.place, public.parent, public.child, public.grandchild, public.divided;
CREATE TABLE public.unknown (v integer, w text);
INSERT INTO public.unknown SELECT n, 'x' FROM generate_series(1, {ROWS}) AS n;
"""
KEYSETS = {
    "integer": [("sparse", "bigint", "bigint")],
    "text": [("skewed", "text", "text")],
    "uuid": [("u", "uuid", "uuid")],
    "timestamp": [("at", "timestamp without time zone", "timestamp without time zone")],
    "composite": [("a", "integer", "integer"), ("b", "text", "text")],
    "domain": [("c", "public.code", "integer")],
}
PLACED = {
    "place": (),
    "unknown": (),
    "parent": ("child", "grandchild"),
    "divided": ("divided_1", "divided_2", "divided_1_0", "divided_1_1"),
}
LEAVES = {"child": ("grandchild",), "divided_1": ("divided_1_0", "divided_1_1")}


@pytest.fixture
def source(databases: Databases) -> Iterator[Session]:
    """A session on the source, set as the runner sets it."""
    with closing(open_target(address("SOURCE", databases.create("source", SOURCE)), "test", 2)) as session:
        yield session


def stored(name: str, kind: Any = "table", children: tuple[str, ...] = ()) -> Relation:
    """The catalog's entry."""
    names = tuple(Name("public", child) for child in children)
    return relation(name, schema="public", kind=kind, children=names)


def load(made: BoundTable, databases: int = 2) -> Step:
    """Its load; the source's catalog knows the parts."""
    found = ordered(made, databases=databases)  # type: ignore[arg-type]  # 1 or 2
    parts = [stored(name, children=LEAVES.get(name, ())) for names in PLACED.values() for name in names]
    catalog = replace(found.resolved.source, relations=tuple(parts))
    plan = lower(replace(found, resolved=replace(found.resolved, source=catalog)))
    return next(step for step in plan.steps if step.kind == "load")


def item(kind: str, of: Relation | None, query: Sql | None = None) -> BoundTable:
    """The items, paged by a keyset of that kind, read from a relation or by a query."""
    keyset = tuple(SourceColumn(name, type, wire, False) for name, type, wire in KEYSETS[kind])
    names = tuple(key.name for key in keyset)
    return replace(
        table("item"), source=of.qualified if of else None, relation=of, query=query, keyset=keyset, reads=keyset,
        columns=tuple(copied(key.name, key.wire) for key in keyset), key=names, legacy_key=names, indexes=(),
    )  # fmt: skip


def placed(name: str) -> BoundTable:
    """A table without a key."""
    direct = {"parent": ("child",), "divided": ("divided_1", "divided_2")}.get(name, ())
    kind = "partitioned table" if name == "divided" else "table"
    read = (SourceColumn("v", "integer", "integer", True), SourceColumn("w", "text", "text", True))
    return replace(
        table("item"), source=Name("public", name), relation=stored(name, kind, direct), keyset=(), legacy_key=(),
        key=(), reads=read, columns=(copied("v"), copied("w", "text")), indexes=(),
    )  # fmt: skip


def ends(source: Session, step: Step, ranges: int, share: str = "100") -> list[dict[str, str | None]]:
    """What bounds each range, in order."""
    found = rows(source, bound(section(step, "split"), {"ranges": str(ranges), "share": share}))
    assert len(set(found)) == len(found)
    after = [{}, *(keys(end, "after") for end in found)]
    upto = [*(keys(end, "upto") for end in found), {}]
    return [{**one, **other} for one, other in zip(after, upto, strict=True)]


def pages(source: Session, step: Step, range: Values, size: int) -> Iterator[tuple[int | None, int]]:
    """The chunks of a range: how many rows each has by what `bound` says, and by what is copied."""
    width = len(section(step, "bound").binds) // 2
    while found := rows(source, bound(section(step, "bound"), {**range, "rows": str(size)})):
        upto = found[0][:width]
        name = "direct" if any(each.name == "direct" for each in step.sections) else "extract"
        yield found[0][width], copied_out(source, bound(section(step, name), {**range, **keys(upto, "upto")}))
        range = {**range, **keys(upto, "after")}


@pytest.mark.parametrize("kind", KEYSETS)
def test_ranges_by_key_are_even(source: Session, kind: str) -> None:
    """However the values lie, a sample of everything gives ranges of as many rows each, and chunks cover them."""
    step = load(item(kind, stored("item")))
    ranges = ends(source, step, 4)
    found = [list(pages(source, step, range, 700)) for range in ranges]

    assert [sum(moved for _, moved in chunks) for chunks in found] == [ROWS // 4] * 4
    assert all([said for said, _ in chunks] == [700, 700, 100] for chunks in found)
    assert all(said == moved for chunks in found for said, moved in chunks)


@pytest.mark.parametrize("of", ["item_kept", "item_view", "query"])
def test_ranges_of_what_is_no_table(source: Session, of: str) -> None:
    """A materialized view is sampled; a view and a query are looked at as a whole, whatever the share."""
    query = Sql("SELECT * FROM public.item WHERE c <= 900")
    kept = stored("item_kept", "materialized view")
    made = {
        "item_kept": item("integer", kept),
        "item_view": item("integer", stored("item_view", "view")),
        "query": item("integer", None, query),
    }[of]
    step = load(made)
    share = "100" if of == "item_kept" else "0.01"
    ((count, size),) = rows(source, section(step, "size").sql)
    found = [sum(moved for _, moved in pages(source, step, range, 500)) for range in ends(source, step, 3, share)]

    assert found == [count // 3] * 3
    assert (size is not None and size > 0) == (of == "item_kept")


@pytest.mark.parametrize("kind", KEYSETS)
def test_ranges_of_a_sample_cover_the_source(source: Session, kind: str) -> None:
    """A sample may be empty, or give fewer ranges: every row is in one of them all the same."""
    step = load(item(kind, stored("item")))
    for share in ("0", "10"):
        ranges = ends(source, step, 5, share)
        assert len(ranges) <= 5
        assert len(ranges) == 1 or share != "0"
        assert sum(moved for range in ranges for _, moved in pages(source, step, range, 3000)) == ROWS


def test_a_partitioned_table_is_sampled(source: Session) -> None:
    """Each of its parts is."""
    v = SourceColumn("v", "integer", "integer", False)
    step = load(replace(placed("divided"), keyset=(v,), key=("v",), legacy_key=("v",)))
    found = [list(pages(source, step, range, ROWS)) for range in ends(source, step, 3)]

    assert "TABLESAMPLE" in section(step, "split").sql
    assert found == [[(ROWS // 3, ROWS // 3)]] * 3


def test_more_ranges_than_rows(source: Session) -> None:
    """Each row is a range."""
    few = item("integer", None, Sql("SELECT * FROM public.item WHERE c <= 3"))
    step = load(few)

    assert [list(pages(source, step, range, 10)) for range in ends(source, step, 8)] == [[(1, 1)]] * 3


@pytest.mark.parametrize("name", PLACED)
def test_ranges_by_place(source: Session, name: str) -> None:
    """A range is so many blocks of the relation and of each of its parts; together they have every row once."""
    step = load(placed(name))
    ranges = ends(source, step, 4)
    found = [list(pages(source, step, range, 500)) for range in ranges]
    counted = [rows(source, bound(section(step, "count"), range))[0] for range in ranges]

    assert [range.get("upto.1") is None for range in ranges] == [False, False, False, True]
    assert all(str(range["upto.1"]).endswith(",65535)") for range in ranges[:-1])
    assert sum(moved for chunks in found for _, moved in chunks) == ROWS
    assert all(said is None for chunks in found for said, _ in chunks)
    assert [sum(moved for _, moved in chunks) for chunks in found] == [kept for _, kept in counted]
    assert all(ROWS / 4 * 0.6 < count < ROWS / 4 * 1.4 for count, _ in counted)
    assert all(moved <= 500 * (2.5 if name == "unknown" else 1.6) for chunks in found for _, moved in chunks)


def test_a_chunk_by_place_ends_where_its_part_does(source: Session) -> None:
    """A part may begin or end within a block: nothing of it is left out, and nothing beyond it is taken."""
    step = load(placed("place"))
    part = {"after.1": "(1,3)", "upto.1": "(2,5)"}
    ((expected,),) = rows(source, "SELECT count(*) FROM public.place WHERE ctid > '(1,3)' AND ctid <= '(2,5)'")

    assert sum(moved for _, moved in pages(source, step, part, 10)) == expected
    assert rows(source, bound(section(step, "bound"), {"after.1": "(9999,65535)", "rows": "10"})) == []


@pytest.mark.parametrize("name", PLACED)
def test_a_chunk_by_place_reads_its_blocks(source: Session, name: str) -> None:
    """And no others, in any of the parts."""
    query = bound(section(load(placed(name)), "count"), {"after.1": "(1,65535)", "upto.1": "(3,65535)"})
    nodes = "\n".join(line for (line,) in rows(source, f"EXPLAIN (COSTS off) {query}"))

    assert nodes.count("Tid Range Scan") == {"parent": 3, "divided": 3}.get(name, 1)
    assert "Seq Scan" not in nodes


def test_nothing_is_no_chunk(source: Session) -> None:
    """An empty table without a key has one range without a chunk."""
    step = load(placed("bare"))

    assert rows(source, section(step, "size").sql)[0][0] == 0
    assert [list(pages(source, step, range, 10)) for range in ends(source, step, 3)] == [[]]


@pytest.mark.parametrize("name", ["parent", "divided"])
def test_bytes_are_those_of_all_parts(source: Session, name: str) -> None:
    """The size of a relation is that of its children's children, too."""
    like = f"SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relname ~ '{name}|child' AND relkind = 'r'"
    if name == "divided":
        like = "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relname LIKE 'divided%'"

    assert rows(source, section(load(placed(name)), "size").sql) == [(ROWS, rows(source, like)[0][0])]


@pytest.mark.parametrize("name", PLACED)
def test_one_database_has_no_places(name: str) -> None:
    """Where source and target are one, chunks do not share a snapshot: a table without a key is one chunk."""
    names = [each.name for each in load(placed(name), databases=1).sections]

    assert not {"split", "bound"} & set(names)
