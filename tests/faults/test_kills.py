"""kill -9: the runner dies at random instants and at each commit, and the end is that of a run without trouble."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter

import psutil
import pytest

from tests.faults.conftest import Make, Quiet, Quietly, Record
from tests.faults.depot import Depot, until

CAMPAIGNS = 4  # of random kills: two with threads, one within one database, one with processes


@pytest.mark.parametrize("campaign", range(CAMPAIGNS))
def test_killed_at_random_instants(
    depots: Make, quietly: Quietly, kills: int, campaign: int, record_property: Record
) -> None:
    """Killed again and again, each run ends with the rows, the rejects and the account of a run without trouble.

    The instants are drawn by a generator with the campaign's number as its seed. One in eight lies evenly within the
    time that the undisturbed run took until its first event (connecting, preflight, journal). The others lie evenly
    within the first half of the time that it took from there to its end, counted from the first event: a run that goes
    on has less to do each time, so that its kills, five or so, reach every stage. At each of them the tables must hold
    what the journal says, read in one snapshot.
    """
    number, options = (1, ()) if campaign == 2 else (2, ("--executor", "processes") if campaign == 3 else ())
    instants, quiet = random.Random(campaign), quietly(number)
    left = kills // CAMPAIGNS + (campaign < kills % CAMPAIGNS)
    equal, amid = 0, Counter[str]()
    while left:
        depot, killed = depots(number), 0
        while killed < left and was_killed(depot, instants, quiet, options):
            killed += 1
            amid.update({step.partition(".")[0] for step in depot.at_work()} or {"start"})
            assert depot.torn() == []
        depot.applied(*options)
        assert depot.end().differs(quiet.end) == []
        equal, left = equal + killed, left - killed
    record_property("figure", f"{equal} of {equal} kills ended equal to the undisturbed run")
    record_property("figure", f"campaign {campaign}: amid {', '.join(f'{kind} {n}' for kind, n in amid.most_common())}")


def was_killed(depot: Depot, instants: random.Random, quiet: Quiet, options: tuple[str, ...]) -> bool:
    """Apply, and kill the runner at the next instant; False where it was done before. None of its processes is left."""
    early = instants.random() < 1 / 8
    delay = instants.uniform(0, quiet.before) if early else instants.uniform(0, quiet.work / 2)
    runner = depot.start(*options)
    if not early:
        until(lambda: os.fstat(runner.said.fileno()).st_size or runner.poll() is not None, 0.002)
    try:
        assert runner.wait(delay) == 0, runner.end()[1]
        return False
    except subprocess.TimeoutExpired:
        runner.kill()
        runner.wait()
    until(lambda: not members(runner.pid))
    return True


def members(group: int) -> list[psutil.Process]:
    """The processes of a runner that are still alive."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


@pytest.mark.faults
@pytest.mark.parametrize("point", ["after-commit:12", "before-commit:12", "ddl-after-commit:1", "ddl-before-commit:2"])
def test_killed_at_every_commit(depots: Make, quietly: Quietly, point: str, record_property: Record) -> None:
    """Killed at each commit of a step that is not a load, at each twelfth of a load, a run gets there all the same."""
    depot, killed = depots(), 0
    while (done := depot.command("apply", TRANSHUME_FAILPOINT=point)).returncode == -signal.SIGKILL:
        killed += 1
        assert depot.torn() == []
    assert done.returncode == 0, done.stderr
    assert depot.end().differs(quietly().end) == []
    assert killed > 5
    record_property("figure", f"{killed} of {killed} kills at {point.partition(':')[0]} ended equal")


# Runners that are wrong on purpose: the chunk's row in the journal is committed in a transaction of its own.
LATE = """
import psycopg
execute, held = psycopg.Connection.execute, {}
def wrong(self, query, values=None, **more):
    if "INSERT INTO transhume.chunk" in str(query):
        held[id(self)] = query, values
        query, values = "SELECT 1", None
    elif "UPDATE transhume.chunk SET" in str(query):
        execute(self, "COMMIT")
        execute(self, "BEGIN")
        execute(self, *held.pop(id(self)))
    return execute(self, query, values, **more)
"""
EARLY = """
import psycopg
execute = psycopg.Connection.execute
def wrong(self, query, values=None, **more):
    done = execute(self, query, values, **more)
    if "INSERT INTO transhume.chunk" in str(query):
        execute(self, "UPDATE transhume.chunk SET loaded = 0, filtered = 0, rejected = 0 WHERE loaded IS NULL")
        execute(self, "COMMIT")
        execute(self, "BEGIN")
    return done
"""
WRONG = "{}\npsycopg.Connection.execute = wrong\nimport transhume\ntranshume.main()"


@pytest.mark.parametrize("wrong, torn", [(LATE, 1), (EARLY, 0)], ids=["late", "early"])
def test_a_wrong_protocol_is_found_out(depots: Make, quietly: Quietly, wrong: str, torn: int) -> None:
    """These tests can fail: a checkpoint behind its rows doubles them in a crash, one before them loses them.

    The doubled rows are seen at once, the lost ones at the end: to the journal there never were any.
    """
    depot = depots()
    command = [sys.executable, "-c", WRONG.format(wrong), "apply", str(depot.folder)]
    env = depot.environment(TRANSHUME_FAILPOINT="before-commit:40")
    killed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    assert len(depot.torn()) == torn
    assert depot.command("apply").returncode != 0 or depot.end() != quietly().end
