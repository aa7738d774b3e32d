"""Databases that move with their keys as they are: all specs come from `transhume init`, all values stay the same."""

from __future__ import annotations

import pytest

from tests.real.conftest import Connection, Project, Real, connect, count, rows, tables


def check_same(source: Connection, target: Connection, schema: str) -> int:
    """Every row of every table is the same text; how many rows there are."""
    before, after = tables(source, "public"), tables(target, schema)
    assert before.keys() == after.keys()
    number = 0
    for name, columns in before.items():
        was = rows(source, "public", name, columns)
        assert rows(target, schema, name, columns) == was, name
        number += len(was)
    return number


def forward_back_forward(project: Project, schema: str) -> int:
    """Move, compare, roll back, move again; how many rows moved."""
    source, target = project.both()
    project.compile("--keys", "same")
    project.apply()
    project.verify()
    check_same(source, target, schema)
    project.rollback()
    assert tables(target, schema) == {}
    project.apply()
    return check_same(source, target, schema)


def test_northwind(real: Real) -> None:
    """Text keys, composite keys, an employee who reports to an employee, amounts in float4."""
    source, target = real.database("source", "northwind/northwind.sql"), real.database("target")
    assert forward_back_forward(real("northwind", source, target), "trade") == 3362


@pytest.mark.slow
@pytest.mark.both_servers
def test_the_values_that_postgresql_tests_itself_with(real: Real) -> None:
    """47 tables: infinity, NaN, years BC, arrays, ranges, multiranges, xml, money, bit, geometry, inheritance."""
    source, target = real.database("source", "pgtypes/pg15-regress-types.sql"), real.database("target")
    xml = count(connect(source), "SELECT count(*) FROM public.xmltest")  # none where the server is built without it
    assert forward_back_forward(real("pgtypes", source, target), "kept") == 7994 + xml
