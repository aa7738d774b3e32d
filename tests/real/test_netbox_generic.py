"""NetBox with new keys: everything that Django's generic references point at gets one, and they have to follow.

The oracle reads the two databases and nothing of the specs: for each generic reference of the source it says which row
is meant, by Django's own table of types, and which row of the target that has become.
"""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from tests.real.conftest import Connection, Project, Real, count

OLD = "netbox/netbox-demo-v3.1.sql"
NAMESPACE = uuid.UUID("1b671a64-40d5-491e-99b0-da01ff1f3341")
# table, column of the type, column of the id, how many rows are there
GENERIC = [
    ("dcim_cable", "termination_a_type_id", "termination_a_id", 108),
    ("dcim_cable", "termination_b_type_id", "termination_b_id", 108),
    ("dcim_cablepath", "origin_type_id", "origin_id", 154),
    ("dcim_cablepath", "destination_type_id", "destination_id", 154),
    ("extras_taggeditem", "content_type_id", "object_id", 72),
    ("tenancy_contactassignment", "content_type_id", "object_id", 3),
    ("django_admin_log", "content_type_id", "object_id", 12),
    ("ipam_vlangroup", "scope_type_id", "scope_id", 7),
]

# How many of them refer to which table, counted in the dump.
REFERRED = Counter(
    dcim_interface=280, dcim_site=81, dcim_poweroutlet=78, dcim_powerport=78, circuits_circuittermination=32,
    dcim_frontport=24, circuits_providernetwork=13, auth_user=10, dcim_rearport=6, auth_group=1,
    extras_customfield=1, nothing=14,
)  # fmt: skip


@pytest.fixture
def netbox(real: Real) -> Project:
    """Release 3.1's database, and an empty one."""
    return real("netbox_generic", real.database("source", OLD), real.database("target"))


def new_key(target: Connection, table: str, id: str) -> str | None:
    """The new key of a row: read from the target, and, where it is a UUID, computed in Python; None: no such row."""
    row = target.execute(f"SELECT id::text FROM app.{table} WHERE legacy_id = %s".encode(), [int(id)]).fetchone()
    if row is None:
        return None
    if table != "dcim_frontport":
        assert row[0] == str(uuid.uuid3(NAMESPACE, f"{table}:{id}"))
    return str(row[0])


def wrong(
    source: Connection, target: Connection, table: str, type: str, id: str
) -> tuple[int, list[str], Counter[str]]:
    """The rows of a table, those that do not refer to what is meant, and how many refer to each table."""
    names: dict[int, str] = dict(
        source.execute("SELECT id, concat(app_label, '_', model) FROM django_content_type").fetchall()
    )
    found: dict[int, str | None] = dict(
        target.execute(f"SELECT legacy_id, {id}::text FROM app.{table}".encode()).fetchall()
    )
    bad, counted = [], Counter[str]()
    rows = source.execute(f"SELECT id, {type}, {id}::text FROM {table}".encode()).fetchall()
    for key, kind, old in rows:
        wanted = new_key(target, names[kind], old) if kind is not None and old is not None else None
        counted[names[kind] if wanted else "nothing"] += 1
        if key not in found or found[key] != wanted:
            bad.append(f"{table} {key}: {found.get(key, 'is not there')}, and {wanted} is meant")
    return len(rows), bad, counted


@pytest.mark.slow
def test_generic_references_follow(netbox: Project) -> None:
    """Eight generic references to ten tables, by name and by number, computed and looked up; back and forward again."""
    source, target = netbox.both()
    netbox.compile()
    for again in (False, True):
        netbox.apply()
        netbox.verify()
        referred = Counter[str]()
        for table, type, id, rows in GENERIC:
            there, bad, counted = wrong(source, target, table, type, id)
            assert (there, bad) == (rows, [])
            referred += counted
        assert referred == REFERRED
        assert count(target, "SELECT count(*) FROM transhume.reject WHERE action <> 'nulled'") == 0
        if not again:
            netbox.rollback()


@pytest.mark.slow
def test_a_type_that_nobody_mapped(netbox: Project) -> None:
    """A type that is not listed sets its rows aside, under its name; `transhume rejects` tells them one by one."""
    path = netbox.folder / "specs/netbox_generic/tables/dcim_cable.yaml"
    path.write_text(path.read_text().replace("        dcim.frontport: dcim_frontport\n", ""))
    project = netbox.folder / "specs/netbox_generic/project.yaml"
    project.write_text(project.read_text().replace("rejected: 0", "rejected: 50%"))
    source, target = netbox.both()
    netbox.compile()
    netbox.apply()

    front = "(SELECT id FROM django_content_type WHERE model = 'frontport')"
    cables = count(
        source, f"SELECT count(*) FROM dcim_cable WHERE {front} IN (termination_a_type_id, termination_b_type_id)"
    )
    aside = target.execute(
        "SELECT reason, count(*) FROM transhume.reject WHERE table_id = 'dcim_cable' GROUP BY 1"
    ).fetchall()
    assert cables == 24
    assert aside == [("termination_b_type_id 30 (dcim.frontport) means no table", cables)]
    assert count(target, "SELECT count(*) FROM app.dcim_cable") == 108 - cables
