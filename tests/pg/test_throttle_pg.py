"""What makes a run wait: a standby that lags, sessions that wait for locks; told with figures, bounds and names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from runner import control, embedded, fence, journal, runs
from runner.connect import Session, address, open_target
from runner.errors import Refused
from runner.journal import Run
from runner.manifest import read_plan
from runner.throttle import Bounds, check, reason
from tests.conftest import UNSAFE, Databases
from tests.pg import by_hand
from tests.pg.neighbours import standby, until, waiting

MB = 2**20
LAG = "SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::bigint FROM pg_stat_replication"


class Stage:
    """A target with a run that was taken over, and how to change the target as somebody else."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        self.conninfo = conninfo
        self.session: Session = open_target(address("TARGET_DATABASE_URL", conninfo), "transhume", 2)
        journal.create(self.session)
        run = runs.begin(self.session, read_plan(by_hand.write_plan(folder)), "here", "there", "0")
        self.run: Run = runs.take_over(self.session, run, "started")

    def reason(self, lag: int | None = None, waiters: int | None = None) -> str | None:
        """Why the run has to wait."""
        return reason(self.session, self.run, Bounds(lag, waiters))

    def other(self, application: str) -> psycopg.Connection[tuple[object, ...]]:
        """Somebody else's session, in a transaction."""
        return psycopg.connect(self.conninfo, application_name=application)


@pytest.fixture
def stage(databases: Databases, tmp_path: Path) -> Iterator[Stage]:
    """A target on the server of all tests."""
    made = Stage(databases.create("target", "CREATE TABLE busy (); CREATE TABLE calm ()"), tmp_path / "hand")
    with closing(made.session):
        yield made


@pytest.mark.both_servers
def test_sessions_that_wait_for_locks(stage: Stage) -> None:
    """More of them than the bound hold the run; a held run goes on at a smaller number. Who they are is told."""
    with ExitStack() as stack:
        lock = stack.enter_context(closing(stage.other("migration of the day")))
        lock.execute("LOCK TABLE busy")
        assert stage.reason(lag=0, waiters=0) is None
        web = stack.enter_context(waiting(stage.conninfo, "TABLE busy", "web"))
        one = f"1 session waits for locks on the target, the bound is 0: process {web} (web)"
        assert stage.reason(waiters=0) == one
        assert stage.reason(waiters=1) is None
        assert stage.reason() is None

        control.hold(stage.session, stage.run, one)
        assert stage.reason(waiters=0) == one
        held = f"1 session waits for locks on the target, the bound is 0, where a held run goes on: process {web} (web)"
        assert stage.reason(waiters=1) == held
        assert stage.reason(waiters=2) is None

        more = [stack.enter_context(waiting(stage.conninfo, "TABLE busy", name)) for name in ("", "psql")]
        first, second, _ = sorted([(web, "web"), (more[0], "postgres"), (more[1], "psql")])
        names = f"process {first[0]} ({first[1]}), process {second[0]} ({second[1]}) and 1 more"
        assert stage.reason(waiters=2) == f"3 sessions wait for locks on the target, the bound is 2: {names}"


@pytest.mark.both_servers
def test_one_session_that_waits_for_the_run_is_enough(stage: Stage) -> None:
    """A lock of the run itself that somebody waits for holds it, whatever the bound; the run's own waits never do."""
    ours = fence.application(stage.run)
    with closing(stage.other(ours)) as lane, closing(stage.other("web")) as web:
        lane.execute("LOCK TABLE busy")
        web.execute("LOCK TABLE calm")
        with waiting(stage.conninfo, "TABLE calm", ours):
            assert stage.reason(waiters=0) is None
        with waiting(stage.conninfo, "TABLE busy", "web") as pid:
            expected = f"1 session waits for a lock of this run: process {pid} (web)"
            assert stage.reason(waiters=10) == expected
            assert stage.reason() is None


def test_who_waits_for_another_program_is_not_counted(stage: Stage) -> None:
    """An advisory lock is a program's own: a second instance that waits to take over may do so for days."""
    with closing(stage.other("leader")) as leader:
        leader.execute("SELECT pg_advisory_lock(1)")
        with waiting(stage.conninfo, "SELECT pg_advisory_lock(1)", "follower"):
            assert stage.reason(waiters=0) is None


def test_a_role_of_few_privileges(stage: Stage) -> None:
    """It sees who waits, as everyone does. It is not shown how far standbys are, so a bound for that is refused."""
    name = f"limited_{abs(hash(stage.conninfo)) % 10**9}"
    stage.session.execute(
        f"CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA transhume TO {name};"
        f"GRANT SELECT ON transhume.control TO {name}".encode()
    )
    try:
        where = psycopg.conninfo.make_conninfo(stage.conninfo, user=name)
        with (
            closing(open_target(address("TARGET_DATABASE_URL", where), "transhume", 2)) as limited,
            closing(stage.other("migration")) as lock,
        ):
            lock.execute("LOCK TABLE busy")
            with waiting(stage.conninfo, "TABLE busy", "web") as pid:
                found = reason(limited, stage.run, Bounds(waiters=0))
            assert found == f"1 session waits for locks on the target, the bound is 0: process {pid} (web)"
            check(limited, Bounds(waiters=0, rate=1))
            check(stage.session, Bounds(lag=MB))
            with pytest.raises(Refused) as refused:
                check(limited, Bounds(lag=MB))
        assert refused.value.message == "the role may not see the replication lag of the target, which has a bound"
        assert refused.value.hint == "GRANT pg_read_all_stats to it, or leave --max-lag out"
    finally:
        stage.session.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


def test_a_standby_that_lags(home: Path, tmp_path: Path) -> None:
    """Past the bound the run is held, by figures and name; held, until below 80 % of it; and never without a bound."""
    with embedded.running(home, settings=UNSAFE) as server:
        embedded.create_database(server, "target")
        stage = Stage(server.conninfo("target"), tmp_path / "hand")
        session = stage.session
        assert stage.reason(lag=0) is None, "a server without standbys"
        with closing(session), standby(server, "replica_a") as replica:
            until(lambda: session.execute(LAG).fetchone() == (0,), "the standby never caught up")
            replica.stop_replay()
            session.execute("CREATE TABLE public.ballast AS SELECT repeat('x', 1000) FROM generate_series(1, 4000)")
            session.execute("CHECKPOINT")
            until(lambda: _lag(session) > 2 * MB, "the standby never fell behind")
            lag = _lag(session)

            told = stage.reason(lag=MB)
            assert re.fullmatch(r'replication lag \d+ (kB|MB) of standby "replica_a" is past 1024 kB', told or ""), told
            assert stage.reason() is None
            between, below = int(lag / 0.9), int(lag / 0.7)
            assert stage.reason(lag=between) is None
            control.hold(session, stage.run, told)
            assert (stage.reason(lag=between) or "").endswith(", where a held run goes on")
            assert stage.reason(lag=below) is None

            replica.replay()
            until(lambda: stage.reason(lag=MB) is None, "the standby never caught up")


def test_a_logical_subscriber_that_lags(home: Path, tmp_path: Path) -> None:
    """What another database follows from the target is a reason to wait as well, and is called what it is."""
    with embedded.running(home, settings={**UNSAFE, "wal_level": "logical"}) as server:
        for name in ("target", "subscriber"):
            embedded.create_database(server, name)
        stage = Stage(server.conninfo("target"), tmp_path / "hand")
        with closing(stage.session) as session, closing(psycopg.connect(server.conninfo("subscriber"))) as subscriber:
            session.execute("CREATE TABLE public.followed (id text); CREATE PUBLICATION news FOR TABLE public.followed")
            session.execute("SELECT pg_create_logical_replication_slot('reader', 'pgoutput')")
            subscriber.execute("CREATE TABLE followed (id text)")
            follow = "PUBLICATION news WITH (create_slot = false, copy_data = false)"
            subscriber.execute(f"CREATE SUBSCRIPTION reader CONNECTION '{stage.conninfo}' {follow}".encode())
            subscriber.commit()
            until(lambda: session.execute(LAG).fetchone() != (None,), "the subscriber never came")
            subscriber.execute("LOCK TABLE followed")
            session.execute("INSERT INTO public.followed SELECT repeat('x', 1000) FROM generate_series(1, 4000)")

            until(lambda: stage.reason(lag=MB), "the subscriber never fell behind")
            assert ' of subscriber "reader" is past 1024 kB' in (stage.reason(lag=MB) or "")

            subscriber.commit()
            until(lambda: stage.reason(lag=MB) is None, "the subscriber never caught up")


def _lag(session: Session) -> int:
    found = session.execute(LAG).fetchone()
    return found[0] if found and found[0] is not None else 0
