"""A catalog's file reads back as what was written, whatever the names; the fingerprint is the documented one."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.catalog_file import catalog_text, fingerprint, write_catalog

GOLDEN = Path(__file__).parent / "golden" / "fingerprint"
TRICKY = [
    "no",
    "on",
    "null",
    "y",
    "~",
    "1e3",
    "012",
    "0o17",
    "12:30:45",
    "2024-01-01",
    "=",
    "<<",
    "date",
    "a.b",
    'q"',
    " ",
    "-",
]

# names and texts as PostgreSQL holds them: any characters but NUL
text = st.sampled_from(TRICKY) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
column = st.fixed_dictionaries({"type": text}, optional={"null": st.just(False), "default": text})
relation = st.fixed_dictionaries(
    {"kind": st.just("table"), "rows": st.integers(0, 10**12)},
    optional={
        "columns": st.dictionaries(text, column),
        "primary_key": st.fixed_dictionaries({"name": text, "columns": st.lists(text), "definition": text}),
        "parents": st.lists(text),
        "row_security": st.just(True),
    },
)


def catalog(relations: dict[str, Any], types: dict[str, Any] | None = None) -> dict[str, Any]:
    """A whole catalog around `relations` and `types`."""
    head = {"format": 1, "database": "source", "server": 18, "schemas": ["public"]}
    return {**head, "types": types or {}, "relations": relations}


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(text, relation, max_size=3), st.dictionaries(text, st.fixed_dictionaries({"enum": st.lists(text)}))
)
def test_every_catalog_reads_back_as_it_was(relations: dict[str, Any], types: dict[str, Any]) -> None:
    """Any name, type and definition survives, with its type."""
    written = catalog(relations, types)

    assert yaml.load(catalog_text(written), yaml.CSafeLoader) == written


def test_a_column_is_one_line() -> None:
    """However long its default is, and with line breaks in it."""
    default = "'" + "a long line, " * 100 + "\n\r\u2028'::text"
    written = catalog({"public.t": {"kind": "table", "columns": {"a": {"type": "text", "default": default}}}})

    lines = catalog_text(written).splitlines()

    assert [line.split(":")[0] for line in lines[-3:]] == ["    kind", "    columns", "      a"]


@pytest.mark.parametrize("word", TRICKY[:14])
def test_what_yaml_would_misread_is_quoted(word: str) -> None:
    """Words that some reader of YAML takes for a number, a date or a boolean stand in quotes; others do not."""
    lines = catalog_text(catalog({"public.t": {"kind": "table", "columns": {word: {"type": word}}}}))

    quoted = f"      '{word}': {{type: '{word}'}}\n"
    plain = f"      {word}: {{type: {word}}}\n"
    assert (plain if word in ("date", "a.b") else quoted) in lines


def test_the_golden_catalog_is_written_as_it_is() -> None:
    """The example is byte for byte what write_catalog makes of it."""
    content = (GOLDEN / "catalog.yaml").read_text(encoding="utf-8")

    assert catalog_text(yaml.safe_load(content)) == content


def test_fingerprints_are_the_golden_ones() -> None:
    """Runner and compiler each have this rule: both must give the committed digests."""
    example = yaml.safe_load((GOLDEN / "catalog.yaml").read_text(encoding="utf-8"))
    expected = yaml.safe_load((GOLDEN / "fingerprints.yaml").read_text(encoding="utf-8"))

    assert {name: fingerprint(name, example) for name in example["relations"]} == expected
    hashed = (GOLDEN / "hashed.json").read_bytes()
    assert "sha256:" + hashlib.sha256(hashed).hexdigest() == next(iter(expected.values()))


def test_a_fingerprint_ignores_rows_and_dependents_only() -> None:
    """Neither growth nor a new view is drift; the order of columns and a type's new label are."""
    types = {"public.mood": {"enum": ["sad", "ok"]}, "public.moods": {"domain": "public.mood[]"}}
    columns = {"a": {"type": "public.moods"}, "b": {"type": "text"}}
    before = {"kind": "table", "rows": 10, "columns": columns}
    seen = fingerprint("t", catalog({"t": before}, types))

    assert fingerprint("t", catalog({"t": {**before, "rows": 900, "dependents": ["view v"]}}, types)) == seen
    assert fingerprint("t", catalog({"t": {**before, "row_security": True}}, types)) != seen
    assert fingerprint("t", catalog({"t": {**before, "columns": dict(reversed(columns.items()))}}, types)) != seen
    assert fingerprint("t", catalog({"t": before}, {**types, "public.mood": {"enum": ["sad"]}})) != seen
    assert fingerprint("t", catalog({"t": before}, {**types, "public.other": {"enum": []}})) == seen


def test_writing_leaves_the_old_file_where_it_fails(tmp_path: Path) -> None:
    """A catalog that cannot be written does not leave half a file, nor a draft beside it."""
    path = tmp_path / "catalog" / "source.yaml"
    write_catalog(catalog({}), path)
    before = path.read_bytes()

    with pytest.raises(TypeError, match="a catalog holds no float"):
        write_catalog({**catalog({}), "server": 1.5}, path)

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["source.yaml"]
