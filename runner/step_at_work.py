"""One step at work: its beginning and its end in the journal, its errors with the line of the spec."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from runner import journal
from runner.connect import Session
from runner.errors import Fenced, RunnerError, SqlError, Stopped
from runner.figures import record_step
from runner.manifest import Step
from runner.rejects import set_aside_by
from runner.retry import CANCELLED
from runner.schedule import Act, Parts
from runner.steps import KINDS
from runner.work import Context, Work

SETTLING = ("index", "reconcile")  # kinds of step that set rows aside after the load


@dataclass(slots=True)
class StepAtWork:
    """A step of a run; its parts may be at work side by side."""

    context: Context
    step: Step
    started: float = field(default_factory=time.monotonic)

    def begin(self) -> Parts | None:
        """Start it; what is left of it, None where it is done. Raises RunnerError."""
        work = Work(self.context, self.step, self.context.plan.open(self.step))
        self.context.progress.began(self.step)

        def act() -> Parts | None:
            work.check_stop()
            work.record("began", lambda session: journal.begin_step(session, work.run, self.step.id))
            return self._after(work, KINDS[self.step.kind](work))

        return self._guarded(work, act)

    def _after(self, work: Work, parts: Parts | None) -> Parts | None:
        """What is left, wrapped as the beginning was; or the end."""
        if parts is not None:
            wrapped = [partial(self._guarded, work, part) for part in parts.parts]
            return Parts(wrapped, lambda: self._guarded(work, lambda: self._after(work, parts.end())))
        work.record("done", lambda session: _end(session, work, "done"))
        if self.step.kind in SETTLING:
            found = work.persist(lambda: set_aside_by(work.target(), work.run, self.step.id))
            for table, rows in found.items():
                self.context.progress.set_aside(self.step, table, rows)
        self.context.progress.ended(self.step, time.monotonic() - self.started)
        return None

    def _guarded(self, work: Work, act: Act) -> Parts | None:
        """Do it; an error is told, and left in the journal."""
        try:
            return act()
        except RunnerError as error:
            error.spec = error.spec or self.step.spec
            self.context.progress.ended(self.step, time.monotonic() - self.started, error.message)
            if isinstance(error, SqlError) and error.sqlstate == CANCELLED and self.context.stop.is_set():
                raise Stopped(f"{self.step.id} was cancelled") from error
            if not isinstance(error, (Stopped, Fenced)):
                _note_failure(work, error)
            raise


def _end(session: Session, work: Work, state: str, error: str | None = None) -> None:
    """How a step ended, and what it took."""
    journal.end_step(session, work.run, work.step.id, state, error)
    record_step(session, work.run, work.step.id, work.context.figures.peak(work.step))


def _note_failure(work: Work, error: RunnerError) -> None:
    """Leave the error in the journal for `status`; where even that fails, the message is still on the screen."""

    def note(session: Session) -> None:
        _end(session, work, "failed", error.message)

    with suppress(RunnerError):
        work.record("failed", note, error.message)
