"""The order of tables: parents first, the same for any order of the files, and circles said spec by spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.bound import BoundColumn, BoundReference, BoundTable, Ordered, Resolved
from compiler.diagnostics import Span, SpecError
from compiler.names import Name
from compiler.order import order
from compiler.sql import Sql


def column(table: str, number: int) -> BoundColumn:
    """A column that refers to `table`."""
    span = Span("spec.yaml", 3, 1, 1)
    reference = BoundReference(table, f"c{number}", ("x",), "reject", derived=True)
    return BoundColumn(f"c{number}", "uuid", True, Sql("s.x"), "uuid", None, "", "", (), reference, None, False, span)


def table(id: str, references: Sequence[str] = (), after: Sequence[str] = ()) -> BoundTable:
    """A table of which only what the order depends on is told."""
    made: dict[str, Any] = dict.fromkeys(BoundTable.__dataclass_fields__)
    columns = tuple(column(other, number) for number, other in enumerate(references))
    made |= {"id": id, "target": Name("app", id), "columns": columns, "after": tuple(after)}
    return BoundTable(**(made | {"span": Span(f"specs/p/tables/{id}.yaml", 1, 8, len(id))}))


def ordered(*tables: BoundTable) -> Ordered:
    """The tables in order."""
    made: dict[str, Any] = dict.fromkeys(Resolved.__dataclass_fields__)
    return order(Resolved(**(made | {"tables": tables})))


def ids(result: Ordered) -> list[str]:
    """The ids in order."""
    return [table.id for table in result.tables]


def test_parents_come_first_and_names_decide_the_rest() -> None:
    """The order is found from the references; what they leave open goes by name."""
    references = {"orders": ["patients", "offices"], "patients": ["doctors"], "doctors": ["profiles"],
                  "profiles": ["offices"], "offices": [], "aardvarks": ["orders"], "banks": []}  # fmt: skip
    tables = [table(name, parents) for name, parents in references.items()]

    assert ids(ordered(*tables)) == ["banks", "offices", "profiles", "doctors", "patients", "orders", "aardvarks"]


def test_a_circle_of_references_is_legal_and_named() -> None:
    """Two tables that refer to each other, and one that refers to itself, are circles in load order."""
    result = ordered(table("stores", ["staff"]), table("staff", ["stores"]), table("trees", ["trees", "stores"]))

    assert ids(result) == ["staff", "stores", "trees"]
    assert result.circles == (("staff", "stores"), ("trees",))


def test_after_decides_where_references_run_in_a_circle() -> None:
    """`after:` is kept even against a reference."""
    assert ids(ordered(table("a", ["b"], after=["c"]), table("b", ["a"]), table("c", ["a"]))) == ["b", "c", "a"]


def test_a_circle_of_after_is_printed_spec_by_spec() -> None:
    """Each table of the circle is named with the place of its spec."""
    with pytest.raises(SpecError) as raised:
        ordered(table("c", after=["b"]), table("a", after=["c"]), table("b", after=["a"]), table("d", after=["a"]))

    (found,) = raised.value.diagnostics
    assert found.message == "tables wait for each other in a circle: a -> c -> b -> a"
    assert str(found.span) == "specs/p/tables/a.yaml:1"
    assert found.hint == (
        "take one of these out of after:\n"
        '"a" comes after "c" (specs/p/tables/a.yaml:1)\n'
        '"c" comes after "b" (specs/p/tables/c.yaml:1)\n'
        '"b" comes after "a" (specs/p/tables/b.yaml:1)'
    )


def test_a_table_after_itself_is_a_circle() -> None:
    """The shortest circle of all."""
    with pytest.raises(SpecError) as raised:
        ordered(table("a", after=["a"]))

    assert raised.value.diagnostics[0].message == "tables wait for each other in a circle: a -> a"


NAMES = [f"t{number}" for number in range(9)]
EDGES = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4))


@given(EDGES, st.permutations(NAMES))
def test_the_order_does_not_depend_on_the_order_of_files(
    edges: Mapping[str, Sequence[str]], shuffled: list[str]
) -> None:
    """Shuffled specs give the same order, and a parent outside any circle comes before its children."""
    by_name = {name: table(name, edges.get(name, ())) for name in NAMES}
    result = ordered(*by_name.values())

    assert ordered(*(by_name[name] for name in shuffled)).circles == result.circles
    assert ids(ordered(*(by_name[name] for name in shuffled))) == ids(result)
    circle = {id: circle for circle in result.circles for id in circle}
    for name, parents in edges.items():
        for parent in parents:
            together = name in circle and circle[name] == circle.get(parent)
            assert together or ids(result).index(parent) < ids(result).index(name)


@given(st.permutations(NAMES))
def test_after_is_always_kept(chain: list[str]) -> None:
    """A chain of `after:` is the order, whatever the references say."""
    tables = [
        table(name, references=[chain[-1]], after=[before] if before else [])
        for before, name in zip([None, *chain], chain, strict=False)
    ]

    assert ids(ordered(*cast(list[BoundTable], sorted(tables, key=lambda one: one.id)))) == chain
