"""The journal: what has been done, kept in the database that was changed, committed together with it."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row

from runner.connect import Session
from runner.errors import Refused
from runner.manifest import Plan

FORMAT = 3
SCHEMA_LOCK = 0x74726867  # "trhg": two runners must not create the schema at the same time
OPEN = ("open", "rolling back")
CHUNKS = 1_000_000  # that a range may have: chunks are numbered over all ranges of a step
Keyset = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One carrying-out of a plan. `plan` is the manifest's digest; `source` and `target` say which databases.

    `peak_memory` is in bytes; None until it is done.
    """

    run: UUID
    project: str
    plan: str
    source: str
    target: str
    state: str
    epoch: int
    owner: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    peak_memory: int | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """How far a step is: `size` the rows of its source, `error` why it failed the last time, `peak_memory` in bytes."""

    step: str
    state: str
    size: int | None
    error: str | None
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    rows_per_second: float | None
    peak_memory: int | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a chunk, or of many: what became of them."""

    loaded: int = 0
    filtered: int = 0
    rejected: int = 0
    nulled: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.loaded + other.loaded, self.filtered + other.filtered, self.rejected + other.rejected,
            self.nulled + other.nulled,
        )  # fmt: skip

    @property
    def read(self) -> int:
        """Rows of the source that these stand for."""
        return self.loaded + self.filtered + self.rejected


@dataclass(frozen=True, slots=True)
class Range:
    """The rows of a source behind one keyset, up to and with another; None for no bound."""

    number: int
    after: Keyset | None = None
    upto: Keyset | None = None

    @property
    def first_chunk(self) -> int:
        """The number before that of its first chunk."""
        return self.number * CHUNKS


@dataclass(frozen=True, slots=True)
class Position:
    """Where a range goes on: the last chunk's number, and the keyset that it ended with."""

    chunk: int
    upto: Keyset | None


RUN_COLUMNS = "run, project, plan, source, target, state, epoch, owner, started_at, finished_at, peak_memory"


def create(session: Session) -> None:
    """Create the journal where it is not there; refuse one of another format."""
    if (found := journal_format(session)) is None:
        with session.transaction():
            session.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            session.execute((files("runner") / "journal.sql").read_bytes())
        found = journal_format(session)
    if found != FORMAT:
        raise Refused(
            f"the journal in the target has format {found}, this runner knows format {FORMAT}",
            "use the version of transhume that began the run",
        )


def journal_format(session: Session) -> int | None:
    """The format of the journal in this database; None where there is no journal, be the schema somebody else's."""
    query = """SELECT count(*) FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'transhume'
                 AND (c.relname, a.attname) IN (('journal', 'format'), ('event', 'hash'))"""
    if scalar(session, query) != 2:
        return None
    return int(scalar(session, "SELECT format FROM transhume.journal"))


def latest_run(session: Session, project: str) -> Run | None:
    """The last run of a project: the unfinished one, if there is one."""
    query = f"""SELECT {RUN_COLUMNS} FROM transhume.run WHERE project = %s
                ORDER BY state = ANY (%s) DESC, started_at DESC LIMIT 1"""
    with session.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(query, (project, list(OPEN))).fetchone()


def insert_run(session: Session, plan: Plan, source: str, target: str, version: str) -> Run:
    """Write a new run down, in state open and with epoch 0."""
    query = f"""INSERT INTO transhume.run (run, project, plan, specs, runner, source, target, state)
                VALUES (%s, %s, %s, %s, %s, %s, %s, 'open') RETURNING {RUN_COLUMNS}"""
    values = (uuid4(), plan.run_name, plan.digest, plan.specs, version, source, target)
    with session.cursor(row_factory=class_row(Run)) as cursor:
        row = cursor.execute(query, values).fetchone()
    assert row is not None  # RETURNING
    return row


def set_state(session: Session, run: Run, state: str) -> None:
    """Move the run to another state; `finished_at` is set with those that end it."""
    query = """UPDATE transhume.run SET state = %s, finished_at = CASE WHEN %s THEN clock_timestamp() END
               WHERE run = %s"""
    session.execute(query, (state, state not in OPEN, run.run))


def steps(session: Session, run: Run) -> dict[str, StepRow]:
    """Every step that was begun, by id."""
    query = """SELECT step, state, size, error, started_at, finished_at, rows_per_second, peak_memory
               FROM transhume.step WHERE run = %s"""
    with session.cursor(row_factory=class_row(StepRow)) as cursor:
        return {row.step: row for row in cursor.execute(query, (run.run,))}


def begin_step(session: Session, run: Run, step: str) -> None:
    """Write down that a step is being worked at; it may have been begun before."""
    query = """INSERT INTO transhume.step (run, step, state, epoch) VALUES (%s, %s, 'running', %s)
               ON CONFLICT (run, step) DO UPDATE SET state = 'running', error = NULL, epoch = excluded.epoch"""
    session.execute(query, (run.run, step, run.epoch))


def end_step(session: Session, run: Run, step: str, state: str, error: str | None = None) -> None:
    """Write down how a step ended: done, failed, reverted."""
    query = """UPDATE transhume.step SET state = %s, error = %s, finished_at = clock_timestamp(), epoch = %s
               WHERE run = %s AND step = %s"""
    session.execute(query, (state, error, run.epoch, run.run, step))


def size(session: Session, run: Run, step: str) -> int | None:
    """How many rows a step's source has; None where they were not counted yet."""
    found = scalar(session, "SELECT size FROM transhume.step WHERE run = %s AND step = %s", (run.run, step))
    return None if found is None else int(found)


def set_size(session: Session, run: Run, step: str, size: int) -> None:
    """Keep how many rows a step's source has."""
    session.execute("UPDATE transhume.step SET size = %s WHERE run = %s AND step = %s", (size, run.run, step))


def parts(session: Session, run: Run, step: str) -> set[str]:
    """What of a step is committed."""
    query = "SELECT part FROM transhume.part WHERE run = %s AND step = %s"
    return {part for (part,) in session.execute(query, (run.run, step))}


def add_part(session: Session, run: Run, step: str, part: str, rows: int = 0) -> None:
    """Write down a part of a step, in the transaction that does it."""
    query = "INSERT INTO transhume.part (run, step, part, rows, epoch) VALUES (%s, %s, %s, %s, %s)"
    session.execute(query, (run.run, step, part, rows, run.epoch))


def changed_anything(session: Session, run: Run, step: str) -> bool:
    """Whether anything of the step was committed that `revert` would have to undo."""
    query = """SELECT EXISTS (SELECT FROM transhume.part WHERE run = %(run)s AND step = %(step)s)
                   OR EXISTS (SELECT FROM transhume.chunk WHERE run = %(run)s AND step = %(step)s)"""
    return bool(scalar(session, query, {"run": run.run, "step": step}))


def ranges(session: Session, run: Run, step: str) -> tuple[Range, ...]:
    """The ranges that a step's source was split into; none before that."""
    query = "SELECT range, after, upto FROM transhume.range WHERE run = %s AND step = %s ORDER BY range"
    found = session.execute(query, (run.run, step))
    return tuple(Range(number, _keyset(after), _keyset(upto)) for number, after, upto in found)


def add_ranges(session: Session, run: Run, step: str, ranges: Sequence[Range]) -> None:
    """Write down how a step's source is split; once more changes nothing, where it is not known whether it was."""
    query = """INSERT INTO transhume.range (run, step, range, after, upto) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT DO NOTHING"""
    with session.cursor() as cursor:
        cursor.executemany(query, [(run.run, step, r.number, _list(r.after), _list(r.upto)) for r in ranges])


def forget_load(session: Session, run: Run, step: str) -> None:
    """Take back what a load has written down: ranges, chunks, builds, and the rows that it set aside.

    Waits for chunks in flight; who is at one of these ranges can claim no other.
    """
    session.execute("SELECT FROM transhume.range WHERE run = %s AND step = %s FOR UPDATE", (run.run, step))
    for table in ("chunk", "range", "part", "reject"):
        query = f"DELETE FROM transhume.{table} WHERE run = %s AND step = %s"
        session.execute(query.encode(), (run.run, step))


def position(session: Session, run: Run, step: str, part: Range) -> Position:
    """Where a range goes on."""
    query = """SELECT chunk, upto FROM transhume.chunk
               WHERE run = %s AND step = %s AND chunk > %s AND chunk < %s ORDER BY chunk DESC LIMIT 1"""
    last = session.execute(query, (run.run, step, part.first_chunk, part.first_chunk + CHUNKS)).fetchone()
    if last is None:
        return Position(part.first_chunk, part.after)
    return Position(last[0], _keyset(last[1]))


def loaded(session: Session, run: Run, step: str) -> Counts:
    """All rows that a step's chunks account for."""
    query = """SELECT coalesce(sum(loaded), 0)::bigint, coalesce(sum(filtered), 0)::bigint,
                      coalesce(sum(rejected), 0)::bigint, coalesce(sum(nulled), 0)::bigint
               FROM transhume.chunk WHERE run = %s AND step = %s"""
    row = session.execute(query, (run.run, step)).fetchone()
    return Counts(*row) if row else Counts()


def width(session: Session, run: Run, step: str) -> float:
    """The bytes of a row of the step's chunks, on average; 0 where there are none."""
    query = """SELECT coalesce(sum(bytes)::float8 / nullif(sum(loaded + rejected), 0), 0)
               FROM transhume.chunk WHERE run = %s AND step = %s"""
    return float(scalar(session, query, (run.run, step)))


def rate(session: Session, run: Run, window: int) -> float:
    """Rows a second that the run's chunks of the last `window` seconds stand for; 0 where there are none."""
    query = """SELECT coalesce(c.rows / greatest(extract(epoch FROM clock_timestamp() - c.began), 0.001), 0)::float8
               FROM (SELECT sum(loaded + filtered + rejected) AS rows,
                            min(committed_at - seconds * interval '1 s') AS began
                     FROM transhume.chunk
                     WHERE run = %s AND committed_at > clock_timestamp() - %s * interval '1 s') AS c"""
    return float(scalar(session, query, (run.run, window)))


def claim_chunk(session: Session, run: Run, step: str, chunk: int, after: Keyset | None, upto: Keyset | None) -> None:
    """Take a chunk: the first change of its transaction. A chunk that is there already is a unique violation."""
    query = "INSERT INTO transhume.chunk (run, step, chunk, after, upto, epoch) VALUES (%s, %s, %s, %s, %s, %s)"
    session.execute(query, (run.run, step, chunk, _list(after), _list(upto), run.epoch))


def checkpoint(session: Session, run: Run, step: str, chunk: int, counts: Counts, size: int, seconds: float) -> None:
    """What became of the chunk's rows: the last change of its transaction. `size` is in bytes."""
    query = """UPDATE transhume.chunk SET loaded = %s, filtered = %s, rejected = %s, nulled = %s, bytes = %s,
                      seconds = %s, committed_at = clock_timestamp() WHERE run = %s AND step = %s AND chunk = %s"""
    values = (counts.loaded, counts.filtered, counts.rejected, counts.nulled, size, seconds)
    session.execute(query, (*values, run.run, step, chunk))


def scalar(session: Session, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> Any:
    """The one value of a query; None for no row."""
    row = session.execute(query.encode(), values).fetchone()
    return None if row is None else row[0]


def _list(keyset: Keyset | None) -> list[str] | None:
    return None if keyset is None else list(keyset)


def _keyset(found: list[str] | None) -> Keyset | None:
    return None if found is None else tuple(found)


def identity(session: Session) -> str:
    """Which database this is: the cluster's system identifier, the database's oid and name."""
    name = scalar(
        session, "SELECT oid::text || '/' || datname FROM pg_catalog.pg_database WHERE datname = current_database()"
    )
    try:
        return f"{scalar(session, 'SELECT system_identifier FROM pg_catalog.pg_control_system()')}/{name}"
    except psycopg.errors.InsufficientPrivilege:
        return f"?/{name}"
