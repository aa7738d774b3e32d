"""Mappings -> columns: their values, types and guards; what is refused, at the place where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.specs import OWNER, PROJECT, TARGET, characters, column, compiled, pets, refused, table

PLAIN = [
    ("name", "character varying(40)", "s.name", "character varying(40)", False),
    ("{from: weight}", "numeric(6,2)", "s.weight", "numeric(6,2)", True),
    ("{from: id, type: bigint}", "bigint", "s.id::bigint", "bigint", False),
    ("{from: id, type: text}", "text", "s.id::text", "text", False),
    (
        "{from: seen, type: timestamptz}",
        "timestamp with time zone",
        "(s.seen AT TIME ZONE 'Europe/Berlin')",
        "timestamp with time zone",
        True,
    ),
    (
        "{from: day, type: timestamptz}",
        "timestamp with time zone",
        "(s.day::timestamp AT TIME ZONE 'Europe/Berlin')",
        "timestamp with time zone",
        True,
    ),
    (
        "{from: day, type: timestamp, null: true}",
        "timestamp without time zone",
        "s.day::timestamp without time zone",
        "timestamp without time zone",
        True,
    ),
    ("feels", "app.mood", "s.feels", "text", True),
    ("since", "app.year", "s.since", "integer", True),
    ("home", "app.address", "s.home", "text", True),
    ("tag", "ext.citext", "s.tag", "text", True),
    ("moods", "app.mood[]", "s.moods", "text", True),
    ("{from: feels, type: text}", "text", "s.feels", "text", True),
    ("{value: 12}", "integer", "12", "integer", True),
    ("{value: x, null: false}", "text", "'x'::text", "text", False),
    ("{value: true}", "boolean", "true", "boolean", True),
    ('{value: "{}", type: jsonb}', "jsonb", "'{}'::jsonb", "jsonb", True),
    ("{json: {who: name, when: day}}", "jsonb", "jsonb_build_object('who', s.name, 'when', s.day)", "jsonb", True),
    ('{sql: "lower(s.name)"}', "text", "lower(s.name)", "text", True),
    (
        '{sql: "s.weight * 2", type: "numeric(8,2)"}',
        "numeric(8,2)",
        "(s.weight * 2)::numeric(8,2)",
        "numeric(8,2)",
        True,
    ),
    ('{sql: "s.feels", type: app.mood}', "app.mood", "s.feels", "text", True),
    (
        '{sql: "app.slug(s.name)", type: varchar(9)}',
        "character varying(9)",
        "app.slug(s.name)::text",
        "character varying(9)",
        True,
    ),
    (
        '{sql: "s.seen", type: timestamptz}',
        "timestamp with time zone",
        "(s.seen AT TIME ZONE 'Europe/Berlin')",
        "timestamp with time zone",
        True,
    ),
    (
        "{from: kind, map: {0: cat, 1: dog}}",
        "text",
        "CASE s.kind WHEN 0 THEN 'cat' WHEN 1 THEN 'dog' END",
        "text",
        True,
    ),
    (
        "{from: kind, map: {0: cat}, otherwise: {value: pet}}",
        "text",
        "CASE WHEN s.kind IS NOT NULL THEN CASE s.kind WHEN 0 THEN 'cat' ELSE 'pet' END END",
        "text",
        True,
    ),
    (
        "{from: kind, map: {0: 10}, otherwise: keep}",
        "smallint",
        "CASE s.kind WHEN 0 THEN 10::smallint ELSE s.kind END",
        "smallint",
        True,
    ),
]


@pytest.mark.parametrize("mapping, type, value, wire, null", PLAIN)
def test_what_a_mapping_becomes(mapping: str, type: str, value: str, wire: str, null: bool, tmp_path: Path) -> None:
    """The column's type, its value over the source's row, the type that it travels as, whether it may be NULL."""
    found = column(compiled(tmp_path, pets(f"legacy_id: id\nx: {mapping}")), "x")
    assert (found.type, found.value, found.wire, found.null) == (type, value, wire, null)


GUARDED = [
    ("{from: owner_id, null: false}", [("s.owner_id IS NOT NULL", "owner_id is null", "23502")]),
    (
        "{from: name, type: varchar(9)}",
        [("s.name IS NULL OR char_length(s.name) <= 9", "name is longer than 9 characters", "22001")],
    ),
    ("{from: kind, map: {0: cat}}", [("s.kind IS NULL OR s.kind IN (0)", "kind has no mapping", "22000")]),
    (
        "{from: kind, map: {0: cat}, otherwise: 'null', null: false}",
        [("CASE s.kind WHEN 0 THEN 'cat' END IS NOT NULL", "the value of x is null", "23502")],
    ),
    (  # a value that is not listed has no mapping; that it so has no value either says less
        "{from: kind, type: text, map: {0: cat, 1: null}, null: false}",
        [
            ("s.kind IS NULL OR s.kind IN (0, 1)", "kind has no mapping", "22000"),
            ("CASE s.kind WHEN 0 THEN 'cat' WHEN 1 THEN NULL::text END IS NOT NULL", "the value of x is null", "23502"),
        ],
    ),
    (
        "{from: kind, type: text, map: {0: cat}, otherwise: {value: pet}, null: false}",
        [("s.kind IS NOT NULL", "kind is null", "23502")],
    ),
    ('{sql: "lower(s.born)", null: false}', [("lower(s.born) IS NOT NULL", "the value of x is null", "23502")]),
    ('{sql: "s.born::integer", null: false}', []),  # a guard that raises is none
    ("{json: {who: name}, null: false}", []),
    ("name", []),
]


@pytest.mark.parametrize("mapping, guards", GUARDED)
def test_what_guards_a_column(mapping: str, guards: list[tuple[str, str, str]], tmp_path: Path) -> None:
    """NOT NULL and casts are tested in the load itself, where a test cannot raise."""
    found = column(compiled(tmp_path, pets(f"legacy_id: id\nx: {mapping}")), "x")
    assert [(guard.ok, guard.reason, guard.sqlstate) for guard in found.guards] == guards


REFUSED = [
    ("{from: chips, type: integer}", "E501", "integer", 'column "chips" (bigint) cannot become integer'),
    ("{from: weight, type: integer}", "E501", "integer", 'column "weight" (numeric(6,2)) cannot become integer'),
    ("{from: kind, type: boolean}", "E501", "boolean", 'column "kind" (smallint) cannot become boolean'),
    ("{from: home, type: integer}", "E501", "integer", 'column "home" (public.address) cannot become integer'),
    (
        "{from: name, type: nonsense}",
        "E314",
        "nonsense",
        'type "nonsense" is neither PostgreSQL\'s own nor in the catalog of the target',
    ),
    (
        "{from: name, type: app.moods}",
        "E314",
        "app.moods",
        'type "app.moods" is neither PostgreSQL\'s own nor in the catalog of the target',
    ),
    ("nmae", "E311", "nmae", 'column "nmae" does not exist in source "pet"'),
    ("{value: null}", "E502", "{value: null}", "the type of nothing cannot be told"),
    ('{sql: "app.slug(s.name)"}', "E502", '{sql: "app.slug(s.name)"}', "the type of the expression cannot be told"),
    ("{value: x, type: integer}", "E503", "{value: x, type: integer}", '"x" is no integer'),
    ("{value: angry, type: mood}", "E503", "{value: angry, type: mood}", '"angry" is none of the labels of app.mood'),
    ("{from: kind, map: {0: cat, many: dog}}", "E503", "many", '"many" is no smallint'),
    ("{from: kind, map: {0: cat, '0': dog}}", "E106", "'0'", 'key "0" is written twice'),
    (
        "{from: kind, map: {0: cat, 1: true}}",
        "E502",
        "{from: kind, map: {0: cat, 1: true}}",
        "the values of the map are of several kinds",
    ),
    ("{from: feels, map: {angry: 1}}", "E503", "angry", '"angry" is none of the labels of public.mood'),
    (
        "{from: day, type: date, format: DD.MM.YYYY}",
        "E505",
        "DD.MM.YYYY",
        'a format reads texts, and column "day" is of type date',
    ),
    (
        "{from: born, type: date, format: DD.MM}",
        "E505",
        "DD.MM",
        "the format does not say which day: it needs YYYY, MM and DD",
    ),
    (
        "{from: born, type: date, format: DD.XX.YYYY}",
        "E505",
        "DD.XX.YYYY",
        '"XX.YYYY" in the format is no token of a date or a time; put letters in double quotes',
    ),
    (
        "{from: born, type: date, format: DD.MM.YYYY HH24:MI}",
        "E505",
        "DD.MM.YYYY HH24:MI",
        "the time of day in the format would be lost in a date",
    ),
    ("{ref: owner, by: owner_id}", "E315", "owner", 'table "owner" is not migrated by this project'),
    (
        "{ref: owners, by: name}",
        "E504",
        "name",
        '"name" (character varying(40)) does not match "id" (integer) of source "owner"',
    ),
    (
        "{ref: owners, by: [owner_id, kind]}",
        "E507",
        "{ref: owners, by: [owner_id, kind]}",
        '"by" names 2 columns, and the source of "owners" has 1 columns',
    ),
    (
        "{ref: owners, by: owner_id, missing: 'null', null: false}",
        "E506",
        "{ref: owners, by: owner_id, missing: 'null', null: false}",
        '"x" is NOT NULL, and a missing reference is to become NULL',
    ),
    ("{ref: owners, by: owner_code, on: cod}", "E311", "cod", 'column "cod" does not exist in source "owner"'),
    ('{sql: "s.name::mood", type: mood}', "E407", "mood", 'type "mood" is none of PostgreSQL\'s own'),
]


@pytest.mark.parametrize("mapping, code, at, message", REFUSED)
def test_what_is_refused(mapping: str, code: str, at: str, message: str, tmp_path: Path) -> None:
    """With its code, at its characters, in one sentence."""
    assert refused(tmp_path, pets(f"legacy_id: id\nx: {mapping}")) == [(code, at, message)]


def test_a_reference_to_a_derived_key_is_computed(tmp_path: Path) -> None:
    """From the column alone: no map, no order between the loads, and the source can compute it too."""
    found = column(compiled(tmp_path, pets("legacy_id: id\nowner: {ref: owners, by: owner_id}")), "owner")
    assert "convert_to('owners:' || s.owner_id::text, 'UTF8')" in found.value
    assert (found.type, found.null, found.lookup, found.guards) == ("uuid", True, None, ())
    assert found.comparable == found.value
    assert found.reference is not None
    assert (found.reference.table, found.reference.column, found.reference.derived) == ("owners", "id", True)
    assert found.reference.constrained


def test_a_reference_by_another_column_is_looked_up(tmp_path: Path) -> None:
    """In the map of the other table, which is kept for that; what is not in it is set aside."""
    ordered = compiled(tmp_path, pets("legacy_id: id\nowner: {ref: owners, by: owner_code, on: code}"))
    found, kept = column(ordered, "owner"), table(ordered, "owners").map_table
    assert (found.value, found.comparable) == ("m_owner.id", None)
    assert found.lookup is not None
    assert found.lookup.match == (("legacy_code", "s.owner_code"),)
    assert [(guard.ok, guard.reason, guard.sqlstate) for guard in found.guards] == [
        ("s.owner_code IS NULL OR m_owner.id IS NOT NULL", "owner_code has no row in owners", "23503")
    ]
    assert kept is not None
    assert ([source.name for source in kept.legacy], kept.lookups, kept.key) == (["id", "code"], (("code",),), ("id",))


def test_a_column_that_may_hold_a_key_twice_is_warned_of(tmp_path: Path) -> None:
    """A row would be moved once for each."""
    ordered = compiled(tmp_path, pets("legacy_id: id\nowner: {ref: owners, by: name, on: name}"))
    assert [(found.code, characters(found)) for found in ordered.resolved.warnings] == [("W303", "owners")]


def test_a_reference_to_a_kept_key_is_its_copy(tmp_path: Path) -> None:
    """Nothing is looked up where the key stays what it was."""
    owner = OWNER.replace("{uuid: id}", "{same: id, type: bigint}").replace("columns: {legacy_id: id}\n", "")
    found = column(compiled(tmp_path, pets("legacy_id: id\nowner: {ref: owners, by: owner_id}"), owner=owner), "owner")
    assert (found.value, found.type, found.lookup, found.copies) == ("s.owner_id::bigint", "bigint", None, "owner_id")


def test_a_shared_key_is_followed_to_its_root(tmp_path: Path) -> None:
    """A table whose key is that of another one: a reference to it is computed as one to the other."""
    ordered = compiled(
        tmp_path,
        pets("legacy_id: id\nmother: {ref: pets, by: id}", key="{id: {ref: owners, by: id}}"),
    )
    assert column(ordered, "mother").value == column(ordered, "id").value
    assert "'owners:'" in column(ordered, "mother").value


def test_keys_that_are_those_of_each_other_are_refused(tmp_path: Path) -> None:
    """There is no beginning."""
    owner = OWNER.replace("{uuid: id}", "{ref: pets, by: id}")
    found = refused(tmp_path, pets("legacy_id: id", key="{id: {ref: owners, by: id}}"), owner=owner)
    assert {code for code, _, _ in found} == {"E507"}
    assert "owners -> pets -> owners" in found[0][2]


def test_a_number_is_taken_from_the_tables_own_map(tmp_path: Path) -> None:
    """The map numbers the rows before any of them is loaded."""
    ordered = compiled(tmp_path, pets("legacy_id: id", key="{no: {identity: true}}"))
    found, kept = column(ordered, "no"), table(ordered).map_table
    assert (found.value, found.type, found.identity, found.null) == ("m_no.no", "bigint", True, False)
    assert found.lookup is not None
    assert (found.lookup.map_of, found.lookup.match) == ("pets", (("legacy_id", "s.id"),))
    assert kept is not None
    assert (kept.key, kept.numbered) == (("no",), "no")


def test_a_key_that_the_source_numbers_goes_on_being_numbered(tmp_path: Path) -> None:
    """Else the application's first new row would have no key."""
    owner = OWNER.replace("{uuid: id}", "{same: id}").replace("columns: {legacy_id: id}\n", "")
    ordered = compiled(tmp_path, owner=owner)
    assert column(ordered, "id", "owners").identity
    assert table(ordered, "owners").legacy_key == ("id",)


def test_a_map_is_kept_where_no_column_keeps_the_key(tmp_path: Path) -> None:
    """Somebody will ask where legacy row 4711 went."""
    ordered = compiled(tmp_path, pets("label: name"))
    kept = table(ordered).map_table
    assert kept is not None
    assert [source.name for source in kept.legacy] == ["id"]
    assert table(ordered).legacy_key == ()
    assert table(ordered, "owners").map_table is None
    assert table(ordered, "owners").legacy_key == ("legacy_id",)


def test_an_unsteady_key_is_refused(tmp_path: Path) -> None:
    """A load that is done again would move its rows twice."""
    found = refused(tmp_path, pets("legacy_id: id", key='{id: {sql: "gen_random_uuid()", type: uuid}}'))
    assert [(code, message) for code, _, message in found] == [("E507", 'key "id" is another in another run')]


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    """A clock, a function of somebody's own; in one database the function is the same."""
    columns = 'legacy_id: id\na: {sql: "now()", type: timestamptz}\nb: {sql: "app.slug(s.name)", type: text}'
    two = compiled(tmp_path, pets(columns))
    one = compiled(tmp_path, pets(columns), project=PROJECT.replace("TARGET_", "LEGACY_"))
    assert (column(two, "a").comparable, column(two, "a").incomparable) == (None, "now() gives another value each time")
    assert column(two, "b").incomparable == "app.slug() need not be the same in the source"
    assert (column(one, "b").comparable, one.resolved.databases) == ("app.slug(s.name)::text", 1)
    assert [found.code for found in two.resolved.warnings] == ["W401"]


def test_version_5_needs_its_extension(tmp_path: Path) -> None:
    """In the target; where the source lacks it, ids are not compared."""
    project = PROJECT.replace("version: 3", "version: 5")
    (found, *_) = refused(tmp_path, pets(), project=project)
    assert found[:2] == ("E317", "5")
    target = TARGET.replace("citext: ext", 'citext: ext, uuid-ossp: "Ext"')
    made = column(compiled(tmp_path, pets(), project=project, target=target), "id")
    assert made.value.startswith("\"Ext\".uuid_generate_v5('1b671a64-40d5-491e-99b0-da01ff1f3341'::uuid, ")
    assert made.incomparable == "the source has no uuid-ossp"


def test_types_move_with_the_columns_that_use_them(tmp_path: Path) -> None:
    """An enum that the target has is taken as it is; a domain and a composite are made."""
    ordered = compiled(tmp_path, pets("legacy_id: id", "same: [feels, since, home]"))
    assert [(str(new.name), new.definition) for new in ordered.resolved.types] == [
        ("app.address", "CREATE TYPE app.address AS (street text, zip text)"),
        ("app.year", "CREATE DOMAIN app.year AS integer CONSTRAINT year_check CHECK (VALUE > 1900)"),
    ]


def test_an_extensions_type_needs_the_extension(tmp_path: Path) -> None:
    """It cannot be made by hand."""
    found = refused(tmp_path, pets("legacy_id: id\nx: tag"), target=TARGET.replace(", citext: ext", ""))
    assert found == [("E314", "tag", "the target will have no type public.citext")]


def test_collations_of_postgresql_stay_with_their_columns(tmp_path: Path) -> None:
    """The order of names, and which of them are equal, is part of the data."""
    assert column(compiled(tmp_path), "name", "owners").collation == 'pg_catalog."de-x-icu"'
