"""The schedule: every step once, after what it comes after, so many at a time, and none any more after a failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.manifest import Step
from runner.schedule import Schedule


def step(name: str, *after: str, table: str = "") -> Step:
    """A step of a plan, as far as the schedule looks at it."""
    return Step(name, "finish", "target", "finish/x.sql", "0" * 64, after, True, table, "")


@st.composite
def graphs(draw: st.DrawFn) -> list[Step]:
    """Up to twelve steps, each after some of those before it."""
    size = draw(st.integers(1, 12))
    earlier = [draw(st.sets(st.integers(0, n - 1))) if n else set() for n in range(size)]
    return [step(f"s{n}", *(f"s{m}" for m in sorted(earlier[n]))) for n in range(size)]


class Log:
    """Carries steps out by writing down when each began and ended."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.lock = failing, threading.Lock()
        self.began: list[str] = []
        self.ended: list[str] = []
        self.at_once = 0
        self.early: list[str] = []

    def work(self, one: Step) -> None:
        """One step."""
        with self.lock:
            self.early += [name for name in one.after if name not in self.ended]
            self.began.append(one.id)
            self.at_once = max(self.at_once, len(self.began) - len(self.ended))
        time.sleep(0.001)
        if one.id == self.failing:
            raise ValueError(one.id)
        with self.lock:
            self.ended.append(one.id)


def run(steps: list[Step], log: Log, jobs: int, weight: dict[str, int] | None = None) -> threading.Event:
    """Work through the steps."""
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as executor:
        Schedule(steps, weight or {}, log.work, stop).run(executor, jobs)
    return stop


@settings(max_examples=40)
@given(graphs(), st.integers(1, 4))
def test_every_step_once_and_in_order(steps: list[Step], jobs: int) -> None:
    """Whatever the graph: all steps, each once, none before what it comes after, no more than `jobs` at a time."""
    log = Log()
    run(steps, log, jobs)

    assert sorted(log.ended) == sorted(one.id for one in steps)
    assert log.early == []
    assert log.at_once <= jobs


@settings(max_examples=40)
@given(graphs(), st.integers(1, 4), st.integers(0, 11))
def test_after_a_failure_nothing_starts(steps: list[Step], jobs: int, which: int) -> None:
    """Nothing that comes after the failed step is begun; those at work end; its error is raised."""
    failing = steps[which % len(steps)].id
    log = Log(failing)

    with pytest.raises(ValueError, match=f"^{failing}$"):
        run(steps, log, jobs)

    behind = {failing}
    for one in steps:
        behind |= {one.id} if behind & set(one.after) else set()
    assert not (behind - {failing}) & set(log.began)
    assert set(log.began) - set(log.ended) == {failing}


def test_the_biggest_first() -> None:
    """Among the steps that may start, that of the biggest table does; then the manifest's order counts."""
    log = Log()
    steps = [step("a", table="small"), step("b", table="big"), step("c"), step("d", table="big")]
    run(steps, log, 1, {"small": 10, "big": 1000})

    assert log.began == ["b", "d", "a", "c"]


def test_what_was_done_before_is_not_waited_for() -> None:
    """A step whose predecessor is not among the steps may start: that one is done."""
    log = Log()
    run([step("b", "a")], log, 1)

    assert log.ended == ["b"]


def test_stopped_from_outside() -> None:
    """Once `stop` is set nothing is started; what is at work ends; that alone is no error."""
    stop, ended = threading.Event(), []

    def work(one: Step) -> None:
        stop.wait(5)
        ended.append(one.id)

    threading.Timer(0.05, stop.set).start()
    with ThreadPoolExecutor(2) as executor:
        Schedule([step("a"), step("b"), step("c", "a")], {}, work, stop).run(executor, 2)

    assert sorted(ended) == ["a", "b"]
