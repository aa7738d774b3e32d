"""What a run tells while it is at work: lines in a log, or events for machines. Bars are in runner/bars.py."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from runner.journal import Counts
from runner.manifest import Plan, Step

WINDOW = 10.0  # seconds over which a rate is measured
EVERY = 5.0  # seconds between two lines about the same step


class Progress(Protocol):
    """Told by every thread of a run."""

    def begin(self, plan: Plan, done: int) -> None:
        """The run starts, with so many of its steps done before."""

    def began(self, step: Step) -> None:
        """A step starts."""

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """A chunk was committed: all rows of the step so far, of `size` in the source."""

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """A step is done, or failed with an error."""

    def notice(self, text: str) -> None:
        """Something that the user may want to know."""

    def close(self) -> None:
        """The run ends."""


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

    def begin(self, plan: Plan, done: int) -> None:
        """See Progress."""

    def began(self, step: Step) -> None:
        """See Progress."""

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """See Progress."""

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """See Progress."""

    def notice(self, text: str) -> None:
        """See Progress."""

    def close(self) -> None:
        """See Progress."""


class Lines(Silent):
    """A line for each step that ends, and now and then one for a step that moves rows."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._meters: dict[str, Meter] = {}
        self._told: dict[str, float] = {}
        self._counts: dict[str, Counts] = {}

    def begin(self, plan: Plan, done: int) -> None:
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

    def notice(self, text: str) -> None:
        """Say it."""
        self._line(text)

    def _line(self, text: str) -> None:
        with self._lock:
            self._write(text)


class Events(Silent):
    """One JSON object a line: `event`, `at` (seconds since the epoch), and what belongs to it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._meters: dict[str, Meter] = {}

    def begin(self, plan: Plan, done: int) -> None:
        """Event `run`."""
        self._event("run", project=plan.project, steps=len(plan.steps), done=done)

    def began(self, step: Step) -> None:
        """Event `began`."""
        self._event("began", step=step.id)

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """Event `moved`."""
        rate = self._meters.setdefault(step.id, Meter()).update(counts.read)
        self._event(
            "moved", step=step.id, size=size, loaded=counts.loaded, filtered=counts.filtered, rejected=counts.rejected,
            rate=round(rate),
        )  # fmt: skip

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """Event `done`, or `failed` with its error."""
        self._event("failed" if error else "done", step=step.id, seconds=round(seconds, 3), error=error or None)

    def notice(self, text: str) -> None:
        """Event `notice`."""
        self._event("notice", text=text)

    def _event(self, event: str, **values: object) -> None:
        known = {name: value for name, value in values.items() if value is not None}
        with self._lock:
            self._write(json.dumps({"event": event, "at": round(time.time(), 3), **known}, ensure_ascii=False))


def eta(counts: Counts, size: int, rate: float) -> str:
    """How long the rest takes at that rate."""
    left = max(0, size - counts.read)
    if rate <= 0:
        return "time left unknown"
    minutes, seconds = divmod(round(left / rate), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left"
