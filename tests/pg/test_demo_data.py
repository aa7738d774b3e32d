"""The demo's legacy data: the same rows on every server, with the dirt that its first lines promise."""

import re
from importlib.resources import files

import psycopg
import pytest

from runner.demo import fill
from tests.conftest import Databases

TABLES = (
    *("auth_user", "django_content_type", "django_session", "dispatch_office", "dispatch_profile"),
    *("dispatch_doctor", "dispatch_patient", "dispatch_order", "dispatch_comment"),
)
PAIR = "EXISTS (SELECT FROM {0} AS o WHERE o.id < t.id AND lower(o.email) = lower(t.email)) AND t.email <> ''"
NO_DATE = "{0} !~ '^[0-9]{{2}}[.][0-9]{{2}}[.][0-9]{{4}}$' OR {0} LIKE '00%' OR {0} LIKE '31.02%'"
ORPHAN = "{0} NOT IN (SELECT id FROM {1})"
# how deep the deepest comment is that a root leads to, and how many cycles there are
THREADS = """WITH RECURSIVE node AS (
    SELECT c.id, 0 AS depth FROM dispatch_comment AS c
    WHERE c.parent_id IS NULL OR NOT EXISTS (SELECT FROM dispatch_comment AS p WHERE p.id = c.parent_id)
    UNION ALL
    SELECT c.id, n.depth + 1 FROM node AS n JOIN dispatch_comment AS c ON c.parent_id = n.id
) SELECT max(depth) FROM node"""
RINGS = """WITH RECURSIVE up AS (
    SELECT id AS start, parent_id AS at, ARRAY[id] AS way FROM dispatch_comment
    UNION ALL
    SELECT u.start, c.parent_id, u.way || c.id FROM up AS u JOIN dispatch_comment AS c ON c.id = u.at
    WHERE u.at <> u.start AND cardinality(u.way) < 9
) SELECT count(DISTINCT (SELECT min(key) FROM unnest(way) AS key)) FROM up WHERE at = start"""
UP = """WITH RECURSIVE up AS (
          SELECT id AS start, parent_id AS at, 1 AS steps FROM dispatch_comment
          UNION ALL
          SELECT u.start, c.parent_id, u.steps + 1 FROM up AS u JOIN dispatch_comment AS c ON c.id = u.at
          WHERE u.at <> u.start AND u.steps < 40
        )"""
CIRCLE = f"id IN ({UP} SELECT start FROM up WHERE at = start)"

# as legacy.sql names it, in the order in which it does: the table, the promised percent, how to find such rows
DIRT = [
    ("auth_user", 0.1, PAIR.format("auth_user")),
    ("dispatch_profile", 0.1, "user_type NOT BETWEEN 1 AND 5"),
    ("dispatch_profile", 0.1, "settings <> '' AND settings NOT LIKE '%}}'"),
    ("dispatch_profile", 0.1, ORPHAN.format("office_id", "dispatch_office")),
    ("dispatch_doctor", 0.3, ORPHAN.format("office_id", "dispatch_office")),
    ("dispatch_patient", 0.3, NO_DATE.format("dob")),
    ("dispatch_patient", 0.2, PAIR.format("dispatch_patient")),
    ("dispatch_patient", 0.05, ORPHAN.format("office_id", "dispatch_office")),
    ("dispatch_patient", 0.5, ORPHAN.format("doctor_id", "dispatch_doctor")),
    ("dispatch_patient", 0.02, "balance IS NULL"),
    ("dispatch_order", 0.2, ORPHAN.format("patient_id", "dispatch_patient")),
    ("dispatch_order", 0.1, ORPHAN.format("office_id", "dispatch_office")),
    ("dispatch_order", 0.1, "status NOT BETWEEN 0 AND 5"),
    ("dispatch_order", 0.05, "tax_rate = 'n/a'"),
    ("dispatch_order", 0.05, NO_DATE.format("due")),
    ("dispatch_order", 0.05, "total < 0"),
    ("dispatch_order", 0.02, "total IS NULL"),
    ("dispatch_order", 0.3, "is_void"),
    ("dispatch_comment", 1, ORPHAN.format("parent_id", "dispatch_comment")),
    ("dispatch_comment", 0.14, CIRCLE),
    ("dispatch_comment", 2, "is_deleted"),
]


def count(conn: psycopg.Connection[tuple[int]], table: str, where: str) -> int:
    """How many rows of a table fulfil a condition."""
    row = conn.execute(f"SELECT count(*) FROM public.{table} AS t WHERE {where}".encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.slow
def test_the_dirt_is_what_the_first_lines_promise(databases: Databases) -> None:
    """At scale 1 every sort of dirt is there, at about its share of the rows; some 200,000 rows in all."""
    lines = (files("runner.demo") / "legacy.sql").read_text(encoding="utf-8").split("\n\n", 1)[0]
    promised = [float(share) for share in re.findall(r"([\d.]+)\s+%", lines)]
    with psycopg.connect(databases.create("source")) as conn:
        fill(conn)
        conn.execute("SET search_path = public; SET enable_nestloop = off")
        rows = {table: count(conn, table, "true") for table in TABLES}
        found = [(table, share, count(conn, table, where)) for table, share, where in DIRT]
        threads = conn.execute(THREADS.encode()).fetchone()
        rings = conn.execute(RINGS.encode()).fetchone()

    assert (rows["dispatch_comment"], threads, rings) == (50_000, (30,), (20,))
    assert promised == [share for _, share, _ in DIRT]
    assert 200_000 < sum(rows.values()) < 215_000
    for table, share, dirty in found:
        wanted = rows[table] * share / 100
        assert wanted / 2 <= dirty <= wanted * 2, (table, share, dirty)


@pytest.mark.both_servers
def test_the_rows_are_the_same_everywhere(databases: Databases) -> None:
    """One digest for every server, session and day; a change of it changes what the demo shows."""
    digests = []
    for zone in ("UTC", "Asia/Tokyo"):
        with psycopg.connect(databases.create("source"), options=f"-c timezone={zone}") as conn:
            fill(conn, 0.02)
            conn.execute("SET timezone = 'UTC'")
            text = " UNION ALL ".join(f"SELECT t::text AS line FROM public.{table} AS t" for table in TABLES)
            query = f"SELECT count(*), md5(string_agg(md5(line), '' ORDER BY line COLLATE \"C\")) FROM ({text}) AS rows"
            digests.append(conn.execute(query.encode()).fetchone())

    assert digests == [(4166, "d07d03c2e5223f641c2dc9334c869341")] * 2


def test_every_scale_keeps_the_keys(databases: Databases) -> None:
    """The smallest scale fills every table; unique and foreign keys hold, sequences stand past the greatest id."""
    with psycopg.connect(databases.create("source")) as conn:
        fill(conn, 0.001)
        empty = [table for table in TABLES if not count(conn, table, "true")]
        row = conn.execute(
            "SELECT max(id) < nextval('public.dispatch_order_id_seq') FROM public.dispatch_order"
        ).fetchone()

    assert (empty, row) == ([], (True,))


def test_a_full_database_is_left_alone(databases: Databases) -> None:
    """A second fill fails, and changes nothing."""
    with psycopg.connect(databases.create("source")) as conn:
        fill(conn, 0.001)
        conn.commit()
        before = [count(conn, table, "true") for table in TABLES]
        with pytest.raises(psycopg.errors.DuplicateTable):
            fill(conn, 0.001)
        assert [count(conn, table, "true") for table in TABLES] == before
