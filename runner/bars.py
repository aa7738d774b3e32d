"""Progress on a terminal: a bar for each step at work, with rows a second and the time that is left."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from runner.journal import Counts, Run
from runner.manifest import Plan, Step
from runner.progress import Meter, Sample, Silent, eta


class Bars(Silent):
    """One bar for the steps of the run, one for each that is at work; a line stays for each that moved rows."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}", table_column=None), BarColumn(bar_width=28),
            TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.fields[rows]}"), TimeElapsedColumn(),
            console=console, transient=True,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._meters: dict[str, Meter] = {}
        self._counts: dict[str, Counts] = {}
        self._run: TaskID | None = None

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """Show the bar of the run."""
        self._bars.start()
        self._run = self._bars.add_task(plan.project, total=len(plan.steps), completed=done, rows="")

    def began(self, step: Step) -> None:
        """Show a bar that only moves to and fro, until the number of rows is known."""
        with self._lock:
            self._tasks[step.id] = self._bars.add_task(f"  {step.id}", total=None, rows="")

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """Move the step's bar."""
        with self._lock:
            rate = self._meters.setdefault(step.id, Meter()).update(counts.read)
            self._counts[step.id] = counts
            text = f"{counts.read:,} of {size:,} rows  {rate:,.0f} rows/s  {eta(counts, size, rate)}"
            self._bars.update(self._tasks[step.id], total=size, completed=counts.read, rows=text)

    def sampled(self, sample: Sample) -> None:
        """Show beside the run's bar its memory, and why it pauses."""
        if self._run is not None:
            memory = f"{sample.memory / 2**20:,.0f} MB"
            self._bars.update(self._run, rows=f"{memory}  paused: {sample.hold}" if sample.hold else memory)

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """Take the step's bar away."""
        with self._lock:
            self._bars.remove_task(self._tasks.pop(step.id))
            if self._run is not None and not error:
                self._bars.advance(self._run)
            if error or (counts := self._counts.get(step.id)) is None:
                return
        aside = f", {counts.rejected:,} set aside" if counts.rejected else ""
        self.notice(f"{step.id}: {counts.loaded:,} rows in {seconds:.1f} s{aside}")

    def notice(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Take the bars away."""
        self._bars.stop()
