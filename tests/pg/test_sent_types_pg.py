"""The types of the values that the source computes, for every golden plan: COPY takes bytes as they come."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from compiler.layout import Layout
from compiler.rows import reading
from runner.bind import bind
from tests.conftest import Databases
from tests.pg.sections import rows
from tests.pg.test_direct_sections_pg import content, opened_on, ordered
from tests.test_golden import PLANS

SAME_FORM = {1043: 25, 1042: 25, 1562: 1560}  # varchar and char as text, varbit as bit


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
def test_the_source_sends_what_is_received(case: Path, databases: Databases, tmp_path: Path) -> None:
    """Every value that the source computes is of its column's type, or of one with the same binary form."""
    found = ordered(case, tmp_path)
    layout = Layout(found)
    with closing(opened_on("source", databases, content(case, "source"))) as source:
        for table in found.tables:
            read = reading(table, layout)
            values = {each.name: each for each in table.columns if each.comparable is not None}
            _, relation, _ = read.read
            query = f"SELECT {', '.join(str(each.comparable) for each in values.values())} FROM {relation} LIMIT 0"
            cursor = source.execute(bind(query, [None] * len(read.bounds)).text.encode())
            for each, made in zip(values.values(), cursor.description or (), strict=True):
                ((wanted,),) = rows(source, f"SELECT '{each.wire}'::regtype::oid::integer")
                assert SAME_FORM.get(made.type_code, made.type_code) == SAME_FORM.get(wanted, wanted), each
