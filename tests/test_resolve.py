"""Specs -> tables: existing ones, queries, partitions, and what stands around the columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.specs import COLUMNS, OWNER, TARGET, characters, column, compiled, pets, refused, table

EXISTING = """\
relations:
  app.pets:
    kind: table
    rows: 0
    columns:
      id: {type: uuid, 'null': false}
      legacy_id: {type: bigint}
      label: {type: character varying(20), 'null': false}
      made: {type: timestamp with time zone, 'null': false, default: now()}
      upper: {type: text, generated: upper(label)}
      owner: {type: uuid}
    primary_key: {name: pets_pkey, columns: [id], definition: PRIMARY KEY (id)}
    unique: {pets_legacy_key: {columns: [legacy_id], definition: UNIQUE (legacy_id)}}
    foreign_keys:
      pets_owner_fkey:
        columns: [owner]
        references: app.owners
        to: [id]
        definition: FOREIGN KEY (owner) REFERENCES app.owners(id)
"""
THERE = TARGET.replace("relations: {}\n", EXISTING)


def test_an_existing_table_says_what_its_columns_are(tmp_path: Path) -> None:
    """Types and NOT NULL come from the catalog, and so do its keys and indexes."""
    spec = pets("legacy_id: id\nlabel: name\nowner: {ref: owners, by: owner_id}", "create: false")
    ordered = compiled(tmp_path, spec, target=THERE)
    found = table(ordered)
    assert [(each.name, each.type, each.null) for each in found.columns] == [
        ("id", "uuid", False),
        ("legacy_id", "bigint", True),
        ("label", "character varying(20)", False),
        ("owner", "uuid", True),
    ]
    assert [guard.reason for guard in column(ordered, "label").guards] == ["name is longer than 20 characters"]
    assert [(index.name, index.unique) for index in found.indexes] == [("pets_pkey", True), ("pets_legacy_key", True)]
    reference = column(ordered, "owner").reference
    assert reference is not None
    assert not reference.constrained


@pytest.mark.parametrize(
    "columns, rest, code, at, message",
    [
        (
            "legacy_id: id",
            "",
            "E609",
            "pets",
            'column "label" of target table "pets" is NOT NULL, and nothing fills it',
        ),
        ("label: name\nupper: name", "", "E610", "upper", 'column "upper" of target table "pets" is generated'),
        ("label: name\nlabell: name", "", "E313", "labell", 'column "labell" does not exist in target table "pets"'),
        (
            "label: {from: name, type: text}",
            "",
            "E504",
            "text",
            'column "label" is of type character varying(20) in the target',
        ),
        (
            "label: {from: name, null: true}",
            "",
            "E506",
            "{from: name, null: true}",
            'column "label" is NOT NULL in the target',
        ),
        (
            "label: name",
            "checks: {a: id is not null}",
            "E611",
            "a",
            'target table "pets" is there already: its own migrations say what it is like',
        ),
        (
            "label: name",
            "indexes: [{columns: [label]}]",
            "E611",
            "[label]",
            'target table "pets" has no unique index over these columns',
        ),
    ],
)
def test_what_does_not_fit_an_existing_table(
    columns: str, rest: str, code: str, at: str, message: str, tmp_path: Path
) -> None:
    """What its own migrations decide is not for a spec to change."""
    assert refused(tmp_path, pets(columns, f"create: false\n{rest}"), target=THERE) == [(code, at, message)]


def test_whether_a_table_is_there_must_be_said_rightly(tmp_path: Path) -> None:
    """Creating what is there, and filling what is not."""
    assert refused(tmp_path, pets(), target=THERE) == [("E318", "pets", 'table "pets" is in the target already')]
    found = refused(tmp_path, pets(rest="create: false"))
    assert found == [("E312", "pets", 'table "pets" is not in the catalog of the target, and "create" is false')]


QUERY = """\
table: pets
from:
  sql: |
    select p.id, p.name, o.code,
           count(*) over () as all_of_them
    from pet p join owner o on o.id = p.owner_id
  key: id
key: {id: {uuid: id}}
columns: {legacy_id: id}
"""
UNUSED = "owner_code born seen day weight chips kind tame feels since home tag moods"


def query(rest: str, sql: str = "", without: str = "") -> str:
    """A spec over a query, that drops what the query leaves out."""
    loose = ", ".join(f"{name}: unused" for name in UNUSED.split() if name not in without.split())
    text = QUERY.replace("select p.id, p.name, o.code,", sql) if sql else QUERY
    return f"{text}{rest}\ndrop: {{{loose}}}\n"


def test_a_query_is_a_source(tmp_path: Path) -> None:
    """Its relations get their schema, its columns their types, and its tables count as migrated."""
    found = table(compiled(tmp_path, query("same: [name, code, all_of_them]")))
    assert found.query == (
        "select p.id, p.name, o.code,\n       count(*) over () as all_of_them\n"
        "from public.pet p join public.owner o on o.id = p.owner_id"
    )
    assert [(each.name, each.type, each.null) for each in found.columns] == [
        ("id", "uuid", False),
        ("legacy_id", "integer", False),
        ("name", "character varying(40)", False),
        ("code", "character varying(10)", False),
        ("all_of_them", "bigint", True),
    ]
    assert [str(name) for name in found.relations] == ["public.pet", "public.owner"]
    assert (found.source, [source.name for source in found.keyset], found.rows) == (None, ["id"], 100)


@pytest.mark.parametrize(
    "spec, code, at, message",
    [
        (
            query("same: [name, code]"),
            "E601",
            "|",
            'column "all_of_them" of the query of "pets" is neither mapped nor dropped',
        ),
        (
            query("same: [name, code, all_of_them]", without="born"),
            "E601",
            "|",
            'column "born" of source table "pet" is neither mapped nor dropped',
        ),
        (
            query("same: [code, all_of_them]", "select p.id, p.nmae, o.code,"),
            "E311",
            "p.nmae",
            'column "p.nmae" does not exist in what the query reads',
        ),
        (
            query("same: [x]", "select p.id, app.slug(p.name) as x, o.code,"),
            "E410",
            "x",
            'the type of column "x" in the query of "pets" cannot be told',
        ),
        (
            query("same: [name]", "select p.id, o.id, o.code,"),
            "E410",
            "|",
            'the query of "pets" gives column "id" twice',
        ),
        (
            query("same: [name]", "select p.id, lower(p.name), o.code,"),
            "E410",
            "|",
            'the columns of the query of "pets" cannot be told',
        ),
        (
            query("same: [name]", "insert into pet"),
            "E402",
            "insert",
            '"insert" begins a statement, and this should be one SELECT',
        ),
        (
            query("same: [name, code, all_of_them]").replace("from pet p", "from pets p"),
            "E310",
            "pets",
            'relation "pets" does not exist in the source',
        ),
        (
            query("same: [name, code, all_of_them]").replace("key: id\n", "key: no\n"),
            "E311",
            "no",
            'column "no" does not exist in the query of "pets"',
        ),
    ],
)
def test_what_is_wrong_with_a_query(spec: str, code: str, at: str, message: str, tmp_path: Path) -> None:
    """At the character inside the query, or at the query."""
    assert refused(tmp_path, spec)[0] == (code, at, message)


PARTITION = "partition: {by: range, on: seen, every: month, from: 2025-01, until: 2025-04}"


def test_the_key_of_a_partitioned_table_has_the_partition_column(tmp_path: Path) -> None:
    """PostgreSQL wants it so; the reviewer is told, and the column is filled."""
    ordered = compiled(
        tmp_path, pets("legacy_id: id\nseen: seen\nnext: {ref: pets, by: chips}".replace("chips", "id"), PARTITION)
    )
    found = table(ordered)
    assert found.indexes[0].definition == "ALTER TABLE app.pets ADD CONSTRAINT pets_pkey PRIMARY KEY (id, seen)"
    assert (column(ordered, "seen").null, column(ordered, "seen").guards[0].reason) == (False, "seen is null")
    reference = column(ordered, "next").reference
    assert reference is not None
    assert reference.why_not == "pets is partitioned: its key is unique only together with the partition column"
    assert [(found.code, characters(found)) for found in ordered.resolved.warnings] == [("W503", "seen")]


@pytest.mark.parametrize(
    "rest, code, at",
    [
        (PARTITION.replace("seen", "sen"), "E313", "sen"),
        (PARTITION.replace("seen", "label"), "E508", "label"),
        (PARTITION.replace("month", "day").replace("2025-04", "2035-01"), "E508", "range"),
        (f"{PARTITION}\nindexes: [{{columns: [label], unique: true}}]", "E508", "[label]"),
        ("partition: {by: list, on: kind, values: {cats: [1, x]}}", "E508", "cats"),
    ],
)
def test_partitions_that_cannot_be(rest: str, code: str, at: str, tmp_path: Path) -> None:
    """Too many, of a column that is not there, by dates where there are none."""
    columns = "legacy_id: id\nseen: seen\nlabel: name\nkind: kind"
    found = [error[:2] for error in refused(tmp_path, pets(columns, rest)) if error[0] != "E601"]
    assert found == [(code, at)]


@pytest.mark.parametrize(
    "rest, code, at, message",
    [
        ("where: kind", "E509", "kind", '"where" is to be true or false, and this is of type smallint'),
        ("checks: {a: nmae = ''}", "E311", "nmae", 'column "nmae" does not exist in target table "pets"'),
        (
            "checks: {a: label}",
            "E509",
            "label",
            "a condition is true or false, and this is of type character varying(40)",
        ),
        ("indexes: [{columns: [nmae]}]", "E313", "nmae", 'column "nmae" does not exist in target table "pets"'),
        (
            "indexes: [{columns: [label], where: s.label = ''}]",
            "E311",
            "s.label",
            'nothing is called "s" here: columns have no prefix here',
        ),
        (
            "indexes: [{columns: [label], name: owners}]",
            "E321",
            "[label]",
            'index "owners" is called like the table of "owners"',
        ),
        ("after: [owner]", "E316", "owner", 'after: table "owner" is not migrated by this project'),
        (
            "verify: [{name: n, source: select count(*) from pets, target: select 1}]",
            "E310",
            "pets",
            'relation "pets" does not exist in the source',
        ),
        (
            "verify: [{name: n, source: select 1, target: select count(*) from pet}]",
            "E310",
            "pet",
            'relation "pet" does not exist in the target',
        ),
        ("drop: {nmae: gone}", "E607", "nmae", 'drop: column "nmae" does not exist in source "pet"'),
    ],
)
def test_what_is_wrong_around_the_columns(rest: str, code: str, at: str, message: str, tmp_path: Path) -> None:
    """Filters, checks, indexes, comparisons."""
    found = [error for error in refused(tmp_path, pets("legacy_id: id\nlabel: name", rest)) if error[0] != "E601"]
    assert found == [(code, at, message)]


def test_a_column_that_an_expression_reads_is_not_dropped(tmp_path: Path) -> None:
    """A filter may read what is dropped: it is dropped after that."""
    loose = ", ".join(f"{name}: unused" for name in COLUMNS[1:] if name != "name")
    rest = f"where: s.kind > 0\ndrop: {{{loose}}}"
    assert table(compiled(tmp_path, pets("legacy_id: id\nname: name", rest))).where == "s.kind > 0"
    found = refused(tmp_path, pets('legacy_id: id\nname: {sql: "s.name || s.born"}', rest))
    assert found == [("E608", "born", 'column "born" is dropped, and "name" is made of it')]


def test_comparisons_get_their_schemas(tmp_path: Path) -> None:
    """They run with an empty search_path."""
    rest = "verify: [{name: n, source: select count(*) from pet, target: select count(*) from pets}]"
    (found,) = table(compiled(tmp_path, pets("legacy_id: id\nname: name", rest))).verify
    assert (found.source, found.target) == ("select count(*) from public.pet", "select count(*) from app.pets")


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    """Of every table, sorted by place; what follows from another mistake is not told."""
    owner = OWNER.replace("from: owner", "from: ownr")
    columns = "legacy_id: id\na: {ref: owners, by: owner_id}\nb: {from: chips, type: integer}\nc: nmae"
    found = refused(tmp_path, pets(columns), owner=owner)
    assert [(code, at) for code, at, _ in found] == [("E310", "ownr"), ("E501", "integer"), ("E311", "nmae")]
