"""Reading the next chunk overlaps writing the current one, as far as the room allows."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import psycopg
import pytest

from runner import journal
from tests.pg.compiled import Projects

TABLE = "id integer PRIMARY KEY, body text NOT NULL"
SOURCE = f"""CREATE TABLE public.page ({TABLE});
INSERT INTO public.page SELECT n, repeat('x', 100000) FROM generate_series(1, 400) AS n; ANALYZE"""
# A checkpoint waits until a test lets it go on: the rows of its chunk are written, and not committed.
HOLD = """CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN NEW; END $$;
CREATE TRIGGER wait BEFORE UPDATE ON transhume.chunk FOR EACH ROW EXECUTE FUNCTION public.wait()"""
HELD = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event_type = 'Lock' AND query LIKE 'UPDATE transhume.chunk%'"""
SPEC = """\
table: pages
from: page
key: [id]
same: [body, id]
chunk: {rows: 100, max: 100}
direct: DIRECT
"""
COPIES = """SELECT query FROM pg_stat_activity WHERE application_name LIKE 'transhume:%'
            AND datname = current_database() AND query LIKE '%TO STDOUT%'"""


@pytest.mark.parametrize("direct", ["true", "false"])
def test_the_next_chunk_is_read_meanwhile(projects: Projects, direct: str) -> None:
    """While the target holds back the first chunk, the source is copying another one, or has done so."""
    migration = projects(SOURCE, {"pages": SPEC.replace("DIRECT", direct)})
    thread = threading.Thread(target=migration.apply, kwargs={"jobs": 1})
    deadline = time.monotonic() + 60
    with closing(psycopg.connect(migration.target, autocommit=True)) as session:
        journal.create(session)
        session.execute(HOLD)
        session.execute("SELECT pg_advisory_lock(77)")
        thread.start()
        while migration.ask(HELD) == [(0,)]:
            assert time.monotonic() < deadline
            assert thread.is_alive()
        while not any("'200'" in query for (query,) in migration.ask_source(COPIES)):
            assert time.monotonic() < deadline
            assert migration.ask(HELD) == [(1,)]
        committed = migration.ask("SELECT count(*) FROM transhume.chunk")
        session.execute("SELECT pg_advisory_unlock(77)")
    thread.join(60)

    assert committed == [(0,)]
    assert migration.ask("SELECT count(*) FROM app.pages") == [(400,)]
