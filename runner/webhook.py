"""What a webhook is told of a run: steps that end, rows set aside, and the end. docs/metrics.md has the payload."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from runner.accounting import Account
from runner.journal import Counts, Run
from runner.manifest import Plan, Step
from runner.progress import Silent
from runner.report import duration

BATCH = 10.0  # seconds between two calls about rows of one step that were set aside


class Webhook(Silent):
    """Makes payloads; `put` leaves each to be delivered and does not wait."""

    def __init__(self, project: str, put: Callable[[Mapping[str, object]], None]) -> None:
        self._project, self._put = project, put
        self._lock = threading.Lock()
        self._run: str | None = None
        self._counts: dict[str, Counts] = {}
        self._told: dict[str, tuple[float, int]] = {}  # when, and how many rows that were set aside

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """From now on payloads name the run."""
        self._run = str(run.run)

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """A call where more rows were set aside, though none soon after another."""
        with self._lock:
            self._counts[step.id] = counts
            then, _ = self._told.get(step.id, (float("-inf"), 0))
            if time.monotonic() - then >= BATCH:
                self._tell_aside(step)

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """A call for each table of a step that has set rows aside."""
        with self._lock:
            self._call("set_aside", f"{step.id} has set {_rows(rows)} of {table} aside", step, table=table, rows=rows)

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """A call for the end of a step, with its rows where it moves some."""
        with self._lock:
            self._tell_aside(step)
            counts = self._counts.get(step.id)
            rows = asdict(counts) if counts else None
            took = {"seconds": round(seconds, 3), "rows": rows, "error": error or None}
            moved = f": {counts.loaded:,} rows" if counts else ""
            text = f"failed: {error}" if error else f"is done{moved}, {duration(seconds)}"
            self._call("failed" if error else "done", f"{step.id} {text}", step, **took)

    def finished(self, run: Run, accounts: Sequence[Account], before: bool, seconds: float) -> None:
        """The last call of a run that is done."""
        self._run = str(run.run)
        sums = {
            name: sum(getattr(one, name) for one in accounts)
            for name in ("loaded", "filtered", "rejected", "reconciled", "nulled")
        }
        moved = sum(one.moved for one in accounts)
        text = "was done before" if before else f"is done: {moved:,} rows moved, {duration(seconds)}"
        self._call("finished", text, before=before, seconds=round(seconds, 3), rows=sums)

    def stopped(self, error: str, seconds: float) -> None:
        """The last call of a run that is not done."""
        self._call("stopped", f"stopped: {error}", error=error, seconds=round(seconds, 3))

    def _tell_aside(self, step: Step) -> None:
        """Tell of the rows that a step which moves rows has set aside, where there are more than when last told."""
        counts = self._counts.get(step.id, Counts())
        rows = {"rejected": counts.rejected, "nulled": counts.nulled}
        if sum(rows.values()) > self._told.get(step.id, (0, 0))[1]:
            self._told[step.id] = (time.monotonic(), sum(rows.values()))
            self._call("set_aside", f"{step.id} has set {_rows(rows)} of {step.table} aside", step, rows=rows)

    def _call(self, event: str, text: str, step: Step | None = None, **values: object) -> None:
        place = {"step": step.id, "table": step.table or None} if step else {}
        known = {"project": self._project, "run": self._run, **place, **values}
        found = {name: value for name, value in known.items() if value is not None}
        self._put({"event": event, "at": round(time.time(), 3), **found, "text": f"{self._project}: {text}"})


def _rows(rows: Mapping[str, int]) -> str:
    return f"{sum(rows.values()):,} rows ({', '.join(f'{number:,} {action}' for action, number in rows.items())})"
