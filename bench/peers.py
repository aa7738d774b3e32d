"""Who takes part in `make bench`: transhume, and what people use in its place; all do the same work, if they can."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bench import content
from bench.clinic import BLANK, ENUMS, SOURCES, WORKLOAD, Clinic, counted, mapped
from bench.content import Content
from bench.site import ROOT, run

TARGET = "target"
INSIDE = "inside"  # the database that holds both sides


@dataclass(frozen=True, slots=True)
class Entrant:
    """One way to move the rows.

    `prepare` makes an empty target and is not timed; `run` is. `found` and `expected` say what must be in the target
    afterwards. `needs` names the program without which it is skipped.
    """

    name: str
    rows: int
    prepare: Callable[[], None]
    run: Callable[[], None]
    found: Callable[[], Content]
    expected: Callable[[], Content] | None = None
    needs: str = ""

    @property
    def installed(self) -> bool:
        return not self.needs or shutil.which(self.needs) is not None


def transhume(clinic: Clinic, *, verified: bool, jobs: int = 2) -> Entrant:
    """`transhume apply` of the whole plan, or of the plan without its verify steps."""
    name = f"transhume --jobs {jobs}, with its verification" if verified else f"transhume --jobs {jobs}"
    folder = clinic.folder if verified else clinic.unverified

    def apply() -> None:
        clinic.site.transhume(clinic.source, TARGET, "apply", str(folder), "--jobs", str(jobs), "--yes")

    return _mapping(clinic, name, apply, tables=False)


def roll_back(clinic: Clinic) -> None:
    """Undo what `transhume` with its verification has done."""
    clinic.site.transhume(clinic.source, TARGET, "rollback", str(clinic.folder), "--yes")


def psql(clinic: Clinic, lanes: int) -> Entrant:
    """A pipe of two psql a table, then the indexes of each table, then its foreign keys; so many at a time."""

    def move(table: str) -> None:
        ends = (
            clinic.site.psql(clinic.source, "-c", f"COPY ({mapped(table)}) TO STDOUT (FORMAT binary)"),
            clinic.site.psql(TARGET, "-c", f"COPY app.{table} ({columns[table]}) FROM STDIN (FORMAT binary)"),
        )
        run(["bash", "-o", "pipefail", "-c", " | ".join(map(shlex.join, ends))])

    def work() -> None:
        _in_lanes(lanes, (_later(move, table) for table in clinic.rows))
        _build(clinic, TARGET, lanes)

    columns = {table: ", ".join(clinic.columns(table)) for table in clinic.rows}
    return _mapping(clinic, f"psql COPY | psql COPY, {_lanes(lanes)}", work)


def inside(clinic: Clinic) -> Entrant:
    """INSERT ... SELECT, a statement a table, where source and target are schemas of one database."""

    def prepare() -> None:
        if not clinic.site.execute("postgres", f"SELECT FROM pg_database WHERE datname = '{INSIDE}'"):
            clinic.site.fresh(INSIDE, clinic.source)
        clinic.site.execute(INSIDE, "DROP SCHEMA IF EXISTS app CASCADE")
        run(clinic.site.psql(INSIDE, "-f", str(WORKLOAD / "target.sql")))
        clinic.create_tables(INSIDE)

    def work() -> None:
        for table in clinic.rows:
            statement = f"INSERT INTO app.{table} ({columns[table]}) {mapped(table, inside=True)}"
            run(clinic.site.psql(INSIDE, "-c", statement))
        _build(clinic, INSIDE, 1)

    columns = {table: ", ".join(clinic.columns(table)) for table in clinic.rows}
    return Entrant("INSERT ... SELECT in one database, one lane", clinic.total, prepare, work,
                   lambda: content.mapped(clinic, INSIDE))  # fmt: skip


def pgloader(clinic: Clinic) -> Entrant:
    """It copies tables as they are, with their indexes and keys, and leaves partitioned ones out."""
    tables = tuple(name for name in SOURCES if name != "inbox_message")

    def work() -> None:
        ends = [f"pgsql://postgres@unix:{clinic.site.server.socket}:5432/{name}" for name in (clinic.source, TARGET)]
        script = clinic.site.home / "clinic.load"
        script.write_text(
            f"LOAD DATABASE FROM {ends[0]} INTO {ends[1]}\n"
            "WITH include drop, create tables, create indexes, reset sequences, foreign keys,\n"
            "workers = 2, concurrency = 2\n"
            f"INCLUDING ONLY TABLE NAMES MATCHING {', '.join(repr(name) for name in tables)} IN SCHEMA 'public';\n"
        )
        run(["pgloader", "--quiet", str(script)], log=clinic.site.home / "pgloader.log")

    rows = clinic.total - counted(clinic.scale)["messages"]
    return _copying(clinic, "pgloader, 7 of the tables, nothing mapped", rows, work, tables, "pgloader")


def dump_and_restore(clinic: Clinic, *, compressed: bool) -> Entrant:
    """pg_dump into a folder and pg_restore from it, both with two jobs; compressed, as pg_dump does it, or not."""
    folder = clinic.site.home / "dump"
    options = [] if compressed else ["--compress=none"]

    def work() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        server = clinic.site.server
        run([str(server.bin / "pg_dump"), "-Fd", "-j2", *options, "-f", str(folder), "-d",
             server.conninfo(clinic.source)])  # fmt: skip
        run([str(server.bin / "pg_restore"), "-j2", "-d", server.conninfo(TARGET), str(folder)])

    how = "" if compressed else ", --compress=none"
    return _copying(clinic, f"pg_dump -Fd -j2, pg_restore{how}", clinic.total, work, SOURCES)


def by_hand(clinic: Clinic) -> Entrant:
    """The script that people write: pages by key, the mapping in Python, executemany."""

    def work() -> None:
        server = clinic.site.server
        run([sys.executable, "-m", "bench.by_hand", server.conninfo(clinic.source), server.conninfo(TARGET)], cwd=ROOT)
        _build(clinic, TARGET, 1)

    return _mapping(clinic, "a Python script with executemany", work)


def sling(clinic: Clinic) -> Entrant:
    """sling, a table after the other, each mapped by a query. It writes enums as texts, so the target casts them."""

    def url(database: str) -> str:
        return f"postgresql://postgres@/{database}?host={clinic.site.server.socket}"

    def work() -> None:
        for table in clinic.rows:
            query = " ".join(mapped(table).split())
            run(["sling", "run", "--src-conn", url(clinic.source), "--src-stream", query, "--tgt-conn",
                 url(TARGET), "--tgt-object", f"app.{table}", "--mode", "truncate"])  # fmt: skip
        _build(clinic, TARGET, 1)

    casts = [f"CREATE CAST (text AS app.{name}) WITH INOUT AS ASSIGNMENT" for name in ENUMS]
    return _mapping(clinic, "sling", work, casts, needs="sling")


def _mapping(
    clinic: Clinic, name: str, work: Callable[[], None], before: Sequence[str] = (), *,
    tables: bool = True, needs: str = "",
) -> Entrant:  # fmt: skip
    """Someone whose target must be what transhume's is. `before` are statements of their own."""

    def prepare() -> None:
        clinic.site.fresh(TARGET, BLANK)
        if tables:
            clinic.create_tables(TARGET)
        clinic.site.execute(TARGET, *before)

    return Entrant(name, clinic.total, prepare, work, lambda: content.mapped(clinic, TARGET), needs=needs)


def _copying(
    clinic: Clinic, name: str, rows: int, work: Callable[[], None], tables: tuple[str, ...], needs: str = ""
) -> Entrant:
    """Someone who can only copy: the target must have as many rows as the source."""
    return Entrant(
        name, rows, lambda: clinic.site.fresh(TARGET), work, lambda: content.copied(clinic, TARGET, tables),
        lambda: content.copied(clinic, clinic.source, tables), needs,
    )  # fmt: skip


def _build(clinic: Clinic, database: str, lanes: int) -> None:
    """The plan's indexes, a table at a time in each lane; then its foreign keys, which are validated side by side."""

    def build(statements: Sequence[str]) -> None:
        run(clinic.site.psql(database, *(word for statement in statements for word in ("-c", statement))))

    _in_lanes(lanes, (_later(build, texts) for texts in clinic.sections("index", "build").values()))
    build([text for texts in clinic.sections("constrain", "apply").values() for text in texts])
    _in_lanes(lanes, (_later(build, texts) for texts in clinic.sections("constrain", "build").values()))


def _in_lanes(lanes: int, work: Iterable[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(lanes) as pool:
        for started in [pool.submit(each) for each in work]:
            started.result()


def _later(call: Callable[[Any], None], argument: Any) -> Callable[[], None]:
    return lambda: call(argument)


def _lanes(count: int) -> str:
    return "one lane" if count == 1 else f"{count} lanes"
