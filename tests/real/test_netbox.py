"""NetBox, a Django database, from release 3.1 to 3.2: the release's own database is the answer to compare with.

Release 3.2's tables are emptied and filled from the database of release 3.1; then each row and each column is compared
with what release 3.2 has. What differs is listed here with the reason, to the row: the test fails when a difference is
not in the list, and when one in the list is gone.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from psycopg import sql

from runner.snapshot import read_catalog
from tests.real.conftest import Connection, Project, Real, connect, count, tables

OLD, NEW = "netbox/netbox-demo-v3.1.sql", "netbox/netbox-demo-v3.2.sql"
KEPT = "django_migrations"  # the target's own migrations wrote it

# Tables whose ids Django deals out when it is installed, in the order in which it meets the models: they are compared,
# and so are references to them, by what they stand for.
CONTENT_TYPE = "(SELECT concat(n.app_label, '.', n.model) FROM public.django_content_type AS n WHERE n.id = {})"
PERMISSION = (
    "(SELECT concat(n.app_label, '.', n.model, '.', m.codename) FROM public.auth_permission AS m "
    "JOIN public.django_content_type AS n ON n.id = m.content_type_id WHERE m.id = {})"
)
NATURAL = {"django_content_type": CONTENT_TYPE, "auth_permission": PERMISSION}

LOADED = "the demo's authors loaded these rows into 3.2 anew, which stamps them"
LOGIN = "somebody logged in to 3.2, to add what is new in it"
MODULES = "the demo's authors moved interfaces into modules, which are new in 3.2"
CONTENT = "the demo's authors added rows to show what 3.2 can do"
MODELS = "3.2 has 7 models more, with 4 permissions each"

# (table, column, or what happened to whole rows): how many rows, and why
DIFFERENCES = {
    ("auth_permission", "only in the release"): (28, MODELS),
    ("auth_user", "last_login"): (1, LOGIN),
    ("auth_user", "password"): (1, LOGIN),  # with more iterations
    ("circuits_circuit", "last_updated"): (29, LOADED),
    ("dcim_device", "last_updated"): (4, LOADED),
    ("dcim_interface", "_name"): (48, MODULES),
    ("dcim_interface", "last_updated"): (64, MODULES),
    ("dcim_interface", "module_id"): (64, MODULES),
    ("dcim_interface", "name"): (48, MODULES),
    ("dcim_interface", "only in the release"): (64, MODULES),
    ("dcim_interface", "only moved"): (32, MODULES),
    ("dcim_interfacetemplate", "only in the release"): (32, MODULES),
    ("dcim_module", "only in the release"): (4, MODULES),
    ("dcim_modulebay", "only in the release"): (28, MODULES),
    ("dcim_modulebaytemplate", "only in the release"): (14, MODULES),
    ("dcim_moduletype", "only in the release"): (1, MODULES),
    ("django_content_type", "only in the release"): (7, MODELS),
    ("django_session", "only in the release"): (1, LOGIN),
    ("ipam_ipaddress", "only in the release"): (150, CONTENT),
    ("ipam_prefix", "only in the release"): (21, CONTENT),
    ("ipam_routetarget", "only in the release"): (12, CONTENT),
    ("ipam_vrf", "only in the release"): (6, CONTENT),
    ("ipam_vrf_export_targets", "only in the release"): (11, CONTENT),
    ("ipam_vrf_import_targets", "only in the release"): (11, CONTENT),
    ("users_userconfig", "data"): (1, LOGIN),  # the columns that he chose to see
}

KEYS = """SELECT c.conrelid::regclass::text, array_agg(a.attname::text ORDER BY k.n)
          FROM pg_catalog.pg_constraint AS c, unnest(c.conkey) WITH ORDINALITY AS k(attnum, n),
            pg_catalog.pg_attribute AS a
          WHERE c.contype = 'p' AND c.connamespace = 'public'::regnamespace
            AND a.attrelid = c.conrelid AND a.attnum = k.attnum GROUP BY 1"""
REFERENCES = """SELECT c.conrelid::regclass::text, a.attname::text, c.confrelid::regclass::text
                FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_attribute AS a
                  ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace"""


def content(connection: Connection, table: str, key: Iterable[str], columns: list[str]) -> dict[str, tuple[str, ...]]:
    """The rows of a table by key, each column as text; ids that Django dealt out give way to what they stand for."""
    stands = {
        column: NATURAL[to] for name, column, to in connection.execute(REFERENCES) if name == table and to in NATURAL
    }
    if table in NATURAL:
        stands["id"] = NATURAL[table]
    text = {name: sql.SQL(stands.get(name, "{}::text")).format(sql.Identifier("t", name)) for name in {*columns, *key}}
    query = sql.SQL("SELECT ROW({})::text, {} FROM public.{} AS t").format(
        sql.SQL(", ").join(text[name] for name in key),
        sql.SQL(", ").join(text[name] for name in columns),
        sql.Identifier(table),
    )
    return {row[0]: row[1:] for row in connection.execute(query)}


def differences(ours: Connection, release: Connection) -> Counter[tuple[str, str]]:
    """How many rows differ, by table and column."""
    keys: dict[str, list[str]] = dict(release.execute(KEYS).fetchall())
    found: Counter[tuple[str, str]] = Counter()
    for table, columns in tables(release, "public").items():
        moved, wanted = (content(each, table, keys[table], columns) for each in (ours, release))
        found[table, "only moved"] = len(moved.keys() - wanted.keys())
        found[table, "only in the release"] = len(wanted.keys() - moved.keys())
        for key in moved.keys() & wanted.keys():
            found.update((table, name) for name, a, b in zip(columns, moved[key], wanted[key], strict=True) if a != b)
    return +found


@pytest.fixture
def netbox(real: Real) -> Project:
    """Release 3.1's database, and release 3.2's with nothing but its migrations in it."""
    project = real("netbox", real.database("source", OLD), real.database("target", NEW))
    _, target = project.both()
    names = sql.SQL(", ").join(sql.Identifier("public", name) for name in tables(target, "public") if name != KEPT)
    target.execute(sql.SQL("TRUNCATE {}").format(names))
    return project


def schema(connection: Connection) -> dict[str, Any]:
    """The catalog's relations, without the number of their rows."""
    relations: dict[str, dict[str, Any]] = read_catalog(connection, "target", ["public"])["relations"]
    return {name: {key: value for key, value in entry.items() if key != "rows"} for name, entry in relations.items()}


def late_sequences(connection: Connection) -> list[str]:
    """The tables whose next id is taken."""
    found = []
    for name, entry in read_catalog(connection, "target", ["public"])["relations"].items():
        for column, sequence in entry.get("sequences", {}).items():
            greatest = f"SELECT coalesce(max({column}), 0) FROM {name}"
            if count(connection, f"SELECT nextval('{sequence}')") <= count(connection, greatest):
                found.append(name)
    return found


@pytest.mark.slow
def test_release_3_1_becomes_release_3_2(netbox: Project, real: Real) -> None:
    """122 tables, 72 dates that become times, 49 integers that become bigint, 4 columns that go, 33 that come.

    Rolled back, the target is as empty as it was, with every index and key; a second run ends like the first.
    """
    source, target = netbox.both()
    before = schema(target)
    netbox.compile()
    netbox.apply()
    netbox.verify()

    found = differences(target, connect(real.database("release", NEW)))
    assert found == {difference: rows for difference, (rows, _) in DIFFERENCES.items()}
    assert accounted(source, target) == []
    assert schema(target) == before
    assert late_sequences(target) == []
    netbox.rollback()

    assert schema(target) == before
    assert {name for name in before if count(target, f"SELECT count(*) FROM {name}")} == {f"public.{KEPT}"}
    netbox.apply()
    assert accounted(source, target) == []


def accounted(source: Connection, target: Connection) -> list[str]:
    """The tables that do not have as many rows as their source."""
    numbers = {name: f'SELECT count(*) FROM public."{name}"' for name in tables(source, "public") if name != KEPT}
    return [name for name, query in numbers.items() if count(source, query) != count(target, query)]


def test_init_alone_gives_specs_that_compile(netbox: Project) -> None:
    """What `init` drafts without the specs that were written by hand compiles, and says what it made up."""
    shutil.rmtree(netbox.folder / "specs/netbox/tables")
    netbox.run("snapshot", "netbox")
    printed = netbox.run("init", "netbox")
    netbox.run("plan", "netbox")

    assert "undecided: 6 columns of 5 tables" in printed
