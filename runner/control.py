"""What is asked of a run while it is at work: to pause, to go on, to stop; and how fast its lanes may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psycopg.rows import class_row

from runner import events, fence
from runner.connect import Session
from runner.errors import Refused
from runner.journal import Run, scalar

Wanted = Literal["go", "pause", "stop"]
ASKED: dict[Wanted, str] = {"go": "resume asked", "pause": "pause asked", "stop": "abort asked"}  # in the audit trail


@dataclass(frozen=True, slots=True)
class Control:
    """What a lane reads before each chunk: `wanted` by a user, `by_whom`; `hold` is the runner's own reason to pause.

    `rate` is rows a second that each lane may move, None for no limit.
    """

    wanted: Wanted = "go"
    hold: str | None = None
    rate: float | None = None
    by_whom: str = ""

    @property
    def goes(self) -> bool:
        """Whether the next chunk may start."""
        return self.wanted == "go" and self.hold is None


def read(session: Session, run: Run) -> Control:
    """What is asked at this moment. Locks nothing, and waits for nobody."""
    query = "SELECT wanted, hold, rate, by_whom FROM transhume.control WHERE run = %s"
    with session.cursor(row_factory=class_row(Control)) as cursor:
        return cursor.execute(query, (run.run,)).fetchone() or Control()


def reset(session: Session, run: Run) -> None:
    """A runner that takes a run over begins with nothing asked of it; in the transaction that raises the epoch."""
    query = """INSERT INTO transhume.control (run) VALUES (%s) ON CONFLICT (run) DO UPDATE
               SET wanted = 'go', hold = NULL, rate = NULL, by_whom = '', at = clock_timestamp()"""
    session.execute(query, (run.run,))


def ask(session: Session, run: Run, wanted: Wanted) -> Control:
    """Ask from another terminal, with its event; what was asked before. The same again changes nothing.

    Not fenced: it is not the runner that asks. Raises Refused where the run was told to stop already.
    """
    with session.transaction():
        session.execute("SELECT FROM transhume.control WHERE run = %s FOR UPDATE", (run.run,))
        before = read(session, run)
        if before.wanted == "stop" and wanted != "stop":
            raise Refused(
                f"the run is being aborted by {before.by_whom}", "once it has ended, `transhume apply` goes on"
            )
        if before.wanted != wanted:
            query = "UPDATE transhume.control SET wanted = %s, by_whom = %s, at = clock_timestamp() WHERE run = %s"
            session.execute(query, (wanted, events.who(), run.run))
            events.append(session, run, ASKED[wanted])
    return before


def hold(session: Session, run: Run, reason: str | None) -> None:
    """Note the runner's own reason to pause, None for none any more. Raises Fenced."""
    with session.transaction():
        fence.hold(session, run)
        session.execute("UPDATE transhume.control SET hold = %s WHERE run = %s", (reason, run.run))


def limit(session: Session, run: Run, rate: float | None) -> None:
    """Set how many rows a second each lane may move, None for no limit. Raises Fenced."""
    with session.transaction():
        fence.hold(session, run)
        session.execute("UPDATE transhume.control SET rate = %s WHERE run = %s", (rate, run.run))


def in_flight(session: Session, run: Run) -> int:
    """How many chunks have been claimed and are not committed: sessions of the run that hold the claim's lock."""
    query = """SELECT count(DISTINCT a.pid)
               FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
               WHERE l.relation = 'transhume.chunk'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted
                 AND a.application_name = %s AND a.datname = current_database()"""
    return int(scalar(session, query, (fence.application(run),)))
