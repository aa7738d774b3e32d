"""An application writes through phases 1 to 3 and a restore: the column is what it was, each row what the application
believes, also where the runner is killed at random instants.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.pg.removing import Removing, removing, shown
from tests.pg.rich import FILES, SPEC, schema
from tests.pg.writer import Writer

ROWS = 1500
NORMAL = 2  # seeds of the usual suite
SEEDS = [pytest.param(seed, marks=[] if seed < NORMAL else pytest.mark.faults) for seed in range(20)]
KILLED = [pytest.param(seed, marks=[] if seed < 1 else pytest.mark.faults) for seed in range(20)]


def go_through(removal: Removing, writer: Writer, carry_out: Callable[[int], None]) -> None:
    """All phases, and back; the application stops writing the column before phase 2, and writes it again after 3."""
    time.sleep(0.2)
    carry_out(1)
    writer.old = False
    time.sleep(0.1)
    carry_out(2)
    time.sleep(0.2)
    carry_out(3)
    time.sleep(0.3)
    writer.old = True
    carry_out(5)
    time.sleep(0.2)
    writer.stop()


def assert_unharmed(removal: Removing, writer: Writer, was: object) -> None:
    """Nothing is lost, nothing else was touched, and nobody was disturbed."""
    assert writer.errors == []
    assert shown(removal.descriptor("legacy")) == shown(was)
    assert dict(removal.ask("SELECT id, legacy FROM app.users")) == writer.model
    assert {"insert", "update", "delete", "rekey", "reuse", "bump", "swap"} <= set(writer.counts)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_application_that_goes_on_writing(databases: Databases, tmp_path: Path, seed: int) -> None:
    """It writes all the while; the column comes back with what it believes."""
    removal = removing(databases, tmp_path, schema(ROWS), SPEC, FILES)
    was = removal.descriptor("legacy")

    def carry_out(phase: int) -> None:
        if phase == 5:
            removal.restore()
        else:
            removal.apply(phase)

    with Writer(removal.conninfo, seed, ROWS) as writer:
        go_through(removal, writer, carry_out)

    assert_unharmed(removal, writer, was)


@pytest.mark.parametrize("seed", KILLED)
def test_a_runner_that_is_killed_in_each_phase(databases: Databases, tmp_path: Path, seed: int) -> None:
    """kill -9 at a random instant of every phase and of the restore; the same command goes on."""
    removal = removing(databases, tmp_path, schema(ROWS), SPEC, FILES)
    was = removal.descriptor("legacy")
    rng = random.Random(seed)

    def carry_out(phase: int) -> None:
        words = ("restore", "users", "--yes") if phase == 5 else (
            "apply", "production", "--removal", "users", "--phase", str(phase), "--yes",
        )  # fmt: skip
        killed = removal.start(*words)
        time.sleep(0.4 + rng.random() * 1.2)
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        done = removal.command(*words)
        already = "is restored already" in done.stderr  # it was killed after its last change
        assert done.returncode == 0 or already, done.stdout + done.stderr

    with Writer(removal.conninfo, 100 + seed, ROWS) as writer:
        go_through(removal, writer, carry_out)

    assert_unharmed(removal, writer, was)
