"""Resume as a property: whatever crashes there were, and however the chunks fell, the end is the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runner import failpoints
from tests.conftest import Databases
from tests.pg import by_hand
from tests.pg.migration import Migration
from tests.pg.test_resume import CHUNK_POINTS, OTHER_POINTS

ROWS = 60


class Crash(BaseException):
    """The end of the process, as far as the databases can tell: no handler of the runner catches it."""


@contextmanager
def crashing(point: str, count: int) -> Iterator[None]:
    """Crash at the `count`-th passing of a failpoint."""

    def crash(process: int, number: int) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoints, "_name", point)
        patch.setattr(failpoints, "_left", count)
        patch.setattr("runner.failpoints.os.kill", crash)
        yield


CRASHES = st.lists(st.tuples(st.sampled_from(CHUNK_POINTS + OTHER_POINTS), st.integers(1, 12)), max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("after-commit", 1), ("before-commit", 1), ("before-commit", 1)], 5, 2, 2)
@given(CRASHES, st.integers(1, 70), st.integers(1, 3), st.sampled_from([1, 2]))
def test_whatever_happens(
    databases: Databases, crashes: list[tuple[str, int]], chunk: int, jobs: int, number: int
) -> None:
    """After any crashes, with chunks of any size and any jobs, every row is where it belongs, and verified."""
    with tempfile.TemporaryDirectory() as folder:
        plan = by_hand.write_plan(Path(folder) / "hand", chunk=(chunk, chunk), databases=number, rejected="100%")
        source = databases.create("source", by_hand.source(ROWS))
        migration = Migration(plan, source, source if number == 1 else databases.create("target"))
        for point, count in crashes:
            with crashing(point, count):
                try:
                    migration.apply(jobs=jobs)
                except Crash:
                    continue
        migration.apply(jobs=jobs)
        verdict = migration.verify()

    assert verdict.green
    assert {one.table: one for one in verdict.accounts} == by_hand.accounts(ROWS)
