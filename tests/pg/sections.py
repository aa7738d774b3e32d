"""Sections of a step, carried out one by one in place of the runner: what they ask, and what they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from compiler.plan import Section, Step
from runner.bind import bind
from runner.connect import Session

NOTED = {"run": "00000000-0000-0000-0000-000000000000", "step": "load.x", "chunk": "1"}
REJECT = """
CREATE SCHEMA transhume;
CREATE TABLE transhume.reject (
  run uuid, step text, chunk bigint, table_id text, source text, key text[], raw jsonb, target_column text, reason text,
  sqlstate text, action text
);
"""
Values = Mapping[str, str | None]


def bound(which: Section, values: Values) -> str:
    """The section's text with values in place of what it binds; NULL where none is given."""
    return bind(which.sql.rstrip(";\n"), [values.get(name) for name in which.binds]).text


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    """What the query gives."""
    return session.execute(query.encode()).fetchall()


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
            if self._find("direct"):
                self._receive({})
                if self._find("failing") and (part := self._stage("failing", {})):
                    self._run("reject", part)
            elif part := self._stage("extract", {}):
                self._insert(part)
                if self._find("reject"):
                    self._run("reject", part)

    def _find(self, name: str) -> Section | None:
        return next((section for section in self.step.sections if section.name == name), None)

    def _text(self, name: str, values: Values) -> str:
        found = self._find(name)
        assert found is not None
        return bound(found, {**NOTED, **values})

    def _run(self, name: str, values: Values) -> None:
        self.target.execute(self._text(name, values).encode())

    def _copy(self, read: str, write: str, values: Values) -> None:
        out = self.source.cursor().copy(self._text(read, values).encode())
        into = self.target.cursor().copy(self._text(write, {}).encode())
        with into as writer, out as reader:
            for block in reader:
                writer.write(block)

    def _receive(self, range: Values) -> None:
        try:
            with self.target.transaction():
                self._copy("direct", "receive", range)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if found := rows(self.source, self._text("halve", range)):
                self._receive({**range, **keys(found[0], "upto")})
                self._receive({**range, **keys(found[0], "after")})
            else:
                part = self._stage("extract", range)
                assert part
                assert part["first"] == part["last"]
                self._set_aside(part, error)

    def _stage(self, read: str, range: Values) -> dict[str, str | None]:
        self._run("stage", {})
        self._copy(read, "fill", range)
        (name,) = (line.split(" (")[0] for line in self._text("fill", {}).splitlines() if line.startswith("COPY"))
        query = f"SELECT min(s.ctid)::text, max(s.ctid)::text FROM {name.removeprefix('COPY ')} AS s"
        ((first, last),) = rows(self.target, query)
        return {"first": first, "last": last} if first else {}

    def _insert(self, part: Values) -> None:
        try:
            with self.target.transaction():
                self._run("load", part)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if found := rows(self.target, self._text("halve", part)):
                self._insert({**part, "last": found[0][0]})
                self._insert({**part, "first": found[0][1]})
            else:
                self._set_aside(part, error)

    def _set_aside(self, part: Values, error: psycopg.Error) -> None:
        noted = {"column": error.diag.column_name, "reason": error.diag.message_primary, "sqlstate": error.sqlstate}
        self._run("set_aside", {**part, **noted})
