"""What carries out a step is given: the plan, the run, this thread's sessions, and how to change anything safely."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from runner import autovacuum, control, events, fence, journal
from runner.connect import Session
from runner.control import Control
from runner.errors import RunnerError, SqlError, Stopped
from runner.execute import Result, Values, execute
from runner.failpoints import failpoint
from runner.figures import Figures
from runner.journal import Run
from runner.manifest import Plan, Step, Table
from runner.progress import Progress
from runner.retry import passing, persist
from runner.room import Room
from runner.sections import Section, Side, StepFile
from runner.sessions import Sessions

if TYPE_CHECKING:
    from runner.executors import Executor
    from runner.steps.load import Loading

T = TypeVar("T")
SHOWN = 20  # lines of a red section
POLL = 0.2  # seconds between two looks at what a paused run is to do


@dataclass(frozen=True, slots=True)
class Context:
    """A run at work. Setting `stop` lets every step end after the transaction that it is in; `patience` is seconds.

    At most `jobs` things are done at once; `executor` moves the rows; `loading` are the loads at work, by step.
    """

    plan: Plan
    run: Run
    sessions: Sessions
    progress: Progress
    stop: threading.Event
    patience: float
    room: Room
    executor: Executor
    jobs: int
    loading: dict[str, Loading] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)

    def persist(
        self,
        act: Callable[[], T],
        what: str,
        worth: Callable[[SqlError], bool] = passing,
        failed: Callable[[SqlError], None] = lambda error: None,
    ) -> T:
        """Try `act` again as runner/retry.py says; sessions that were lost are opened anew."""

        def recover(error: SqlError) -> None:
            if error.lost:
                self.sessions.forget()
            self.progress.notice(f"{what}: {error.message}; trying again")
            failed(error)

        return persist(act, stop=self.stop, patience=self.patience, failed=recover, worth=worth)


@dataclass(frozen=True, slots=True)
class Work:
    """One step of a run, in one thread."""

    context: Context
    step: Step
    file: StepFile

    @property
    def run(self) -> Run:
        return self.context.run

    @property
    def table(self) -> Table:
        """The table that the step is about."""
        return self.context.plan.table[self.step.table]

    @property
    def values(self) -> Values:
        """What any section may bind."""
        return {"run": str(self.run.run), "step": self.step.id, "chunk": None}

    @property
    def is_local(self) -> bool:
        """The rows that it moves are in the target's database already."""
        return self.context.plan.databases == 1 or self._reads("target")

    @property
    def by_key(self) -> bool:
        """A row that it moves can be named by its source's key, and found again in any view of the source."""
        return self.table.has_key and self._reads("source")

    def _reads(self, side: Side) -> bool:
        return self.file.need("size").side == side

    def source(self) -> Session:
        return self.context.sessions.source()

    def target(self) -> Session:
        return self.context.sessions.target()

    def session(self, section: Section) -> Session:
        """The session on the database that a section is for."""
        return self.source() if section.side == "source" else self.target()

    def ask(self, section: Section) -> Result:
        """Run a section that reads, in a session of its database; lost connections are opened again."""
        return self.persist(lambda: execute(self.session(section), section, self.values))

    def begun(self) -> bool:
        """Whether anything of the step is committed."""
        return self.persist(lambda: journal.changed_anything(self.target(), self.run, self.step.id))

    def change(self, part: str, act: Callable[[Session], int]) -> None:
        """Do `act` and record the part in one fenced transaction, unless the journal says that it is done already.

        `act` returns how many rows it touched. What a lost connection leaves open, the journal answers.
        """

        def once() -> None:
            session = self.target()
            if part in journal.parts(session, self.run, self.step.id):
                return
            failpoint("ddl-before-fence")
            with session.transaction():
                autovacuum.outlast(session, self.context.plan.schemas)
                fence.hold(session, self.run)
                rows = act(session)
                failpoint("ddl-before-record")
                journal.add_part(session, self.run, self.step.id, part, rows)
                failpoint("ddl-before-commit")
            failpoint("ddl-after-commit")

        self.check_stop()
        self.persist(once)

    def record(self, what: str, act: Callable[[Session], None], detail: str = "") -> None:
        """Change the journal alone, in one fenced transaction with its event."""

        def once() -> None:
            session = self.target()
            with session.transaction():
                fence.hold(session, self.run)
                act(session)
                events.append(session, self.run, what, self.step.id, detail)

        self.persist(once)

    def persist(
        self,
        act: Callable[[], T],
        worth: Callable[[SqlError], bool] = passing,
        failed: Callable[[SqlError], None] = lambda error: None,
    ) -> T:
        """Try `act` again where that is worth it; see Context.persist."""
        return self.context.persist(act, self.step.id, worth, failed)

    def check_stop(self) -> None:
        """Raise Stopped where the run is to end."""
        if self.context.stop.is_set():
            raise Stopped(f"{self.step.id} stops here")

    def wish(self) -> Control:
        """What the run is to do, as its journal says; waits while that is to wait. Raises Stopped."""
        while True:
            wish = control.read(self.target(), self.run)
            if wish.wanted == "stop":
                self.context.stop.set()
            self.check_stop()
            if wish.wanted == "go" and wish.hold is None:
                return wish
            self.pause(POLL)

    def pause(self, seconds: float) -> None:
        """Wait so long. Raises Stopped where the run is to end."""
        if seconds > 0:
            self.context.stop.wait(seconds)
        self.check_stop()


def lines(found: Result) -> tuple[str, ...]:
    """The rows of a section that must have none, as lines for people; not all of them where they are many."""
    shown = [" ".join("NULL" if value is None else value for value in row) for row in found.rows[:SHOWN]]
    more = len(found.rows) - SHOWN
    return (*shown, *([f"and {more:,} more"] if more > 0 else []))


def demand_no_row(work: Work, section: Section) -> None:
    """Raise RunnerError where a gate or a verify section returns rows: each is a line that says what is wrong."""
    found = work.ask(section)
    if found.rows:
        raise RunnerError(f"{work.step.id}: {section.title} is red", place=section.place(), notes=lines(found))
