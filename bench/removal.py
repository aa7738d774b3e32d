"""`make bench-removal`: a removal of 1,000,000 rows while an application writes, and the way back."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psycopg

from bench.site import Site, opened

ENV = "TARGET_DATABASE_URL"
PROJECT = f"""\
project: production
source: {{env: {ENV}, schema: app}}
target: {{env: {ENV}, schema: app}}
skip: {{"*": nothing moves here}}
"""
REMOVAL = """\
removal: users
columns: [hashed_password, is_active]
because: the authentication service owns passwords now
dependents: {drop: [index users_active, index users_password]}
phases: {soak: 0s, retain: 0s}
"""
TABLE = """
CREATE SCHEMA app;
CREATE TABLE app.users (
  id bigint PRIMARY KEY, email text NOT NULL, note integer NOT NULL DEFAULT 0,
  hashed_password varchar(128) NOT NULL DEFAULT '!', is_active boolean NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL DEFAULT now());
INSERT INTO app.users (id, email, hashed_password, is_active)
  SELECT g, 'user' || g || '@example.org', md5(g::text) || md5((g + 1)::text), g % 7 <> 0
  FROM generate_series(1, {rows}) AS g;
CREATE UNIQUE INDEX users_email ON app.users (email);
CREATE INDEX users_active ON app.users (id) WHERE is_active;
CREATE INDEX users_password ON app.users (hashed_password);
ANALYZE app.users"""
CONTENT = "SELECT count(*), sum(hashtextextended(id || hashed_password || is_active, 0)::numeric) FROM app.users"
HELD = """SELECT EXISTS (
  SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
  WHERE l.relation = 'app.users'::regclass AND l.mode = 'AccessExclusiveLock' AND l.granted
    AND a.application_name LIKE 'transhume:%')"""


@dataclass
class Beside:
    """An application that writes, and somebody who looks at the lock, each in a thread and a session of its own."""

    conninfo: str
    stopped: threading.Event = field(default_factory=threading.Event)
    writes: int = 0
    longest: float = 0.0  # seconds that one write took
    held: list[float] = field(default_factory=list)  # seconds, each time that the lock was seen
    errors: list[str] = field(default_factory=list)

    def write(self) -> None:
        """Other columns of rows, one after the other."""
        with closing(psycopg.connect(self.conninfo, autocommit=True)) as session:
            while not self.stopped.is_set():
                started = time.monotonic()
                try:
                    session.execute("UPDATE app.users SET note = note + 1 WHERE id = %s", (1 + self.writes % 1000,))
                except psycopg.Error as error:
                    self.errors.append(str(error))
                self.writes += 1
                self.longest = max(self.longest, time.monotonic() - started)
                time.sleep(0.002)

    def look(self) -> None:
        """Whether the runner has the table for itself, as often as can be asked."""
        since = 0.0
        with closing(psycopg.connect(self.conninfo, autocommit=True)) as session:
            while not self.stopped.is_set():
                row = session.execute(HELD).fetchone()
                now = time.monotonic()
                if row and row[0]:
                    since = since or now
                elif since:
                    self.held.append(now - since)
                    since = 0.0


@contextmanager
def beside(conninfo: str) -> Iterator[Beside]:
    """Both, for as long as the block lasts."""
    at_work = Beside(conninfo)
    threads = [threading.Thread(target=act, daemon=True) for act in (at_work.write, at_work.look)]
    for thread in threads:
        thread.start()
    try:
        yield at_work
    finally:
        at_work.stopped.set()
        for thread in threads:
            thread.join(10)


def main(arguments: Sequence[str] | None = None) -> None:
    """Forward to phase 2 and back; forward to phase 3 and back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    with opened() as site:
        site.fresh("production")
        site.execute("production", *TABLE.format(rows=options.rows).split(";"))
        specs = site.home / "specs" / "production"
        (specs / "removals").mkdir(parents=True)
        (specs / "project.yaml").write_text(PROJECT)
        (specs / "removals" / "users.yaml").write_text(REMOVAL)
        found = measured(site, options.rows)
    print(f"{options.rows:,} rows, while an application writes:")
    print(f"backup: {found['backup_rate']:,.0f} rows/s")
    print(f"rollback from phase 2: {found['rollback_2']:.2f} s (goal: under 1 s)")
    print(f"ACCESS EXCLUSIVE in phase 3: {found['held_ms']:.0f} ms at most (goal: under 100 ms); "
          f"the longest of {found['writes']:,.0f} writes took {found['longest_ms']:.0f} ms")  # fmt: skip
    print(f"restore from phase 3: {found['restore']:.1f} s (goal: under 300 s), predicted {found['predicted']:.1f} s; "
          f"refill {found['refill_rate']:,.0f} rows/s, all of it {found['restore_rate']:,.0f} rows/s")  # fmt: skip
    print(json.dumps({"rows": options.rows, **found}))


def measured(site: Site, rows: int) -> dict[str, float]:
    """Every figure; what comes back is what was there, or this raises."""

    def run(*words: str) -> float:
        started = time.monotonic()
        site.transhume("production", "production", *words)
        return time.monotonic() - started

    def apply(phase: int) -> float:
        return run("apply", "production", "--removal", "users", "--phase", str(phase), "--yes")

    for command in ("snapshot", "plan"):
        run(command, "production")
    conninfo = site.server.conninfo("production")
    with closing(psycopg.connect(conninfo, autocommit=True)) as session:

        def ask(query: str) -> float:
            row = session.execute(query.encode()).fetchone()
            return float(row[0]) if row else 0.0

        was = session.execute(CONTENT).fetchone()
        found: dict[str, float] = {}
        with beside(conninfo) as at_work:
            apply(1)
            step = "extract(epoch FROM finished_at - started_at) FROM transhume.step WHERE step = "
            found["backup_rate"] = rows / ask(f"SELECT {step} 'backfill.users'")
            apply(2)
            found["rollback_2"] = undone(session, run)
            apply(1)
            apply(2)
            at_work.held.clear()
            at_work.longest = 0
            before = at_work.writes
            apply(3)
            time.sleep(0.2)
            found |= {"held_ms": 1000 * max(at_work.held), "longest_ms": 1000 * at_work.longest}
            found["writes"] = at_work.writes - before
            found["predicted"] = ask("SELECT predicted_seconds FROM transhume.removal_figure")
            found["restore"] = run("restore", "users", "--yes")
            found["refill_rate"] = rows / ask(f"SELECT {step} 'refill.users'")
            found["restore_rate"] = rows / found["restore"]
        if at_work.errors or session.execute(CONTENT).fetchone() != was:
            raise SystemExit(f"what came back is not what was there, or the application failed: {at_work.errors[:3]}")
    return found


def undone(session: psycopg.Connection[tuple[object, ...]], run: Callable[..., float]) -> float:
    """How long the reverts of phase 2 take: between the first and the last of them, by the server's clock."""
    run("restore", "users", "--yes")
    row = session.execute(
        """SELECT extract(epoch FROM max(s.finished_at) - (SELECT min(e.at) FROM transhume.event AS e
                  WHERE e.run = r.run AND e.what = 'rolling back'))
           FROM transhume.run AS r JOIN transhume.step AS s USING (run)
           WHERE r.project LIKE '%/2-detach' GROUP BY r.run"""
    ).fetchone()
    return float(str(row[0])) if row else 0.0


if __name__ == "__main__":
    main()
