"""Hierarchies as they are found: replies beside messages, nested sets, who reports to whom.

Each oracle reads the source and walks up in plain Python; it knows nothing of the specs.
"""

from __future__ import annotations

import gzip
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.real.conftest import DATA, Connection, Project, Real, connect, count

NAMESPACE = uuid.UUID("1b671a64-40d5-491e-99b0-da01ff1f3341")
Parents = Mapping[int, int | None]
LISTED = """SELECT key[1]::integer, action FROM transhume.reject
            WHERE run = (SELECT run FROM transhume.run ORDER BY started_at DESC LIMIT 1)"""

MESSAGES = """
CREATE TABLE irc_message (id int PRIMARY KEY, log text NOT NULL, line_no int NOT NULL, hhmm text, nick text,
  body text NOT NULL, kind text NOT NULL, starts_conversation boolean NOT NULL, UNIQUE (log, line_no));
CREATE TABLE irc_reply (message_id int NOT NULL REFERENCES irc_message, parent_id int NOT NULL REFERENCES irc_message,
  PRIMARY KEY (message_id, parent_id));
"""


def way_up(key: int, parents: Parents) -> list[int]:
    """The row, its parent, and so on up to the root."""
    way, above = [key], parents[key]
    while above is not None:
        assert above not in way
        way.append(above)
        above = parents[above]
    return way


def tops(parents: Parents) -> dict[int, tuple[int, int]]:
    """The root of each row, and how deep the row is."""
    found: dict[int, tuple[int, int]] = {}
    for key in parents:
        way, at = [key], key
        while at not in found and (above := parents[at]) is not None:
            assert len(way) <= len(parents)  # or it leads back to itself
            way.append(at := above)
        root, depth = found.get(at, (at, 0))
        found |= {one: (root, depth + place) for place, one in enumerate(reversed(way))}
    return found


def depths(parents: Parents) -> dict[int, int]:
    """How deep each row is."""
    return {key: depth for key, (_, depth) in tops(parents).items()}


def positions(parents: Parents, order: Mapping[int, tuple[object, ...]]) -> dict[int, int]:
    """The place of each row among its siblings."""
    found: Counter[int | None] = Counter()
    placed = {}
    for key in sorted(parents, key=lambda key: order[key]):
        found[parents[key]] += 1
        placed[key] = found[parents[key]]
    return placed


def children(parents: Iterable[int | None]) -> Counter[int]:
    """How many rows have how many children."""
    return Counter(Counter(parent for parent in parents if parent is not None).values())


def fill(connection: Connection, table: str, file: str) -> None:
    """COPY a compressed file into a table."""
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy,
    ):
        copy.write(gzip.decompress((DATA / file).read_bytes()))


@pytest.fixture
def irc(real: Real) -> Project:
    """84,683 messages; one that starts a conversation replies to itself, as in the data as it was published."""
    project = real("irc", real.database("source", fill=MESSAGES), real.database("target"))
    source, _ = project.both()
    fill(source, "irc_message", "irc/irc_message.tsv.gz")
    fill(source, "irc_reply", "irc/irc_reply.tsv.gz")
    source.execute("INSERT INTO irc_reply SELECT id, id FROM irc_message WHERE starts_conversation")
    return project


def compile_as_written(project: Project) -> None:
    """Without `init`: the table of replies is read beside the messages, and needs no spec of its own."""
    for command in ("snapshot", "lint", "plan"):
        project.run(command, project.name)


def replies(source: Connection) -> dict[int, list[int]]:
    """What each message replies to, itself left out, in order."""
    found: dict[int, list[int]] = {key: [] for (key,) in source.execute("SELECT id FROM irc_message")}
    for child, parent in source.execute("SELECT message_id, parent_id FROM irc_reply ORDER BY 1, 2"):
        if child != parent:
            found[child].append(parent)
    return found


Threads = Mapping[int, tuple[uuid.UUID, uuid.UUID | None, uuid.UUID, int, int]]


def threads(source: Connection, parents: Parents) -> Threads:
    """Where each message hangs: its key, its parent, its root, its depth and its place."""
    lines: dict[int, int] = dict(source.execute("SELECT id, line_no FROM irc_message").fetchall())
    key = {id: uuid.uuid3(NAMESPACE, f"messages:{id}") for id in parents}
    top, place = tops(parents), positions(parents, {id: (lines[id], id) for id in parents})
    return {
        id: (key[id], key[above] if above is not None else None, key[top[id][0]], top[id][1], place[id])
        for id, above in parents.items()
    }


def assert_threads(target: Connection, wanted: Threads) -> None:
    """Every message hangs where the model has it."""
    rows = target.execute("SELECT legacy_id, id, parent_id, thread_id, depth, position FROM app.messages").fetchall()

    assert len(rows) == len(wanted)
    assert [row for row in rows if wanted[row[0]] != row[1:]] == []


@pytest.mark.slow
def test_messages_hang_from_the_first_that_they_reply_to(irc: Project) -> None:
    """65,676 links to 84,683 messages, 2,033 of which have several; 104 levels; back, and forward again."""
    source, target = irc.both()
    said = replies(source)
    parents = {id: min(above, default=None) for id, above in said.items()}
    several = {id for id, above in said.items() if len(above) > 1}
    assert (len(said), sum(map(len, said.values())), len(several)) == (84683, 65676, 2033)
    assert max(depths(parents).values()) == DEEPEST
    wanted = threads(source, parents)
    compile_as_written(irc)
    for again in (False, True):
        irc.apply()
        irc.verify()
        assert_threads(target, wanted)
        listed = target.execute(LISTED).fetchall()
        assert sorted(listed) == [(id, "chosen") for id in sorted(several)]
        if not again:
            irc.rollback()


DEEPEST = 101  # by the first parents; by any of several, 104


@pytest.mark.slow
def test_messages_with_several_parents_are_set_aside(irc: Project) -> None:
    """What hangs from one that does not move is a root then, and listed."""
    path = irc.folder / "specs/irc/tables/messages.yaml"
    path.write_text(path.read_text().replace("several: first", "several: reject"))
    source, target = irc.both()
    said = replies(source)
    several = {id for id, above in said.items() if len(above) > 1}
    orphans = {id for id, above in said.items() if id not in several and several & set(above)}
    parents = {
        id: None if id in orphans else min(above, default=None) for id, above in said.items() if id not in several
    }
    compile_as_written(irc)
    irc.apply()
    irc.verify()

    assert_threads(target, threads(source, parents))
    listed = set(target.execute(LISTED).fetchall())
    assert listed == {(id, "rejected") for id in several} | {(id, "rooted") for id in orphans}


MPTT = {
    "dcim_region": 67, "dcim_sitegroup": 3, "dcim_location": 4, "dcim_inventoryitem": 0, "tenancy_tenantgroup": 1,
    "tenancy_contactgroup": 2, "wireless_wirelesslangroup": 0,
}  # fmt: skip
SLIM = """DO $$ DECLARE t text; c text; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL ({tables}) LOOP
    EXECUTE format('DROP TABLE public.%I CASCADE', t);
  END LOOP;
  FOR t, c IN SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
      AND {columns} <> '{{}}' AND column_name <> ALL ({columns}) LOOP
    EXECUTE format('ALTER TABLE public.%I DROP COLUMN %I CASCADE', t, c);
  END LOOP;
END $$"""


def slim(conninfo: str, tables: Iterable[str], columns: Iterable[str] = ()) -> str:
    """The database with these tables and no more, and of their columns only these, if any are named."""
    with connect(conninfo) as connection:
        lists = {name: sql.Literal(list(words)) for name, words in (("tables", tables), ("columns", columns))}
        connection.execute(sql.SQL(SLIM).format(**lists))
    return conninfo


@pytest.mark.parametrize("release", ["3.1", "3.2"])
def test_nested_sets_of_netbox(release: str, real: Real) -> None:
    """Seven trees of mptt, by their ends alone: parents and levels are those that mptt keeps beside them."""
    dump = f"netbox/netbox-demo-v{release}.sql"
    columns = ("id", "lft", "rght", "tree_id", "level", "parent_id")
    source = slim(real.database("source", dump), MPTT, columns)
    project = real("mptt", source, real.database("target"))
    project.compile()
    project.apply()
    project.verify()

    _, target = project.both()
    for table, rows in MPTT.items():
        query = f"""SELECT c.legacy_id, c.legacy_parent_id, p.legacy_id, c.level, c.depth FROM app.{table} AS c
                    LEFT JOIN app.{table} AS p ON p.id = c.parent_id"""
        found = target.execute(query.encode()).fetchall()
        assert len(found) == rows
        assert [row for row in found if row[1] != row[2] or row[3] != row[4]] == []
    assert count(target, "SELECT count(*) FROM transhume.reject") == 0
    deepest = target.execute("SELECT max(depth), count(parent_id) FROM app.dcim_region").fetchone()
    assert deepest == REGIONS


REGIONS = (2, 61)

ROOTS = """SELECT c.{0}, b.{0}, r.{0}, c.level, c.position, c.path FROM app.{1} AS c
           LEFT JOIN app.{1} AS b ON b.id = c.boss_id JOIN app.{1} AS r ON r.id = c.chief_id"""


def test_who_reports_to_whom(real: Real, tmp_path: Path) -> None:
    """Northwind's reports_to and Chinook's ReportsTo, as columns say it."""
    source = slim(real.database("source", "northwind/northwind.sql"), ["employees"])
    chinook = connect(real.database("other", "chinook/Chinook_PostgreSql_utf8.sql"))
    dump(chinook, source, tmp_path)
    project = real("bosses", source, real.database("target"))
    project.compile()
    project.apply()
    project.verify()

    legacy, target = project.both()
    for asked, name, table in (
        ("SELECT employee_id, reports_to, hire_date FROM employees", "employee_id", "employees"),
        ('SELECT "EmployeeId", "ReportsTo", "HireDate" FROM "Employee"', "id", "staff"),
    ):
        rows = legacy.execute(asked.encode()).fetchall()
        parents = {key: above for key, above, _ in rows}
        level, place = depths(parents), positions(parents, {key: (hired, key) for key, _, hired in rows})
        wanted = {
            key: (above, way_up(key, parents)[-1], level[key], place[key],
                  "/".join(f"{place[one]:06}" for one in reversed(way_up(key, parents))))
            for key, above in parents.items()
        }  # fmt: skip
        found = target.execute(ROOTS.format(name, table).encode()).fetchall()
        assert {row[0]: row[1:] for row in found} == wanted
        assert (len(found), max(level.values())) == {"employees": (9, 2), "staff": (8, 2)}[table]


def dump(chinook: Connection, source: str, here: Path) -> None:
    """Chinook's employees beside Northwind's."""
    columns = chinook.execute(
        """SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
           FROM pg_attribute WHERE attrelid = '"Employee"'::regclass AND attnum > 0"""
    ).fetchone()
    assert columns is not None
    with psycopg.connect(source, autocommit=True) as other:
        other.execute(f'CREATE TABLE "Employee" ({columns[0]}, PRIMARY KEY ("EmployeeId"))'.encode())
        file = here / "employees"
        with chinook.cursor() as cursor, cursor.copy('COPY "Employee" TO STDOUT') as copy:
            file.write_bytes(b"".join(bytes(block) for block in copy))
        with other.cursor() as cursor, cursor.copy('COPY "Employee" FROM STDIN') as copy:
            copy.write(file.read_bytes())
