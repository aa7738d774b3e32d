"""A small project for tests of the compiler: owners and their pets, of every kind of column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.bound import BoundColumn, BoundTable, Ordered
from compiler.diagnostics import Diagnostic, SpecError
from compiler.pipeline import check

PROJECT = """\
project: demo
source: {env: LEGACY_DATABASE_URL, schema: public, time_zone: Europe/Berlin}
target: {env: TARGET_DATABASE_URL, schema: app}
ids: {namespace: 1b671a64-40d5-491e-99b0-da01ff1f3341, version: 3}
"""
HEAD = """\
format: 1
server: 15
encoding: UTF8
collation: C.UTF-8
"""
SOURCE = f"""\
{HEAD}
database: source
schemas: [public]
extensions: {{plpgsql: pg_catalog, citext: public}}
types:
  public.address: {{composite: {{street: text, zip: text}}}}
  public.mood: {{enum: [sad, glad]}}
  public.year: {{domain: integer, checks: {{year_check: "CHECK (VALUE > 1900)"}}}}
relations:
  public.owner:
    kind: table
    rows: 10
    columns:
      id: {{type: integer, 'null': false, default: "nextval('public.owner_id_seq'::regclass)"}}
      code: {{type: character varying(10), 'null': false}}
      name: {{type: text, collation: pg_catalog."de-x-icu"}}
    primary_key: {{name: owner_pkey, columns: [id], definition: PRIMARY KEY (id)}}
    unique: {{owner_code_key: {{columns: [code], definition: UNIQUE (code)}}}}
    sequences: {{id: public.owner_id_seq}}
  public.pet:
    kind: table
    rows: 100
    columns:
      id: {{type: integer, 'null': false}}
      owner_id: {{type: integer}}
      owner_code: {{type: character varying(10)}}
      name: {{type: character varying(40), 'null': false}}
      born: {{type: character varying(10)}}
      seen: {{type: timestamp without time zone}}
      day: {{type: date}}
      weight: {{type: "numeric(6,2)"}}
      chips: {{type: bigint}}
      kind: {{type: smallint}}
      tame: {{type: boolean}}
      feels: {{type: public.mood}}
      since: {{type: public.year}}
      home: {{type: public.address}}
      tag: {{type: public.citext}}
      moods: {{type: "public.mood[]"}}
      both: {{type: text, generated: "name || born"}}
    primary_key: {{name: pet_pkey, columns: [id], definition: PRIMARY KEY (id)}}
"""
TARGET = f"""\
{HEAD}
database: target
schemas: [app]
extensions: {{plpgsql: pg_catalog, citext: ext}}
types:
  app.mood: {{enum: [sad, glad, calm]}}
relations: {{}}
"""
OWNER = """\
table: owners
from: owner
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [code, name]
"""
COLUMNS = (
    *("id", "owner_id", "owner_code", "name", "born", "seen", "day", "weight", "chips", "kind", "tame", "feels"),
    *("since", "home", "tag", "moods"),
)


def pets(columns: str = "legacy_id: id", rest: str = "", key: str = "{id: {uuid: id}}") -> str:
    """A spec of the pets; what it does not name is dropped, unless it has a `drop:` of its own."""
    lines = "".join(f"  {line.strip()}\n" for line in columns.splitlines())
    text = f"table: pets\nfrom: pet\nkey: {key}\ncolumns:\n{lines}{rest}\n"
    loose = [name for name in COLUMNS if not re.search(rf"\b{name}\b", text)]
    return (
        text if "drop:" in rest or not loose else f"{text}drop: {{{', '.join(f'{name}: unused' for name in loose)}}}\n"
    )


def compiled(
    folder: Path,
    pet: str = "",
    *,
    owner: str = OWNER,
    project: str = PROJECT,
    source: str = SOURCE,
    target: str = TARGET,
) -> Ordered:
    """The project, written into `folder` and compiled as far as order; a test says what is special about it."""
    files = {"project.yaml": project, "catalog/source.yaml": source, "catalog/target.yaml": target}
    for name, text in (files | {"tables/owners.yaml": owner, "tables/pets.yaml": pet or pets()}).items():
        path = folder / "specs" / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return check(folder / "specs" / "demo")


def table(ordered: Ordered, id: str = "pets") -> BoundTable:
    """One of the tables."""
    return next(table for table in ordered.tables if table.id == id)


def column(ordered: Ordered, name: str, id: str = "pets") -> BoundColumn:
    """One of its columns."""
    return next(column for column in table(ordered, id).columns if column.name == name)


def characters(found: Diagnostic) -> str:
    """What a finding points at."""
    assert found.span is not None
    return found.span.text[found.span.column - 1 : found.span.column - 1 + found.span.length]


def refused(folder: Path, pet: str, **options: str) -> list[tuple[str, str, str]]:
    """The errors: code, the characters that each points at, message."""
    with pytest.raises(SpecError) as caught:
        compiled(folder, pet, **options)
    errors = [found for found in caught.value.diagnostics if found.is_error]
    return [(found.code, characters(found), found.message) for found in errors]
