"""The plan's texts: they split where they were put together, and say what is in them on one line each."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compiler.diagnostics import SpecError
from compiler.emit import emit, step_text
from compiler.lower import lower
from compiler.manifest import flow
from compiler.page import cell, code
from compiler.plan import Lock, Section, Step, file_name
from compiler.sql import Sql
from compiler.write import write_folder
from runner.manifest import read_plan
from runner.sections import split
from tests.tables import SPAN, copied, ordered, table

STEP = Step("load", "orders", "a -> b", "", "orders", SPAN, ("create.orders",), (), "truncates", (), ())
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


def test_header_and_sections() -> None:
    """What it does, where it comes from, what it waits for and locks, how it is undone; then the sections."""
    step = replace(
        STEP, about="What was\nordered",
        after=tuple(f"load.table_{n}" for n in range(12)), locks=(Lock("SHARE", "app.a, app.b", "CREATE INDEX"),),
        sections=(Section("build", "target", Sql("SELECT\n  1;"), 'a "b"', ("run", "step"), "why\nnot"),),
    )  # fmt: skip

    assert step_text(step).splitlines() == [
        "-- load.orders: a -> b",
        "-- about  What was ordered",
        "-- from   specs/demo/tables/x.yaml:2",
        "-- after  load.table_0, load.table_1, load.table_2, load.table_3, load.table_4, load.table_5, load.table_6,",
        "--        load.table_7, load.table_8, load.table_9, load.table_10, load.table_11",
        "-- locks  SHARE on app.a, app.b (CREATE INDEX)",
        "-- undo   truncates",
        "",
        '-- transhume: build of "a \\"b\\"" on target binds run step -- why\\u000anot',
        "SELECT",
        "  1;",
    ]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_splits_as_it_was_written(name: str, of: str, prose: str, sql: str) -> None:
    """Whatever a name, a prose or an expression holds, the runner finds the sections that the compiler wrote."""
    sections = (
        Section("settle", "target", Sql(f"SELECT 'x{sql.replace(chr(39), '')}';"), of or "x", ("run",), prose),
        Section("verify", "source", Sql("SELECT 2;")),
    )
    step = replace(STEP, name=name or "x", what=name, sections=sections)
    found = split(step_text(step), step.file).sections

    assert [(each.name, each.of, each.side, each.binds) for each in found] == [
        (each.name, each.of, each.side, each.binds) for each in sections
    ]
    assert [each.text.rstrip("\n") for each in found] == [each.sql.rstrip("\n") for each in sections]


def test_a_marker_in_an_expression_is_refused() -> None:
    """An expression with a line that looks like a marker would be taken apart in another place."""
    value = Sql("'a\n-- transhume: revert on target\nDROP TABLE x'")
    plan = lower(ordered(table("orders", copied("note", "text", value=value, comparable=None))))
    with pytest.raises(SpecError) as caught:
        emit(plan)

    (found,) = caught.value.diagnostics
    assert (found.code, found.span) == ("E801", SPAN)
    assert found.message == 'an expression of "orders" has a line that starts with "-- transhume:"'


def test_the_runner_reads_it(tmp_path: Path) -> None:
    """The folder that is written is one that the runner accepts: schema, digests, order, sections."""
    odd = table('o"d\n.d', copied("a b"), copied("ünï"))
    write_folder(tmp_path / "demo", emit(lower(ordered(table("orders"), odd))))
    plan = read_plan(tmp_path / "demo")

    assert [each.id for each in plan.tables] == ["orders", 'o"d\n.d']
    assert len(plan.steps) == 9
    assert {step.reversible for step in plan.steps} == {True}


@given(
    st.recursive(
        TEXTS | st.integers() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    )
)
def test_flow_is_yaml(value: object) -> None:
    """Whatever is written on a line of the manifest is read as the same."""
    text = flow(value)  # type: ignore[arg-type]  # hypothesis cannot say what it makes

    assert "\n" not in text
    assert yaml.load(f"- {text}\n", Loader=yaml.CSafeLoader) == [value]


@pytest.mark.parametrize(
    "text", ["yes", "Null", "off", "1e5", "0x1f", "12:30:45", "2025-01-01", "~", ".5", "a: b", "#"]
)
def test_flow_quotes_what_is_no_text(text: str) -> None:
    """YAML's guesses do not reach the manifest."""
    assert flow(text) == json.dumps(text)


@given(TEXTS.filter(bool), TEXTS.filter(bool))
def test_file_names(one: str, other: str) -> None:
    """A name makes one file name, which any file system takes and no other name has."""
    made = file_name(one)

    assert (made == file_name(other)) == (one == other)
    assert len(made.encode()) <= 240
    assert not set(made) & set('/\\:*?"<>| \n')
    assert not made.startswith(".")


def test_long_file_names() -> None:
    """Names that fill up when they are encoded stay apart and within what file systems take."""
    one, other = file_name("ä" * 63 + "." + "ö" * 63), file_name("ä" * 63 + "." + "ö" * 62)

    assert one != other
    assert len(one) <= 240


def test_markdown() -> None:
    """A name is shown as it is, and neither ends a cell nor begins a link."""
    assert cell("a|b *c* [d](e) <f> & snake_case _g_\nh") == (
        "a\\|b \\*c\\* \\[d\\](e) \\<f> &amp; snake_case \\_g\\_ h"
    )
    assert code("a|b") == "`a\\|b`"
    assert code("a`b") == "`` a`b ``"
