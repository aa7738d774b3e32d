"""The network between the runner and a server fails, and so does the server's door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.conftest import Make, Quietly, rarely
from tests.faults.depot import Depot, until
from tests.faults.network import When, network


@pytest.mark.faults
@pytest.mark.parametrize("when", ["request", "reply", "after"])
def test_silence(depots: Make, quietly: Quietly, when: When) -> None:
    """A connection that dies without a word is noticed after the time that the URL says, wherever in a COMMIT it is."""
    depot = depots()
    with network(depot.target, frozenset({9, 40, 90}), when) as (target, between):
        told = Depot(depot.folder, depot.source, target).start().ended()
        assert between.commits > 90

    assert any("trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


@pytest.mark.parametrize("sqlstate", ["57P03", "53300"])
@pytest.mark.parametrize("side", [*rarely("source"), "target"])
def test_no_new_connections(depots: Make, quietly: Quietly, side: str, sqlstate: str) -> None:
    """A server that is starting, or that has no connection free, is asked again; its sessions had been ended."""
    depot = depots()
    with network(getattr(depot, side)) as (through, between):
        runner = (replace(depot, source=through) if side == "source" else replace(depot, target=through)).start()
        until(lambda: depot.chunks() > 20)
        between.refuse = sqlstate
        terminate(depot.ask)
        until(lambda: between.refused > 2)
        between.refuse = ""
        told = runner.ended()

    assert any("not now" in text and "trying again" in text for text in told)
    assert depot.end().differs(quietly().end) == []


def terminate(ask: Callable[[str], object]) -> None:
    """End every session of the runner in the databases of this test, but for the one that holds its lock."""
    ask(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity AS a
           WHERE application_name LIKE 'transhume:%' AND NOT EXISTS (
             SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory')"""
    )
