"""Catalog files: the documented fingerprint, what is found in them, and the place of every mistake."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compiler.catalog import Catalog, Column, Constraint, type_name
from compiler.catalog_uses import CodeUses, Dependent, Uses
from compiler.diagnostics import Diagnostic, SpecError
from compiler.names import Name

GOLDEN = Path(__file__).parent / "golden" / "fingerprint"


def test_fingerprints_are_those_of_the_runner() -> None:
    """The compiler digests a relation as the runner does: the runner compares the two."""
    catalog = Catalog.read(GOLDEN / "catalog.yaml")

    expected = yaml.safe_load((GOLDEN / "fingerprints.yaml").read_text("utf-8"))
    assert {str(relation.qualified): relation.fingerprint for relation in catalog.relations} == expected


def test_relations_and_types_are_found_by_exact_name() -> None:
    """Dots, quotes, and letters beyond ASCII in names; a type also by the name of its arrays."""
    catalog = Catalog.read(GOLDEN / "catalog.yaml")

    orders = catalog.find("public", 'Café "au lait".orders')

    assert orders is not None
    assert orders.columns[0] == Column("zulu", "integer", null=False, identity="always")
    assert orders.checks == (Constraint("alpha_check", "CHECK ((alpha >= (0)::numeric))", valid=False),)
    assert orders.sequences == (("zulu", Name("public", "orders_zulu_seq")),)
    assert catalog.find("public", "orders") is None
    mood = catalog.type_named("public.mood[]")
    assert mood is not None
    assert mood.labels == ("sad", "ok", "no", "1e3", "line\nbreak")


def test_what_uses_a_column_is_read() -> None:
    """Of the columns that the snapshot was asked for; of the others nothing is known."""
    orders = Catalog.read(GOLDEN / "catalog.yaml").find("public", 'Café "au lait".orders')

    assert orders is not None
    assert orders.uses_of("mood") == Uses(
        "mood",
        (
            Dependent("view public.open_orders", "refuses", 2, "0123456789012345"),
            Dependent("index public.orders_mood", "vanishes", 1, "9f86d081884c7d65"),
        ),
        ("inherited column",),
        ("comment", "not null"),
        2,
        (CodeUses("../backend", 242, 53),),
    )
    assert orders.uses_of("alpha") == Uses("alpha")
    assert orders.uses_of("zulu") is None


@pytest.mark.parametrize(
    "text, name",
    [
        ("integer", None),
        ("character varying(120)[]", None),
        ('"char"', None),
        ("public.mood[]", Name("public", "mood")),
        ('"My.Schema"."odd ""type"""', Name("My.Schema", 'odd "type"')),
        ("public.geometry(Point,4326)", Name("public", "geometry")),
    ],
)
def test_type_names(text: str, name: Name | None) -> None:
    """A user's type is written with its schema, a built-in one without."""
    assert type_name(text) == name


ODD = st.sampled_from(
    [None, "", "x", "true", True, 3, [], ["x"], [["x"]], {}, {"x": "y"}, {"enum": ["a"], "domain": []}]
)


@st.composite
def edited(draw: st.DrawFn) -> Any:
    """The golden catalog with one of its values replaced by something odd."""
    data = yaml.safe_load((GOLDEN / "catalog.yaml").read_text("utf-8"))
    inside, key = data, draw(st.sampled_from(sorted(data)))
    while isinstance(inside[key], dict | list) and inside[key] and draw(st.booleans()):
        inside = inside[key]
        key = draw(st.sampled_from(sorted(inside) if isinstance(inside, dict) else range(len(inside))))
    inside[key] = draw(ODD)
    return data


@given(edited())
def test_an_edited_catalog_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """Whatever was put in place of a value, nothing but a located SpecError comes of it."""
    path = tmp_path_factory.mktemp("catalog") / "source.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    assert {(one.code, one.span is None) for one in findings(path)} <= {("E302", False)}


def findings(path: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with the catalog."""
    try:
        Catalog.read(path, path.name)
    except SpecError as error:
        return error.diagnostics
    return ()


MISTAKES = [
    ("format: 2\n", "1:9", "format 2 of the catalog is not known: this is for format 1"),
    ("format: 1\ndatabase: other\n", "2:11", '"database" is one of: source, target'),
    ("format: 1\nsurprise: x\n", "2:1", '"surprise" is not part of a catalog'),
    ("format: 1\nrelations: {public.t: {kind: table, columns: {a: {type: [x]}}}}\n", "2:57", '"type" is a text'),
    ("format: 1\nrelations: {t: {kind: table}}\n", "2:13", '"t" is not the name of a schema and, after a dot, of a'),
    ("format: 1\nrelations: {public.t: {kind: heap}}\n", "2:30", '"kind" is one of: table, partitioned table, view,'),
    ("format: 1\ntypes: {mood: {enum: [a]}}\n", "2:9", '"mood" is not the name of a schema and, after a dot, of a'),
]


@pytest.mark.parametrize("text, place, message", MISTAKES)
def test_mistakes_have_their_place(tmp_path: Path, text: str, place: str, message: str) -> None:
    """What was edited by hand into something else is found where it stands."""
    path = tmp_path / "source.yaml"
    path.write_text(text, encoding="utf-8")

    (found,) = findings(path)
    assert found.span is not None
    assert (found.code, f"{found.span.line}:{found.span.column}") == ("E302", place)
    assert found.message.startswith(message)
    assert found.hint == "write it anew with `transhume snapshot`"
