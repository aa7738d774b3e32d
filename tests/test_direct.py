"""Which path a load takes, and what its plan says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from compiler.bound import BoundTable, Guard, Ordered
from compiler.catalog import Relation
from compiler.emit import emit
from compiler.lower import lower
from compiler.names import Name
from compiler.plan import Step
from compiler.sql import Sql
from tests.specs import column, compiled, pets
from tests.tables import copied, mapped, ordered, referring, relation, table

CHECKED = Guard("a", Sql("(s.a > 'x') IS NOT FALSE"), "breaks a_check", "23514")
PLAIN = table("t", copied("a", "text"))


def load(found: Ordered, name: str = "t") -> Step:
    """The load of one table."""
    return next(step for step in lower(found).steps if step.id == f"load.{name}")


def of_source(kind: str, *children: str) -> BoundTable:
    """A table without a key, filled from a relation of that kind with such parts."""
    names = tuple(Name("public", child) for child in children)
    made = relation("t", schema="public", kind=kind, children=names)
    return replace(PLAIN, relation=made, keyset=(), legacy_key=(), columns=PLAIN.columns[1:], key=())


def between(found: Ordered, **options: str) -> Ordered:
    """The same with another encoding or collation of the source."""
    source = replace(found.resolved.source, **options)  # type: ignore[arg-type]
    target = replace(found.resolved.target, collation="C.UTF-8")
    return replace(found, resolved=replace(found.resolved, source=source, target=target))


def with_parts(found: Ordered, parts: Sequence[Relation]) -> Ordered:
    """The same with more relations in the source's catalog."""
    source = replace(found.resolved.source, relations=tuple(parts))
    return replace(found, resolved=replace(found.resolved, source=source))


def into(**options: object) -> Ordered:
    """Into a table that is there already."""
    old = replace(relation("t"), **options)  # type: ignore[arg-type]
    return ordered(replace(PLAIN, create=False, existing=old), target=[old])


CHILD = relation("part", schema="public")
COMPUTED = table("t", copied("a", "text", written=True))
STAGED = {
    "its spec says so": ordered(replace(PLAIN, direct=False)),
    "p_id is looked up in the map of p": ordered(mapped("p"), table("t", referring("p_id", "p", derived=False))),
    "the source cannot compute a: now() gives another value each time": ordered(
        table("t", copied("a", comparable=None, incomparable="now() gives another value each time"))
    ),
    "a is of type app.mood[], which has no binary form that is the same in every database": ordered(
        table("t", copied("a", type="app.mood[]", wire="text", opaque=True))
    ),
    "the source has no key": ordered(replace(PLAIN, keyset=(), legacy_key=())),
    "the source has no key, and rows of its parts may have equal places": with_parts(
        ordered(of_source("table", "part")), [CHILD]
    ),
    "the target is a view": into(kind="view"),
    "the target has rules": into(dependents=("rule note on app.t",)),
    "texts are kept as LATIN1 in the source and as UTF8 in the target": between(ordered(PLAIN), encoding="LATIN1"),
    "a is computed, and the databases have other collations": between(ordered(COMPUTED), collation="de_DE.UTF-8"),
}
DIRECT = {
    "plain": ordered(PLAIN),
    "derived reference": ordered(table("p"), table("t", referring("p_id", "p"))),
    "other collation": between(ordered(PLAIN), collation="de_DE.UTF-8"),
    "computed under one collation": between(ordered(COMPUTED), collation="C.UTF-8"),
    "collation that is not known": between(ordered(COMPUTED), collation=""),
    "no key, one table": ordered(of_source("table")),
    "into a partitioned table": into(kind="partitioned table"),
    "read by rules of others": into(dependents=("rule note on app.other", "view app.v")),
}


@pytest.mark.parametrize("why", STAGED)
def test_what_goes_through_a_stage(why: str) -> None:
    """The header and PLAN.md say why; there is no section of the direct path."""
    found = STAGED[why]
    step = load(found)
    names = {each.name for each in step.sections}

    assert f"through a stage ({why})" in step.what
    assert {"stage", "load"} <= names
    assert not names & {"direct", "receive", "failing"}
    assert "through a stage (" in emit(lower(found))["PLAN.md"]


@pytest.mark.parametrize("which", DIRECT)
def test_what_is_copied_directly(which: str) -> None:
    """The stage is there for chunks with rows that cannot be copied."""
    step = load(DIRECT[which])
    names = {each.name for each in step.sections}

    assert ", directly, " in step.what
    assert {"direct", "receive", "extract", "stage", "fill", "sift", "set_aside"} <= names
    assert not names & {"load", "failing", "reject"}
    assert [str(lock) for lock in step.locks][-1] == "ROW EXCLUSIVE on app.t (COPY)"


def test_checks_are_computed_too() -> None:
    """A check compares texts as the database does."""
    checked = ordered(table("t", copied("a", "text", guards=(CHECKED,))))

    assert {"direct", "failing"} <= {each.name for each in load(checked).sections}
    assert "a is computed" in load(between(checked, collation="de_DE.UTF-8")).what


def test_one_database_has_no_paths() -> None:
    """Source and target are read and written by one statement."""
    assert load(ordered(PLAIN, databases=1)).what == "public.t (source) -> app.t (target), in chunks by id"


@pytest.mark.parametrize(
    "kind, children, parts, keyset",
    [
        ("table", (), (), ["ctid"]),
        ("materialized view", (), (), ["ctid"]),
        ("partitioned table", ("part",), (CHILD,), ["ctid"]),
        ("partitioned table", ("part",), (replace(CHILD, kind="foreign table"),), []),
        ("partitioned table", ("part",), (), []),
        ("view", (), (), []),
        ("foreign table", (), (), []),
    ],
)
def test_what_is_paged_by_place(
    kind: str, children: tuple[str, ...], parts: tuple[Relation, ...], keyset: list[str]
) -> None:
    """A source without a key, if all of its rows are in blocks of this database; the manifest says so."""
    found = with_parts(ordered(of_source(kind, *children)), parts)
    plan = lower(found)
    step = load(found)

    assert list(plan.tables[0].keyset) == keyset
    assert bool(keyset) == ({"split", "bound", "count"} <= {each.name for each in step.sections})
    assert f"keyset: [{', '.join(keyset)}]" in emit(plan)["plan.yaml"]
    assert len(step.risks) == 1
    assert "a crash starts it anew" in step.risks[0]
    assert bool(keyset) == ("where its rows are" in step.risks[0])


@pytest.mark.parametrize(
    "mapping, local",
    [
        ('{sql: "s.weight * 2", type: numeric}', "(s.weight * 2)::numeric"),
        ('{sql: "s.name || s.born", type: text}', "(s.name || s.born)::text"),
        ('{sql: "s.chips", type: "numeric(20,0)"}', "s.chips::numeric(20,0)"),
        ("born", "s.born"),
    ],
)
def test_the_source_sends_the_type_that_is_received(tmp_path: Path, mapping: str, local: str) -> None:
    """What an expression gives is told from its text; COPY would take the bytes of another type for a value."""
    made = column(compiled(tmp_path, pets(f"made: {mapping}")), "made")

    assert made.comparable == local
    assert made.written == ("sql" in mapping)
