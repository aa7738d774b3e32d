"""Documents become specs; the quick test of a schema says what jsonschema says; findings never fail themselves."""

import json
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from compiler.diagnostics import SpecError
from compiler.document import Document, Map
from compiler.load import parse
from compiler.quick import fulfils
from compiler.schema import SCHEMAS, Schema, SchemaName, resolved, schema, violations
from compiler.spec import Constant, Copy, Derived, Expression, Ids, Json, Limits, Query, Recode, Reference, Table, Word
from compiler.validate import validate
from compiler.violations import findings

PROJECT = """\
project: demo
source: {env: A}
target: {env: B, schema: app}
ids: {namespace: 1b671a64-40d5-491e-99b0-da01ff1f3341, version: 3}
"""


def document(text: str, file: str = "specs/demo/tables/t.yaml") -> Document:
    """A document of that text."""
    return parse(text.encode(), file)


def read(*tables: str) -> tuple[Table, ...]:
    """The tables as they are read from their texts."""
    project = document(PROJECT, "specs/demo/project.yaml")
    return validate(
        project, [document(text, f"specs/demo/tables/{n}.yaml") for n, text in enumerate(tables)], "demo"
    ).tables


def parts(part: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every part of a schema that describes values, with its path."""
    yield path, part
    for keyword in ("properties", "$defs"):
        for key, item in part.get(keyword, {}).items():
            yield from parts(item, f"{path}/{keyword}/{key}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(part.get(keyword), dict):
            yield from parts(part[keyword], f"{path}/{keyword}")
    for number, item in enumerate(part.get("anyOf", ())):
        yield from parts(item, f"{path}/anyOf/{number}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas_and_their_examples_fulfil_them(name: SchemaName) -> None:
    """What editors show as an example is right."""
    whole = schema(name)
    Draft202012Validator.check_schema(whole)
    for _, part in parts(whole):
        validator = Draft202012Validator({**resolved(part, whole["$defs"]), "$defs": whole["$defs"]})
        for given_example in part.get("examples", ()):
            validator.validate(given_example)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_says_what_it_is(name: SchemaName) -> None:
    """Each key has a description; each form of several has a title, which messages use."""
    whole = schema(name)
    for path, part in parts(whole):
        if path.rpartition("/")[0].endswith("properties"):
            assert resolved(part, whole["$defs"]).get("description"), path
        assert all("title" in form for form in part.get("anyOf", ())), path


# Specs that are nearly right: what the schemas know, put together at random.

KEYS = sorted({key for name in SCHEMAS for _, part in parts(schema(name)) for key in part.get("properties", ())})
EXAMPLES = [
    json.dumps(value) for name in SCHEMAS for _, part in parts(schema(name)) for value in part.get("examples", ())
]
LEAVES = st.sampled_from([*EXAMPLES, "''", "", "null", "~", "true", "'true'", "0", "3", "012", "x", "reject", "range"])
NEARLY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner.filter(bool), max_size=2).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from([*KEYS, "''"]), inner, max_size=4).map(
            lambda entries: "{" + ", ".join(f"{key}: {item}" for key, item in entries.items()) + "}"
        )
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(st.sampled_from(sorted(schema("table")["properties"])), NEARLY, max_size=6)


@given(TABLES.map(lambda keys: {"table": "t", "from": "s", **keys}), st.sampled_from(SCHEMAS))
def test_the_quick_test_says_what_jsonschema_says(keys: dict[str, str], name: SchemaName) -> None:
    """Yes and no are the same; and where it is no, there are words for it."""
    data = document("".join(f"{key}: {value}\n" for key, value in keys.items()))

    found = list(violations(name, data.data))

    assert fulfils(name)(data.data) == (not found)
    diagnostics = findings(data, name)
    assert bool(diagnostics) == bool(found)
    assert all(one.span and one.code.startswith("E2") and one.message for one in diagnostics)


@given(TABLES.map(lambda keys: {"table": "t", "from": "s", **keys}))
def test_what_fulfils_its_schema_is_read_or_refused(keys: dict[str, str]) -> None:
    """A reader trusts the schema: nothing that fulfils it makes a reader fail."""
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    with suppress(SpecError):
        (table,) = read(text)
        assert table.name.text == yaml.load(text, yaml.CBaseLoader)["table"]


FULL = """\
table: orders
from: dispatch_order
key: {id: {uuid: id}}
columns:
  legacy_id: id
  patient_id: {ref: patients, by: patient_id, missing: null}
  author_id: {ref: people, by: [a, b], on: [c, d]}
  status: {from: status, map: {0: draft, '1': submitted, true: 2}, otherwise: {value: null}}
  due_on: {from: due, type: date, format: DD.MM.YYYY}
  placed_at: {sql: "coalesce(s.a, s.b)", type: timestamptz, null: false}
  origin: {value: no}
  meta: {json: {memo: memo, Tags: tags}}
same: [total]
drop: {hack: "{{ always }} null"}
"""


def test_a_table_is_read_as_it_is_written() -> None:
    """Every form of a mapping; those of the key come first, then `columns`, then `same`."""
    (table,) = read(FULL)

    order = "id legacy_id patient_id author_id status due_on placed_at origin meta total"
    assert " ".join(mapping.target.text for mapping in table.mappings) == order
    how = {mapping.target.text: mapping.how for mapping in table.mappings}
    assert isinstance(how["id"], Derived)
    assert isinstance(how["total"], Copy)
    assert isinstance(how["placed_at"], Expression)
    assert how["origin"] == Constant("no")
    patient, author, status, due, meta = (how[name] for name in ("patient_id", "author_id", "status", "due_on", "meta"))
    assert isinstance(patient, Reference)
    assert (patient.table.text, patient.missing, patient.on) == ("patients", "null", ())
    assert isinstance(author, Reference)
    assert (list(map(str, author.by)), list(map(str, author.on))) == (["a", "b"], ["c", "d"])
    assert isinstance(status, Recode)
    assert [(old, new) for old, new, _ in status.values] == [(0, "draft"), ("1", "submitted"), (True, 2)]
    assert (status.otherwise, status.constant) == ("constant", None)
    assert isinstance(due, Copy)
    assert str(due.format) == "DD.MM.YYYY"
    assert isinstance(meta, Json)
    assert [(key, word.text) for key, word in meta.entries] == [("memo", "memo"), ("Tags", "tags")]
    assert [(str(reason.name), reason.because) for reason in table.drop] == [("hack", "{{ always }} null")]
    assert [str(word) for word in table.key] == ["id"]


def test_what_is_not_said_has_a_default() -> None:
    """The shortest table; and a chunk of which one end is given."""
    small, chunked = read("table: a\nfrom: {sql: SELECT 1}\n", "table: b\nfrom: b\nchunk: {rows: 100000}\n")

    assert (small.create, small.map_table, small.chunk, small.rejected, small.key) == (
        True,
        False,
        (2000, 50000),
        None,
        (),
    )
    assert isinstance(small.source, Query)
    assert small.source.key == ()
    assert chunked.chunk == (100000, 100000)


def test_a_project_is_read_as_it_is_written() -> None:
    """Databases with their defaults, ids, limits and what is required."""
    text = PROJECT + "limits: {rejected: 100, window: 2h}\nrequires: {extensions: [uuid-ossp], env: [SECRET]}\n"

    project = validate(document(text, "specs/demo/project.yaml"), [], "demo").project

    assert (project.source.schema, project.source.time_zone, project.target.schema) == ("public", "UTC", "app")
    assert project.ids is not None
    assert project.ids == Ids(UUID("1b671a64-40d5-491e-99b0-da01ff1f3341"), 3, project.ids.span)
    assert project.limits == Limits(window="2h", rejected="100")
    assert [str(word) for word in (*project.extensions, *project.env)] == ["uuid-ossp", "SECRET"]


def test_neither_order_nor_line_ends_nor_places_change_a_spec() -> None:
    """Tables are sorted by file; the digest is that of the texts, whatever the checkout did to their line ends."""
    texts = {name: f"table: {name}\nfrom: {name}\n" for name in ("a", "b", "c")}
    project = document(PROJECT, "specs/demo/project.yaml")

    def spec(names: str, ends: str) -> tuple[object, ...]:
        tables = [document(texts[name].replace("\n", ends), f"specs/demo/tables/{name}.yaml") for name in names]
        whole = validate(project, tables, "demo")
        return [str(table.name) for table in whole.tables], whole.digest

    assert spec("abc", "\n") == spec("cab", "\r\n")
    assert spec("abc", "\n") != spec("ab", "\n")


def test_a_word_knows_the_places_of_its_characters() -> None:
    """In quotes the first character is after the quote; beyond the end there is still a place."""
    (table,) = read('table: t\nfrom: s\nwhere: "s.total >= 0"\n')

    assert isinstance(table.where, Word)
    assert (table.where.at(2, 5).column, table.where.at(2, 5).length) == (11, 5)
    assert table.where.at(99).column <= len('where: "s.total >= 0"') + 1


def test_jinja_is_data() -> None:
    """What looks like a template in a value is that text, and nothing else."""
    (table,) = read("table: t\nfrom: s\ncolumns: {a: {value: '{{ 7 * 7 }}'}}\nabout: \"{% include 'x' %}\"\n")

    assert table.mappings[0].how == Constant("{{ 7 * 7 }}")
    assert table.about == "{% include 'x' %}"


def test_names_are_verbatim() -> None:
    """Case, spaces, quotes and dots are kept as they are written."""
    (table,) = read("table: '\"odd.name\"'\nfrom: Order Items\ncolumns: {'say \"hi\"': MixedCase}\n")

    assert (str(table.name), str(table.source)) == ('"odd.name"', "Order Items")
    assert str(table.mappings[0].target) == 'say "hi"'


def test_what_stands_in_a_map_is_found_by_its_own_key() -> None:
    """Documents are looked up by text, and their keys know their places."""
    data = document("a: {b: c}\n").data
    assert isinstance(data, Map)

    ((key, value),) = data.entries()

    assert (key.start, key.stop, value.start) == (0, 1, 3)
