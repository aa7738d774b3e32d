"""What tests of faults may ask for: migrations of the depot, and how one without trouble ends."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from runner import embedded
from runner.embedded import Server
from tests.conftest import Databases, fresh_folder
from tests.faults.depot import SOURCE, Depot, End, write_plan

Make = Callable[..., Depot]
Record = Callable[[str, object], None]


def rarely(*values: object) -> list[ParameterSet]:
    """Parameters that only `make faults` tries: others of their kind are enough for every day."""
    return [pytest.param(value, marks=pytest.mark.faults) for value in values]


@dataclass(frozen=True, slots=True)
class Quiet:
    """A run without trouble: its plan, how it ends, the seconds until its first event, and those of its work."""

    plan: Path
    end: End
    before: float
    work: float


Quietly = Callable[..., Quiet]


@pytest.fixture(scope="session")
def quietly(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quietly]:
    """The run without trouble between two databases, or within one; made when it is first asked for."""
    made = Databases(server, numbers=itertools.count(10**6))  # apart from those of the tests

    @functools.cache
    def run(databases: int = 2) -> Quiet:
        source = made.create("source", SOURCE)
        target = source if databases == 1 else made.create("target")
        plan = write_plan(tmp_path_factory.mktemp("depot"), source, target, databases=databases)
        depot, started = Depot(plan, source, target), time.time()
        told = depot.applied()
        first, last = (next(event["at"] for event in order if "at" in event) for order in (told, told[::-1]))
        return Quiet(plan, depot.end(), first - started, last - first)

    yield run
    made.drop()


@pytest.fixture
def depots(databases: Databases, quietly: Quietly) -> Make:
    """Makes migrations of the depot between fresh databases, or within one."""

    def make(number: int = 2) -> Depot:
        source = databases.create("source", SOURCE)
        return Depot(quietly(number).plan, source, source if number == 1 else databases.create("target"))

    return make


@pytest.fixture(scope="session")
def fragile() -> Iterator[Callable[[], Server]]:
    """A server that may be crashed, and that keeps what it has promised: started again whenever it is asked for."""
    with fresh_folder() as folder:
        yield lambda: embedded.start(folder, settings={"fsync": "off", "shared_buffers": "32MB"})


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """At how many random instants runs are killed."""
    return int(request.config.getoption("--kills"))
