"""Executors: the same ranges in threads, processes and on a Dask cluster; a worker that dies takes nothing along."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import dask
import distributed
import psutil
import psycopg
import pytest

from runner.errors import RunnerError
from tests.pg.migration import TRANSHUME, Migration, Notices, wait_for

Make = Callable[..., Migration]

RANGES = "SELECT count(*) FROM transhume.range WHERE step = 'load.orders'"
FAILPOINT = "TRANSHUME_FAILPOINT"


def started() -> Any:
    """A Dask cluster of two processes, without the profiler that can stop a Python before 3.11.9: docs/runner.md."""
    with dask.config.set({"distributed.worker.profile.enabled": False}):
        return distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0"
        )


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster for several tests."""
    with started() as cluster:
        yield cluster


@pytest.fixture
def undisturbed(migrations: Make) -> object:
    """The content that threads give."""
    migration = migrations(rows=200, chunk=(20, 20))
    migration.apply()
    return migration.content(), migration.rejects()


def test_ranges_side_by_side(migrations: Make, undisturbed: object) -> None:
    """A table is split into ranges without gap or overlap; with one job or many the content is the same."""
    for jobs in (1, 4):
        migration = migrations(rows=200, chunk=(20, 20))
        migration.apply(jobs=jobs)

        assert migration.ask(RANGES) == [(8 if jobs == 1 else 15,)]
        bounds = migration.ask(
            "SELECT after, lag(upto) OVER (ORDER BY range) FROM transhume.range WHERE step = 'load.orders'"
        )
        assert all(after == before for after, before in bounds)
        assert (migration.content(), migration.rejects()) == undisturbed


def test_processes(migrations: Make, undisturbed: object) -> None:
    """Worker processes move the ranges; the content is the same."""
    migration = migrations(rows=200, chunk=(20, 20))
    migration.apply(executor="processes")

    assert (migration.content(), migration.rejects()) == undisturbed
    assert migration.verify().green


@pytest.mark.parametrize("number", [1, 2])
def test_dask(migrations: Make, undisturbed: object, cluster: Any, number: int) -> None:
    """A Dask cluster moves the ranges; the content is the same."""
    migration = migrations(rows=200, chunk=(20, 20), databases=number)
    migration.apply(executor=cluster.scheduler_address.replace("tcp://", "dask://"))

    assert (migration.content(), migration.rejects()) == undisturbed


def test_errors_of_a_worker_are_the_runners(migrations: Make) -> None:
    """What a worker finds wrong is told with its place in the plan."""
    migration = migrations(rows=200, chunk=(20, 20), rejected="0%")

    with pytest.raises(RunnerError, match="of 800 rows of project hand would be set aside: the limit is 0%") as caught:
        migration.apply(executor="processes")

    assert caught.value.spec.startswith("specs/hand/tables/")


@pytest.fixture
def quiet(migrations: Make) -> object:
    """The content that threads give of more rows."""
    migration = migrations(rows=400, chunk=(5, 5))
    migration.apply()
    return migration.content(), migration.rejects()


class Disarming(Notices):
    """The workers that come after a loss pass the failpoint."""

    def notice(self, text: str) -> None:
        """Remember it."""
        super().notice(text)
        os.environ.pop(FAILPOINT, None)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before-commit:4", "after-commit:4"])
def test_a_worker_process_is_killed(
    migrations: Make, quiet: object, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that are killed amid a range, with a chunk in flight or behind one, lose no row and double none."""
    made = migrations(rows=400, chunk=(5, 5))
    migration = Migration(made.folder, made.source, made.target, Disarming())
    monkeypatch.setenv(FAILPOINT, point)  # of this process' children: here it was looked at before
    migration.apply(executor="processes")

    died = [
        text for text in migration.notices.texts if text.endswith("a worker process died; the range goes on elsewhere")
    ]
    assert died
    assert (migration.content(), migration.rejects()) == quiet
    assert migration.verify().green


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before-commit:4", "after-commit:4"])
def test_a_dask_worker_is_killed(migrations: Make, quiet: object, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of a cluster: each of its workers is killed at its fourth chunk, and its range goes on elsewhere."""
    migration = migrations(rows=400, chunk=(5, 5))
    monkeypatch.setenv(FAILPOINT, point)
    with started() as cluster:
        monkeypatch.delenv(FAILPOINT)  # those that replace them pass
        first = [psutil.Process(worker.pid) for worker in cluster.workers.values()]
        migration.apply(executor=cluster.scheduler_address.replace("tcp://", "dask://"))
        killed = [worker for worker in first if not worker.is_running()]

    assert len(first) == 2
    assert killed
    assert (migration.content(), migration.rejects()) == quiet
    assert migration.verify().green


def test_workers_end_with_the_runner(migrations: Make) -> None:
    """A runner that is killed leaves no worker behind; the next one goes on."""
    migration = migrations(rows=500, chunk=(2, 2))
    command = [*TRANSHUME, "apply", str(migration.folder), "--executor", "processes"]
    with subprocess.Popen(command, env=migration.environment(), stderr=subprocess.DEVNULL) as runner:
        wait_for(migration, False)
        workers = psutil.Process(runner.pid).children(recursive=True)
        runner.kill()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    migration.apply()

    assert (bool(gone), alive) == (True, [])
    assert migration.verify().green


def test_never_more_connections(migrations: Make) -> None:
    """However many jobs are asked for, the connections that are open at once are no more than were allowed."""
    migration = migrations(rows=400, chunk=(10, 10))
    ended = threading.Event()
    seen: list[int] = []
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'transhume%'"

    def look() -> None:
        with closing(psycopg.connect(migration.target, autocommit=True)) as session:
            while not ended.wait(0.01):
                row = session.execute(query).fetchone()
                seen.append(row[0] if row else 0)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        migration.apply(jobs=16, connections=7)
    finally:
        ended.set()
        looking.join()

    assert 5 <= max(seen) <= 7


@pytest.mark.parametrize(
    "option, message",
    [
        ({"connections": 4}, "4 connections are too few\n  = hint: 5 is the least"),
        ({"executor": "fork"}, "no executor is called fork\n  = hint: threads, processes, or dask://HOST:PORT"),
        ({"executor": "dask://127.0.0.1:1"}, "no Dask scheduler answers at tcp://127.0.0.1:1"),
    ],
)  # fmt: skip
def test_what_cannot_be(migrations: Make, option: dict[str, Any], message: str) -> None:
    """Too few connections, an unknown executor, a scheduler that is not there: a usage error, in one sentence."""
    with pytest.raises(RunnerError) as raised:
        migrations(rows=10).apply(**option)

    assert str(raised.value).startswith(message)
    assert raised.value.exit_code == 2
