"""Sections of a step, carried out one by one in place of the runner: what they ask, and what they move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from compiler.plan import Section, Step
from runner.bind import Value, bind
from runner.connect import Session

NOTED = {"run": "00000000-0000-0000-0000-000000000000", "step": "load.x", "chunk": "1"}
REJECT = """
CREATE SCHEMA transhume;
CREATE TABLE transhume.reject (
  run uuid, step text, chunk bigint, table_id text, source text, key text[], raw jsonb, target_column text, reason text,
  sqlstate text, action text
);
"""
Values = Mapping[str, Value]


def bound(which: Section, values: Values) -> str:
    """The section's text with values in place of what it binds; NULL where none is given."""
    return bind(which.sql.rstrip(";\n"), [values.get(name) for name in which.binds]).text


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    """What the query gives."""
    return session.execute(query.encode()).fetchall()


def last_rows(session: Session, script: str) -> list[tuple[Any, ...]]:
    """What the last of several statements gives."""
    with session.cursor() as cursor:
        cursor.execute(script.encode())
        while cursor.nextset():
            pass
        return cursor.fetchall()


def copied_out(session: Session, query: str) -> int:
    """How many rows a COPY sends."""
    with session.cursor() as cursor:
        with cursor.copy(query.encode()) as copy:
            for _ in copy:
                pass
        return cursor.rowcount


def keys(found: Sequence[str], name: str) -> dict[str, str | None]:
    """A row of key texts as what `after` or `upto` bind."""
    return {f"{name}.{place}": text for place, text in enumerate(found, 1)}


@dataclass(frozen=True)
class Mover:
    """Loads one table from `source` to `target`, all of it as one chunk, down to the rows that cannot be loaded."""

    source: Session
    target: Session
    step: Step

    def load(self) -> None:
        """The whole table, and what is to be set aside."""
        with self.target.transaction():
            if not self._find("direct"):
                self._stage("extract")
                if not self._tried(lambda: self._run("load")):
                    self._sift()
                self._reject()
            elif self._tried(lambda: self._copy("direct", "receive")):
                if self._find("failing"):
                    self._stage("failing")
                    self._reject()
            else:
                self._stage("extract")
                self._sift()
                self._reject()

    def _find(self, name: str) -> Section | None:
        return next((section for section in self.step.sections if section.name == name), None)

    def _text(self, name: str, values: Values | None = None) -> str:
        found = self._find(name)
        assert found is not None
        return bound(found, {**NOTED, **(values or {})})

    def _run(self, name: str) -> None:
        self.target.execute(self._text(name).encode())

    def _reject(self) -> None:
        if self._find("reject"):
            self._run("reject")

    def _copy(self, read: str, write: str) -> None:
        out = self.source.cursor().copy(self._text(read).encode())
        into = self.target.cursor().copy(self._text(write).encode())
        with into as writer, out as reader:
            for block in reader:
                writer.write(block)

    def _tried(self, work: Callable[[], None]) -> bool:
        try:
            with self.target.transaction():
                work()
        except (psycopg.DataError, psycopg.IntegrityError):
            return False
        return True

    def _stage(self, read: str) -> None:
        self._run("stage")
        self._copy(read, "fill")

    def _sift(self) -> None:
        *refused, last = last_rows(self.target, self._text("sift", {"behind": "(0,0)", "most": "1000000"}))
        assert last[0] is None
        places, columns, reasons, states, _ = zip(*refused, strict=True)
        noted = {"places": places, "columns": [each or None for each in columns], "reasons": reasons}
        self.target.execute(self._text("set_aside", {**noted, "sqlstates": states}).encode())
