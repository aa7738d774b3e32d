"""An application that goes on writing while a column is removed and comes back; it knows what every row holds."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import psycopg

GUARD = "TH001"
UNKNOWN = "42703"  # undefined column: it hides, or is dropped
DEFAULT = "none"
MOST = 3  # times as many rows as at first
Session = psycopg.Connection[tuple[object, ...]]
Act = Callable[[Session, random.Random], None]


@dataclass
class Writer:
    """Writes in a thread of its own; `model` is what it believes each row to hold.

    `old`: it is the version of the application that still writes the column. In the phases in which it must not, it is
    refused, and what it tried has not happened. It writes rows of `table` alone, which may be one of a hierarchy below
    `root`; `default` is what the column has there. `pause` is seconds between two writes.
    """

    conninfo: str
    seed: int
    rows: int
    model: dict[int, str] = field(default_factory=dict)
    old: bool = True
    table: str = "app.users"
    root: str = "app.users"
    default: str = DEFAULT
    pause: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _number: int = 0

    def __enter__(self) -> Writer:
        self.model = {number: f"v{number}" for number in range(1, self.rows + 1)}
        self._thread = threading.Thread(target=self._run, name="application", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Write no more; what is in flight ends."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)
            assert not self._thread.is_alive(), "the application hangs"

    def _run(self) -> None:
        rng = random.Random(self.seed)
        acts: list[Act] = [
            self.insert, self.insert, self.update, self.update, self.touch, self.touch, self.delete, self.rekey,
            self.reuse, self.bump, self.swap,
        ]  # fmt: skip
        with closing(psycopg.connect(self.conninfo, autocommit=True, application_name="application")) as session:
            while not self._stop.is_set():
                act = rng.choice(acts)
                before = dict(self.model)
                try:
                    with session.transaction():
                        act(session, rng)
                    self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
                except psycopg.Error as error:
                    self.model = before
                    if error.sqlstate in (GUARD, UNKNOWN):
                        self.refused += 1
                    else:
                        self.errors.append(f"{act.__name__}: {error.sqlstate} {error}")
                self._stop.wait(self.pause)

    def _value(self) -> str:
        self._number += 1
        return f"w{self.seed}.{self._number}"

    def _one(self, rng: random.Random) -> int:
        return rng.choice(tuple(self.model))

    def _fresh(self, rng: random.Random) -> int:
        """A key that no row has: a new one, or one that a row had before."""
        while (key := rng.randint(1, (MOST + 1) * self.rows)) in self.model:
            pass
        return key

    def insert(self, session: Session, rng: random.Random) -> None:
        """A new row, with or without a value; where keys get scarce, one goes instead."""
        if len(self.model) >= MOST * self.rows:
            self.delete(session, rng)
            return
        key = self._fresh(rng)
        if self.old and rng.random() < 0.7:
            value = self._value()
            session.execute(
                f"INSERT INTO {self.table} (id, email, legacy) VALUES (%s, %s, %s)", (key, f"e{key}", value)
            )
            self.model[key] = value
        else:
            session.execute(f"INSERT INTO {self.table} (id, email) VALUES (%s, %s)", (key, f"e{key}"))
            self.model[key] = self.default

    def update(self, session: Session, rng: random.Random) -> None:
        """Another value, where the application still has the column."""
        if not self.old:
            return
        key, value = self._one(rng), self._value()
        session.execute(f"UPDATE ONLY {self.table} SET legacy = %s WHERE id = %s", (value, key))
        self.model[key] = value

    def touch(self, session: Session, rng: random.Random) -> None:
        """Another column."""
        session.execute(f"UPDATE {self.root} SET email = %s WHERE id = %s", (self._value(), self._one(rng)))

    def delete(self, session: Session, rng: random.Random) -> None:
        """A row goes."""
        key = self._one(rng)
        session.execute(f"DELETE FROM ONLY {self.table} WHERE id = %s", (key,))
        del self.model[key]

    def rekey(self, session: Session, rng: random.Random) -> None:
        """A row gets another key."""
        key, other = self._one(rng), self._fresh(rng)
        session.execute(f"UPDATE ONLY {self.table} SET id = %s WHERE id = %s", (other, key))
        self.model[other] = self.model.pop(key)

    def reuse(self, session: Session, rng: random.Random) -> None:
        """A row goes, and another one gets its key, in one transaction."""
        key = self._one(rng)
        session.execute(f"DELETE FROM ONLY {self.table} WHERE id = %s", (key,))
        session.execute(f"INSERT INTO {self.table} (id, email) VALUES (%s, %s)", (key, f"again{key}"))
        self.model[key] = self.default

    def bump(self, session: Session, rng: random.Random) -> None:
        """A trigger of the database's writes the column, and not the statement."""
        if not self.old:
            return
        key = self._one(rng)
        self._number += 1
        number = self.seed * 1_000_000 + self._number
        query = f"UPDATE ONLY {self.table} SET note = %s WHERE id = %s RETURNING legacy"
        row = session.execute(query, (number, key)).fetchone()
        found = row[0] if row is not None else ""
        if found == f"bumped {number}":
            self.model[key] = f"bumped {number}"
        elif found not in (None, self.model[key]):  # the function is rewritten, and the value perhaps yet to come back
            self.errors.append(f"bump: row {key} has {found}, not {self.model[key]}")

    def swap(self, session: Session, rng: random.Random) -> None:
        """Two rows exchange their keys, in one transaction, by way of a third one."""
        one, other = self._one(rng), self._one(rng)
        if one == other:
            return
        for key, to in ((one, -1), (other, one), (-1, other)):
            session.execute(f"UPDATE ONLY {self.table} SET id = %s WHERE id = %s", (to, key))
        self.model[one], self.model[other] = self.model[other], self.model[one]
