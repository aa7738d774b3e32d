"""What a run tells while it is at work, and lines in a log that tell it. Bars are in runner/bars.py."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runner.accounting import Account
from runner.journal import Counts, Run
from runner.manifest import Plan, Step

WINDOW = 10.0  # seconds over which a rate is measured
EVERY = 5.0  # seconds between two lines about the same step


@dataclass(frozen=True, slots=True)
class Sample:
    """How a run is at this moment: `memory` bytes of the runner and its workers, `lanes` that move rows, `hold` why
    they pause (empty: they do not), `rate` rows a second.
    """

    memory: int
    lanes: int
    hold: str
    rate: float


class Progress(Protocol):
    """Told by every thread of a run."""

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """The steps of a run start, so many of them done before."""

    def began(self, step: Step) -> None:
        """A step starts."""

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """A chunk was committed: all rows of the step so far, of `size` in the source."""

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """A step that moves no rows has set some of a table aside: how many in all, by action."""

    def sampled(self, sample: Sample) -> None:
        """How the run is; twice a second."""

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """A step is done, or failed with an error."""

    def notice(self, text: str) -> None:
        """Something that the user may want to know."""

    def close(self) -> None:
        """No step is at work any more."""

    def finished(self, run: Run, accounts: Sequence[Account], before: bool, seconds: float) -> None:
        """The run is done, by this command or `before` it."""

    def stopped(self, error: str, seconds: float) -> None:
        """The run is not done, and this command ends."""


@dataclass(slots=True)
class Meter:
    """Rows a second over the last WINDOW seconds."""

    points: deque[tuple[float, int]] = field(default_factory=deque)

    def update(self, rows: int) -> float:
        """The rate, now that there are so many rows; 0 for the first."""
        now = time.monotonic()
        self.points.append((now, rows))
        while len(self.points) > 2 and now - self.points[0][0] > WINDOW:
            self.points.popleft()
        then, before = self.points[0]
        seconds = now - then
        return (rows - before) / seconds if seconds > 0 else 0.0


class Silent:
    """Tells nothing: the base of those that do."""

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """See Progress."""

    def began(self, step: Step) -> None:
        """See Progress."""

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """See Progress."""

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """See Progress."""

    def sampled(self, sample: Sample) -> None:
        """See Progress."""

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """See Progress."""

    def notice(self, text: str) -> None:
        """See Progress."""

    def close(self) -> None:
        """See Progress."""

    def finished(self, run: Run, accounts: Sequence[Account], before: bool, seconds: float) -> None:
        """See Progress."""

    def stopped(self, error: str, seconds: float) -> None:
        """See Progress."""


class Fan:
    """Tells each of several."""

    def __init__(self, *tellers: Progress) -> None:
        self._tellers = tellers

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.begin(plan, run, done)

    def began(self, step: Step) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.began(step)

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.moved(step, counts, size)

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.set_aside(step, table, rows)

    def sampled(self, sample: Sample) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.sampled(sample)

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.ended(step, seconds, error)

    def notice(self, text: str) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.notice(text)

    def close(self) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.close()

    def finished(self, run: Run, accounts: Sequence[Account], before: bool, seconds: float) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.finished(run, accounts, before, seconds)

    def stopped(self, error: str, seconds: float) -> None:
        """See Progress."""
        for teller in self._tellers:
            teller.stopped(error, seconds)


class Lines(Silent):
    """A line for each step that ends, and now and then one for a step that moves rows."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._meters: dict[str, Meter] = {}
        self._told: dict[str, float] = {}
        self._counts: dict[str, Counts] = {}
        self._hold = ""

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """Say what is about to be done."""
        before = f", {done} of them done before" if done else ""
        self._line(f"{plan.project}: {len(plan.steps)} steps{before}")

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """Say how far a step is, every few seconds."""
        with self._lock:
            self._counts[step.id] = counts
            rate = self._meters.setdefault(step.id, Meter()).update(counts.read)
            now = time.monotonic()
            if now - self._told.setdefault(step.id, now) < EVERY:
                return
            self._told[step.id] = now
            self._write(
                f"{step.id:<32} {counts.read:>12,} of {size:,} rows, {rate:,.0f} rows/s, {eta(counts, size, rate)}"
            )

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """Say how a step ended."""
        counts = self._counts.get(step.id)
        moved = (
            f"  {counts.loaded:,} rows" + (f", {counts.rejected:,} set aside" if counts.rejected else "")
            if counts
            else ""
        )
        self._line(f"{step.id:<32} {'failed' if error else 'done':<6} {seconds:8.2f} s{moved}")

    def sampled(self, sample: Sample) -> None:
        """Say that the run pauses and why, and that it goes on."""
        if sample.hold != self._hold:
            self._hold = sample.hold
            self._line(f"paused: {sample.hold}" if sample.hold else "going on")

    def notice(self, text: str) -> None:
        """Say it."""
        self._line(text)

    def _line(self, text: str) -> None:
        with self._lock:
            self._write(text)


def eta(counts: Counts, size: int, rate: float) -> str:
    """How long the rest takes at that rate."""
    left = max(0, size - counts.read)
    if rate <= 0:
        return "time left unknown"
    minutes, seconds = divmod(round(left / rate), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left"
