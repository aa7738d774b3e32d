"""Snapshots of databases that nobody here wrote."""

import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml

from runner.embedded import Server
from runner.snapshot import catalog_text, read_catalog, write_catalog
from tests.conftest import Databases

DATA = Path(__file__).parents[3] / "shared" / "data"
REAL = {
    "chinook": (["chinook/Chinook_PostgreSql_utf8.sql"], 11),
    "northwind": (["northwind/northwind.sql"], 14),
    "pagila": (["pagila-0.10.1/pagila-schema.sql", "pagila-0.10.1/pagila-data.sql"], 28),
    "netbox-3.1": (["netbox/netbox-demo-v3.1.sql"], 122),
    "netbox-3.2": (["netbox/netbox-demo-v3.2.sql"], 131),
    "pgtypes": (["pgtypes/pg15-regress-types.sql"], 47),
}


@pytest.mark.both_servers
@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data")
@pytest.mark.parametrize("name", REAL)
def test_a_real_database_reads_back_as_it_was(name: str, databases: Databases, server: Server, tmp_path: Path) -> None:
    """Every relation is there, the file reads back equal, and a second snapshot has the same bytes."""
    dumps, relations = REAL[name]
    conninfo = databases.create("source")
    for dump in dumps:
        command = [str(server.bin / "psql"), "-qX", "-d", conninfo, "-f", str(DATA / dump)]
        subprocess.run(command, check=True, capture_output=True)
    with psycopg.connect(conninfo, autocommit=True) as conn:
        catalog = read_catalog(conn, "source", ["public"])
        again = read_catalog(conn, "source", ["public"])

    write_catalog(catalog, tmp_path / "source.yaml")

    assert len(catalog["relations"]) == relations
    assert yaml.load((tmp_path / "source.yaml").read_bytes(), yaml.CSafeLoader) == catalog
    assert catalog_text(again) == (tmp_path / "source.yaml").read_text(encoding="utf-8")
