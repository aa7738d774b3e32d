"""How many rows a relation has, as snapshots estimate it."""

import psycopg
import pytest

from runner.snapshot import read_catalog, round_rows
from tests.conftest import Databases


def rows_of(conninfo: str) -> dict[str, int]:
    """The rows of each relation, as its catalog has them."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        found = read_catalog(conn, "source", ["public"])["relations"]
    return {name: entry["rows"] for name, entry in found.items()}


@pytest.mark.both_servers
def test_rows_are_never_nonsense(databases: Databases) -> None:
    """Never analysed, analysed long ago, or hidden by a policy: the estimate stays near the truth."""
    conninfo = databases.create(
        "source",
        """
        CREATE TABLE small AS SELECT n FROM generate_series(1, 1234) AS n;
        CREATE TABLE big AS SELECT n, repeat('x', n % 100) AS filler FROM generate_series(1, 60000) AS n;
        CREATE TABLE grown AS SELECT n FROM generate_series(1, 1000) AS n;
        ANALYZE grown;
        INSERT INTO grown SELECT generate_series(1, 30000);
        CREATE TABLE bare ();
        CREATE TABLE hidden AS SELECT n FROM generate_series(1, 3000) AS n;
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
        """,
    )
    rows = rows_of(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("CREATE ROLE reader; GRANT SELECT ON hidden TO reader; SET ROLE reader")
        limited = read_catalog(conn, "source", ["public"])["relations"]
        conn.execute("RESET ROLE; DROP OWNED BY reader; DROP ROLE reader")

    assert 10_000 <= rows.pop("public.grown") <= 50_000
    assert rows == {"public.bare": 0, "public.big": 60_000, "public.hidden": 3000, "public.small": 1000}
    assert 500 <= limited["public.hidden"]["rows"] <= 10_000
    assert 100 <= limited["public.small"]["rows"] <= 5000


@pytest.mark.parametrize(
    "n, rounded", [(0, 0), (-1, 0), (7, 7), (94, 90), (95, 100), (64_999, 60_000), (65_000, 70_000), (1.4e9, 10**9)]
)
def test_rows_have_one_digit(n: float, rounded: int) -> None:
    """The number must not change every day."""
    assert round_rows(n) == rounded
