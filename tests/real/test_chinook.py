"""Chinook, a music store in which every identifier is in PascalCase: all specs come from `transhume init`."""

from __future__ import annotations

import pytest

from tests.real.conftest import Project, Real, count, tables


@pytest.fixture
def chinook(real: Real) -> Project:
    """The store, and an empty target."""
    return real("chinook", real.database("source", "chinook/Chinook_PostgreSql_utf8.sql"), real.database("target"))


def test_pascal_case_moves_to_uuid_keys(chinook: Project) -> None:
    """15,607 rows; what each customer paid, and for which tracks, is the same through the legacy ids."""
    chinook.compile("--keys", "uuid")
    chinook.apply()
    chinook.verify()

    source, target = chinook.both()
    names = tables(source, "public")
    counts = {name: count(source, f'SELECT count(*) FROM public."{name}"') for name in names}
    assert sum(counts.values()) == 15607
    assert {name: count(target, f'SELECT count(*) FROM "Music"."{name}"') for name in tables(target, "Music")} == counts

    paid = """SELECT c."{0}CustomerId", sum(i."Total"), sum(l."UnitPrice" * l."Quantity"),
                array_agg(t."{0}TrackId" ORDER BY t."{0}TrackId")
              FROM "{1}"."Customer" c JOIN "{1}"."Invoice" i ON i."CustomerId" = c."CustomerId"
              JOIN "{1}"."InvoiceLine" l ON l."InvoiceId" = i."InvoiceId"
              JOIN "{1}"."Track" t ON t."TrackId" = l."TrackId"
              GROUP BY 1 ORDER BY 1"""
    assert target.execute(paid.format("legacy_", "Music").encode()).fetchall() == (
        source.execute(paid.format("", "public").encode()).fetchall()
    )
    bosses = """SELECT e."{0}EmployeeId", b."{0}EmployeeId" FROM "{1}"."Employee" e
                LEFT JOIN "{1}"."Employee" b ON b."EmployeeId" = e."ReportsTo" ORDER BY 1"""
    assert target.execute(bosses.format("legacy_", "Music").encode()).fetchall() == (
        source.execute(bosses.format("", "public").encode()).fetchall()
    )
    kind = """SELECT format_type(atttypid, atttypmod) FROM pg_attribute
              WHERE attrelid = '"Music"."Track"'::regclass AND attname = 'TrackId'"""
    assert target.execute(kind).fetchall() == [("uuid",)]

    chinook.rollback()
    assert tables(target, "Music") == {}
