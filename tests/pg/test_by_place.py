"""Tables without a key: their rows are told by where they are, in one view of the source, which a load may lose."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from runner.accounting import Account
from runner.errors import RunnerError
from tests.pg.compiled import Found, Projects, found
from tests.pg.migration import Migration

ROWS = 1200
COLUMNS = "v integer, note text, padding text"
SOURCES = {
    "table": f"CREATE TABLE public.visit ({COLUMNS})",
    "partitioned": f"""CREATE TABLE public.visit ({COLUMNS}) PARTITION BY RANGE (v);
        CREATE TABLE public.visit_1 PARTITION OF public.visit FOR VALUES FROM (1) TO (500);
        CREATE TABLE public.visit_2 PARTITION OF public.visit DEFAULT""",
}
FILL = f"""INSERT INTO public.visit
SELECT n, CASE WHEN n % 300 > 0 THEN 'visit ' || n END, repeat('x', 300) FROM generate_series(1, {ROWS}) AS n;
ANALYZE public.visit;"""
SPEC = """\
table: visits
from: visit
columns:
  note: {from: note, null: false}
  share: {sql: "100 / (s.v - 777)", type: integer}
same: [v, padding]
chunk: {rows: 20, max: 20}
"""
ASIDE = 5  # four notes that are null, and a division by zero
CHUNKS = "SELECT count(*) FROM transhume.chunk WHERE loaded IS NOT NULL"
RANGES = "SELECT count(*) FROM transhume.range"
EXPORTS = "query ~ 'export_snapshot|SELECT 1$'"
EXPORTER = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'transhume:%'
               AND datname = current_database() AND state = 'idle in transaction' AND {EXPORTS}"""
READERS = f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'transhume:%'
              AND datname = current_database() ORDER BY {EXPORTS} LIMIT {{}}"""


@pytest.fixture(params=SOURCES)
def migration(projects: Projects, request: pytest.FixtureRequest) -> Migration:
    """From a table without a key."""
    return projects(f"{SOURCES[request.param]};{FILL}", {"visits": SPEC})


@pytest.fixture
def undisturbed(projects: Projects) -> Callable[[Migration], tuple[Found, Found]]:
    """What a run without trouble gives from the same source as it is now."""

    def run(migration: Migration) -> tuple[Found, Found]:
        quiet = projects.between(migration.source, projects.databases.create("target"), {"visits": SPEC})
        quiet.apply()
        return found(quiet, "visits")

    return run


def is_right(migration: Migration) -> None:
    """Every row once, and every row set aside once."""
    assert migration.ask("SELECT count(*), count(DISTINCT v) FROM app.visits") == [(ROWS - ASIDE, ROWS - ASIDE)]
    verdict = migration.verify()
    assert verdict.green
    assert verdict.accounts == (Account("visits", ROWS, ROWS - ASIDE, ROWS - ASIDE, 0, ASIDE, 0, ASIDE, 0),)


def test_ranges_side_by_side(migration: Migration) -> None:
    """Many ranges of several chunks each; each row set aside with its values."""
    migration.apply(jobs=3)

    assert migration.ask(RANGES)[0][0] > 8
    assert migration.ask(CHUNKS)[0][0] > 30
    raw = migration.ask("SELECT raw -> 'v', reason, sqlstate FROM transhume.reject ORDER BY 1")
    assert raw == [
        *((n, "note is null", "23502") for n in (300, 600)), (777, "division by zero", "22012"),
        *((n, "note is null", "23502") for n in (900, 1200)),
    ]  # fmt: skip
    is_right(migration)


@pytest.mark.parametrize("point", ["after-copy:20", "after-commit:30"])
def test_killed(migration: Migration, undisturbed: Callable[[Migration], object], point: str) -> None:
    """After a crash another view is all that there is: the load starts anew, though rows have moved in between."""
    done = migration.command("apply", TRANSHUME_FAILPOINT=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert migration.ask(CHUNKS)[0][0] > 15
    migration.ask_source("UPDATE public.visit SET padding = padding || 'y'")

    migration.apply()

    assert migration.ask("SELECT count(*) FROM transhume.event WHERE what = 'started anew'") == [(1,)]
    assert migration.ask("SELECT count(DISTINCT epoch) FROM transhume.chunk") == [(1,)]
    assert found(migration, "visits") == undisturbed(migration)
    is_right(migration)


@contextmanager
def at_work(migration: Migration, **options: object) -> Iterator[None]:
    """Apply in a thread; the block is entered amid the load, and left once the run has ended."""
    errors: list[BaseException] = []

    def apply() -> None:
        try:
            migration.apply(**options)  # type: ignore[arg-type]
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=apply)
    thread.start()
    deadline = time.monotonic() + 60
    made = "SELECT to_regclass('transhume.control') IS NOT NULL"
    while migration.ask(made) == [(False,)] or migration.ask(CHUNKS)[0][0] < 4:
        assert time.monotonic() < deadline
        assert thread.is_alive(), errors
    yield
    thread.join(60)
    assert not thread.is_alive()
    assert errors == []


@pytest.mark.parametrize("lost", [2, 3])
def test_the_view_is_lost(migration: Migration, undisturbed: Callable[[Migration], object], lost: int) -> None:
    """One reader of two, or all, and the session that exports the view: the load starts anew within the run."""
    with at_work(migration):
        migration.ask_source("UPDATE public.visit SET padding = padding || 'y'")
        ended = migration.ask_source(EXPORTER)
        ended += migration.ask_source(READERS.format(lost - 1))

    assert len(ended) == lost
    assert any("the view of the source is gone; it starts anew" in text for text in migration.notices.texts)
    assert migration.ask("SELECT count(*) FROM transhume.event WHERE what = 'started anew'")[0][0] in (1, 2)
    assert found(migration, "visits") == undisturbed(migration)
    is_right(migration)


def test_the_view_of_processes_is_lost(migration: Migration, undisturbed: Callable[[Migration], object]) -> None:
    """Workers enter the view for each range anew; once it is gone, they are told another one."""
    with at_work(migration, executor="processes"):
        migration.ask_source("UPDATE public.visit SET padding = padding || 'y'")
        ended = migration.ask_source(EXPORTER)

    assert len(ended) == 1
    assert any("the view of the source is gone; it starts anew" in text for text in migration.notices.texts)
    assert found(migration, "visits") == undisturbed(migration)
    is_right(migration)


@pytest.mark.parametrize("path", ["true", "false"])
def test_a_row_that_cannot_be_read_stops_the_load(projects: Projects, path: str) -> None:
    """No chunk is smaller than a block: rather than leave others behind with it, the load stops at its error."""
    columns = f"{COLUMNS}, odd integer GENERATED ALWAYS AS (100 / (v - 700)) VIRTUAL"
    filled = FILL.replace("public.visit\n", "public.visit (v, note, padding)\n")
    spec = f"{SPEC}direct: {path}\n".replace("same: [", "same: [odd, ")
    migration = projects(f"CREATE TABLE public.visit ({columns});{filled}", {"visits": spec})

    with pytest.raises(RunnerError, match=r"division by zero \[22012\]") as caught:
        migration.apply(jobs=1)

    assert caught.value.place is not None
    assert caught.value.place.file.endswith("load/visits.sql")
    assert migration.ask("SELECT count(*) FROM transhume.reject WHERE raw IS NULL") == [(0,)]
