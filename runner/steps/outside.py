"""Builds outside of a transaction (CREATE INDEX CONCURRENTLY): an intent before, and the catalog's word for the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from runner import fence, journal
from runner.connect import Session
from runner.errors import DUPLICATES, RunnerError, SqlError
from runner.execute import execute
from runner.failpoints import failpoint
from runner.sections import Section
from runner.work import Work

ABSENT, INVALID, VALID = "absent", "invalid", "valid"
# Such a build waits until every older transaction has ended. Nobody who reads or writes waits behind it, so there is
# no reason to give way as quickly as other statements do; and to give up means to build all of it anew.
PATIENCES = 10  # of the run's patience: how long one lock, or one older transaction, is waited for


@dataclass(frozen=True, slots=True)
class Outside:
    """One such build. No transaction holds it and its record together, so the journal says beforehand that it is meant.

    What is there under its name without an intent is somebody else's, and stays; with one, it is what a crash has left.
    Two at once cannot be: those of a killed runner are ended before, and the lock on the table admits one at a time.
    """

    work: Work
    section: Section
    probe: Section

    def build(self) -> None:
        """Do what of it is not done yet. Raises RunnerError; SqlError with DUPLICATES leaves nothing behind."""
        if self.work.persist(self._recorded):
            return
        failpoint("outside-before-intent")
        self.work.change(f'intent of "{self.section.of}"', self._intend)
        self.work.persist(self._attempt)
        failpoint("outside-before-record")
        self.work.change(self.section.title, self._record)

    def _recorded(self) -> bool:
        return self.section.title in journal.parts(self.work.target(), self.work.run, self.work.step.id)

    def _intend(self, session: Session) -> int:
        if (state := self._state(session)) != ABSENT:
            raise self._red(f'"{self.section.of}" is there already, {state}, and this run did not build it')
        return 0

    def _attempt(self) -> None:
        session = self.work.target()
        if (state := self._state(session)) == VALID:
            return
        with session.transaction():
            fence.hold(session, self.work.run)  # it cannot be held during the build, but nobody else's is begun
        with _waiting(session, self.work.context.patience * PATIENCES):
            if state == INVALID:
                self._clear(session)
            try:
                execute(session, self.section, self.work.values)
            except SqlError as error:
                if error.sqlstate == DUPLICATES:  # a unique index that is not valid refuses the application's rows
                    self._clear(session)
                raise

    def _record(self, session: Session) -> int:
        if (state := self._state(session)) != VALID:
            raise self._red(f'"{self.section.of}" was built, and is {state}')
        return 0

    def _clear(self, session: Session) -> None:
        for clear in self.work.file.all("clear"):
            if clear.of == self.section.of:
                execute(session, clear, self.work.values)

    def _state(self, session: Session) -> str:
        """What the catalog says; whatever is none of the three words is what is wrong."""
        state = execute(session, self.probe, self.work.values).rows[0][0] or ""
        if state not in (ABSENT, INVALID, VALID):
            raise self._red(state)
        return state

    def _red(self, problem: str) -> RunnerError:
        title = f"{self.work.step.id}: {self.probe.title} is red"
        return RunnerError(title, "rename it or drop it, then apply again", place=self.probe.place(), notes=(problem,))


@contextlib.contextmanager
def _waiting(session: Session, seconds: float) -> Iterator[None]:
    """Wait for a lock so many seconds inside of the block, and as long as before after it."""
    query = "SELECT pg_catalog.current_setting('lock_timeout')"
    before = journal.scalar(session, query)
    _set_lock_timeout(session, f"{int(seconds * 1000)}ms")
    try:
        yield
    finally:
        with contextlib.suppress(psycopg.Error):  # a lost session is forgotten
            _set_lock_timeout(session, before)


def _set_lock_timeout(session: Session, value: str) -> None:
    session.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", (value,))
