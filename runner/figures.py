"""What a run takes: memory, and rows a second; sampled while it is at work, kept in the journal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from runner import memory
from runner.connect import Session
from runner.journal import Counts, Run
from runner.manifest import Step
from runner.progress import Meter, Progress, Sample, Silent

EVERY = 0.5  # seconds between two samples


class Figures(Silent):
    """Adds up what the steps tell, and remembers the most memory that was held while each was at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meter = Meter()
        self._first: dict[str, int] = {}  # rows that the first chunk of this runner left a step with
        self._rows: dict[str, int] = {}
        self._memory = 0
        self._at_work: dict[str, Step] = {}
        self._peaks: dict[str, int] = {}

    def began(self, step: Step) -> None:
        """A step holds what the runner holds."""
        with self._lock:
            self._at_work[step.id] = step
            self._peaks[step.id] = self._memory

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """The rows so far."""
        with self._lock:
            self._first.setdefault(step.id, counts.read)
            self._rows[step.id] = counts.read

    def sampled(self, sample: Sample) -> None:
        """The most memory of every step at work."""
        with self._lock:
            self._memory = sample.memory
            for step in self._at_work:
                self._peaks[step] = max(self._peaks[step], sample.memory)

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """The step holds nothing any more."""
        with self._lock:
            self._at_work.pop(step.id, None)

    def peak(self, step: Step) -> int | None:
        """The most bytes that were held while a step was at work; None where that was never looked at."""
        with self._lock:
            return self._peaks.get(step.id) or None

    @property
    def moving(self) -> int:
        """How many steps that move rows are at work."""
        with self._lock:
            return sum(step.kind in ("map", "tree", "load") for step in self._at_work.values())

    def sample(self, lanes: int, hold: str = "") -> Sample:
        """How the run is now."""
        with self._lock:
            rows = sum(self._rows.values()) - sum(self._first.values())
            rate = self._meter.update(rows)
        return Sample(memory.resident(), lanes, hold, rate)


def record_step(session: Session, run: Run, step: str, peak: int | None) -> None:
    """Keep what a step took, in the transaction that ends it: memory in bytes, and the rate of this runner's chunks."""
    query = """
        UPDATE transhume.step SET peak_memory = greatest(peak_memory, %(peak)s), rows_per_second = coalesce((
            SELECT sum(loaded + filtered + rejected) / greatest(
                       extract(epoch FROM max(committed_at) - min(committed_at - seconds * interval '1 s')), 0.001)
            FROM transhume.chunk WHERE run = %(run)s AND step = %(step)s AND epoch = %(epoch)s), rows_per_second)
        WHERE run = %(run)s AND step = %(step)s"""
    session.execute(query, {"run": run.run, "step": step, "epoch": run.epoch, "peak": peak})


def record_run(session: Session, run: Run) -> None:
    """Keep the most memory that any step took, once all of them are done."""
    query = """UPDATE transhume.run SET peak_memory = (SELECT max(peak_memory) FROM transhume.step WHERE run = %(run)s)
               WHERE run = %(run)s"""
    session.execute(query, {"run": run.run})


@contextmanager
def sampling(figures: Figures, progress: Progress) -> Iterator[None]:
    """Tell `progress` twice a second how the run is, as long as the block lasts."""
    stop = threading.Event()

    def sample() -> None:
        progress.sampled(figures.sample(figures.moving))

    def work() -> None:
        while not stop.wait(EVERY):
            sample()

    sample()  # so that the shortest of steps has a figure
    thread = threading.Thread(target=work, name="sampling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
