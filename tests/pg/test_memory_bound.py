"""The memory bound: rows of a megabyte, four lanes, and the runner and its workers never hold more than they may."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import psutil
import pytest

from runner.connect import address
from runner.executors import RangeEnd, RangeTask, Remote
from tests.pg.compiled import Projects
from tests.pg.migration import TRANSHUME

MB = 2**20
# Hashes, in a column that is not compressed: so many rows of so many megabytes.
SOURCE = """
CREATE TABLE public.scan (id integer PRIMARY KEY, name text, image text NOT NULL);
ALTER TABLE public.scan ALTER COLUMN image SET STORAGE EXTERNAL;
INSERT INTO public.scan
SELECT n, 'scan ' || n,
       repeat((SELECT string_agg(md5((n * 512 + m)::text), '') FROM generate_series(1, 512) AS m), 64 * {size})
FROM generate_series(1, {rows}) AS n;
ANALYZE public.scan;
"""
SPEC = """\
table: scans
from: scan
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [name, image]
chunk: {rows: 2, max: 4}
direct: DIRECT
"""


def most(command: list[str], environment: dict[str, str]) -> tuple[int, int, str]:
    """What a process and all below it hold at most, in bytes; its exit code and what it says."""
    peak = 0
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        here = psutil.Process(run.pid)
        while run.poll() is None:
            total = 0
            try:
                for process in (here, *here.children(recursive=True)):
                    total += process.memory_info().rss
            except psutil.Error:
                pass
            peak = max(peak, total)
            time.sleep(0.03)  # a look takes CPU: it reads of every process of the machine
        assert run.stderr is not None
        return peak, run.returncode, run.stderr.read()


@pytest.mark.slow
@pytest.mark.parametrize("rows, size, direct", [(160, 1, "true"), (36, 6, "true"), (36, 6, "false")])
def test_wide_rows(projects: Projects, rows: int, size: int, direct: str) -> None:
    """The bound is never passed, the journal says so, and all rows arrive."""
    filled = SOURCE.format(rows=rows, size=size)
    migration = projects(filled, {"scans": SPEC.replace("DIRECT", direct)}, limits=", memory: 128MB")
    command = [*TRANSHUME, "apply", str(migration.folder), "--jobs", "4", "--yes"]
    peak, code, said = most(command, migration.environment())

    assert code == 0, said
    assert migration.ask("SELECT count(*), sum(length(image)) / count(*) FROM app.scans") == [(rows, size * MB)]
    assert migration.ask("SELECT count(*) > 3 FROM transhume.range") == [(True,)]
    ((kept,),) = migration.ask("SELECT peak_memory FROM transhume.run")
    assert 32 * MB < kept <= 128 * MB
    assert peak <= 128 * MB


def test_the_share_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bound leaves beside the runner itself is shared by the workers; nothing is less than nothing."""
    monkeypatch.setattr("runner.memory.resident", lambda: 100 * MB)
    where = address("DATABASE", "host=nowhere")
    shares = [Remote(where, where, Nobody(), 4, bound)._share for bound in (None, 500 * MB, 50 * MB)]

    assert shares == [None, 100 * MB, 0]


class Nobody:
    """Moves nothing."""

    def __call__(self, function: Callable[[RangeTask], RangeEnd], task: RangeTask) -> RangeEnd:
        """See Submit."""
        raise AssertionError("nothing is to be moved")

    def close(self) -> None:
        """See Submit."""
