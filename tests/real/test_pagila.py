"""Pagila, a DVD rental store: all tables, integer ids to UUIDs, six inherited payment tables into a partitioned one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.real.conftest import Connection, Project, Real, count, rows, tables

DUMPS = ("pagila-0.10.1/pagila-schema.sql", "pagila-0.10.1/pagila-data.sql")
NAMESPACE = uuid.UUID("5f0f5b0e-9a37-4d0e-8a3e-6d0cf4b1a5c4")

# target table: source table, rows
ROWS = {
    "actors": ("actor", 200),
    "addresses": ("address", 603),
    "categories": ("category", 16),
    "cities": ("city", 600),
    "countries": ("country", 109),
    "customers": ("customer", 599),
    "film_actors": ("film_actor", 5462),
    "film_categories": ("film_category", 1000),
    "films": ("film", 1000),
    "inventory": ("inventory", 4581),
    "languages": ("language", 6),
    "payments": ("payment", 16049),
    "rentals": ("rental", 16044),
    "staff": ("staff", 2),
    "stores": ("store", 2),
}
# target table, its column, the table it refers to; source table, its column
REFERENCES = [
    ("addresses", "city_id", "cities", "address", "city_id"),
    ("cities", "country_id", "countries", "city", "country_id"),
    ("customers", "store_id", "stores", "customer", "store_id"),
    ("customers", "address_id", "addresses", "customer", "address_id"),
    ("films", "language_id", "languages", "film", "language_id"),
    ("films", "original_language_id", "languages", "film", "original_language_id"),
    ("inventory", "film_id", "films", "inventory", "film_id"),
    ("inventory", "store_id", "stores", "inventory", "store_id"),
    ("payments", "customer_id", "customers", "payment", "customer_id"),
    ("payments", "rental_id", "rentals", "payment", "rental_id"),
    ("payments", "staff_id", "staff", "payment", "staff_id"),
    ("rentals", "customer_id", "customers", "rental", "customer_id"),
    ("rentals", "inventory_id", "inventory", "rental", "inventory_id"),
    ("rentals", "staff_id", "staff", "rental", "staff_id"),
    ("staff", "address_id", "addresses", "staff", "address_id"),
    ("staff", "store_id", "stores", "staff", "store_id"),
    ("stores", "manager_id", "staff", "store", "manager_staff_id"),
    ("stores", "address_id", "addresses", "store", "address_id"),
]
# what every value of a table must equal: columns of the source, and of the target
VALUES = [
    ("film", "film_id, title, description, release_year, length, rating::text, special_features, fulltext",
     "films", "legacy_id, title, description, release_year, length, rating::text, special_features, fulltext"),
    ("staff", "staff_id, username, picture", "staff", "legacy_id, username, picture"),
    ("customer", "customer_id, email, create_date, last_update AT TIME ZONE 'UTC'",
     "customers", "legacy_id, email, created_on, updated_at"),
    ("rental", "rental_id, rental_date AT TIME ZONE 'UTC', return_date AT TIME ZONE 'UTC'",
     "rentals", "legacy_id, rented_at, returned_at"),
    ("payment", "payment_id, amount, payment_date", "payments", "legacy_id, amount, payment_date"),
]  # fmt: skip


@pytest.fixture
def pagila(real: Real) -> Project:
    """The store, and an empty target."""
    return real("pagila", real.database("source", *DUMPS), real.database("target"))


def pairs(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """What a query returns."""
    return connection.execute(query.encode()).fetchall()


def check_rows(source: Connection, target: Connection) -> None:
    """Every row of every table has arrived, and nothing else."""
    assert sorted(tables(target, "rental")) == sorted(ROWS)
    assert {name: count(target, f"SELECT count(*) FROM rental.{name}") for name in ROWS} == {
        name: number for name, (_, number) in ROWS.items()
    }
    for name, number in ROWS.values():
        assert count(source, f"SELECT count(*) FROM {name}") == number
    assert count(target, "SELECT count(*) FROM transhume.reject") == 0


def check_references(source: Connection, target: Connection) -> None:
    """Each reference leads to the row that it led to: compared through the legacy ids on both ends."""
    for table, column, to, old, by in REFERENCES:
        old_key = "store_id" if old == "store" else f"{old}_id"
        was = pairs(source, f"SELECT {old_key}::integer, {by}::integer FROM {old} ORDER BY 1")
        now = pairs(
            target,
            f"SELECT a.legacy_id, b.legacy_id FROM rental.{table} a "
            f"LEFT JOIN rental.{to} b ON b.id = a.{column} ORDER BY 1",
        )
        assert now == was, f"{table}.{column}"
    for one, other, old in (("film", "actor", "film_actor"), ("film", "category", "film_category")):
        many = {"actor": "actors", "category": "categories"}[other]
        was = pairs(source, f"SELECT {one}_id::integer, {other}_id::integer FROM {old} ORDER BY 1, 2")
        now = pairs(
            target,
            f"SELECT a.legacy_id, b.legacy_id FROM rental.film_{many} x JOIN rental.films a ON a.id = x.film_id "
            f"JOIN rental.{many} b ON b.id = x.{other}_id ORDER BY 1, 2",
        )
        assert now == was, old


def check_values(source: Connection, target: Connection) -> None:
    """Domains, enums, arrays, tsvector, bytea, numbers and times are what they were; ids are RFC 9562 UUIDs."""
    for old, was, new, now in VALUES:
        assert pairs(target, f"SELECT {now} FROM rental.{new} ORDER BY 1") == pairs(
            source, f"SELECT {was} FROM public.{old} ORDER BY 1"
        ), new
    paid = "SELECT {} AS customer, sum(amount), count(*) FROM {} GROUP BY 1 ORDER BY 1"
    assert pairs(
        target, paid.format("c.legacy_id", "rental.payments p JOIN rental.customers c ON c.id = customer_id")
    ) == (pairs(source, paid.format("customer_id::integer", "public.payment")))
    for name in ("films", "payments", "stores"):
        for legacy, key in pairs(target, f"SELECT legacy_id, id FROM rental.{name}"):
            assert key == uuid.uuid3(NAMESPACE, f"{name}:{legacy}")


def check_schema(target: Connection) -> None:
    """The types have travelled, payments are in the partitions of their months, and every reference is enforced."""
    query = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = 'rental.films'::regclass
                 AND attname IN ('rating', 'release_year', 'special_features', 'fulltext')"""
    types: dict[str, str] = dict(pairs(target, query))
    assert types == {
        "rating": "rental.mpaa_rating",
        "release_year": "rental.year",
        "special_features": "text[]",
        "fulltext": "tsvector",
    }  # fmt: skip
    months = pairs(
        target,
        """SELECT tableoid::regclass::text, count(*), min(payment_date)::date >= '2007-01-01'
        FROM rental.payments GROUP BY 1 ORDER BY 1""",
    )
    assert [number for _, number, _ in months] == [1157, 2312, 5644, 6754, 182]
    references = """SELECT count(*) FROM pg_constraint
        WHERE contype = 'f' AND convalidated AND conparentid = 0 AND connamespace = 'rental'::regnamespace"""
    assert count(target, references) == len(REFERENCES) + 4


def state(target: Connection) -> dict[str, list[str]]:
    """All rows of all tables."""
    return {name: rows(target, "rental", name, columns, only="") for name, columns in tables(target, "rental").items()}


@pytest.mark.slow
@pytest.mark.both_servers
def test_pagila_forward_back_forward(pagila: Project) -> None:
    """The whole store moves, verified; it can be taken back to nothing, and moves again to the same content."""
    source, target = pagila.both()
    pagila.compile()
    pagila.apply()
    pagila.verify()
    check_rows(source, target)
    check_references(source, target)
    check_values(source, target)
    check_schema(target)
    first = state(target)

    pagila.rollback()
    assert tables(target, "rental") == {}
    pagila.apply()
    assert state(target) == first


def test_pagila_within_one_database(real: Real) -> None:
    """Source and target in one database, two schemas: the rows never leave the server."""
    database = real.database("source", *DUMPS)
    pagila = real("pagila", database, database)
    path = pagila.folder / "specs/pagila/project.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("TARGET_DATABASE_URL", "LEGACY_DATABASE_URL"))
    source, target = pagila.both()
    pagila.compile()
    pagila.run("apply", "plans/pagila", "--jobs", "4")
    pagila.verify()
    check_rows(source, target)
    check_references(source, target)
    check_values(source, target)
    check_schema(target)

    pagila.rollback()
    assert tables(target, "rental") == {}
    assert count(source, "SELECT count(*) FROM public.payment") == 16049
