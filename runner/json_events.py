"""What a run tells, for machines: one JSON object a line. docs/metrics.md lists all of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from runner.accounting import Account
from runner.errors import USAGE, RunnerError
from runner.journal import Counts, Run
from runner.manifest import Plan, Step
from runner.progress import EVERY, Meter, Sample, Silent


class Events(Silent):
    """One JSON object a line: `event`, `at` (seconds since the epoch), `run` once it is known, what belongs to it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.RLock()
        self._meters: dict[str, Meter] = {}
        self._aside: dict[str, Counts] = {}
        self._sampled = float("-inf")
        self._hold = ""
        self._run: str | None = None

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """Event `run`."""
        self._run = str(run.run)
        self._event("run", project=plan.project, plan=plan.digest, steps=len(plan.steps), done=done)

    def began(self, step: Step) -> None:
        """Event `began`."""
        self._event("began", step=step.id, kind=step.kind, table=step.table or None)

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """Event `moved`; and `set_aside` where more rows were."""
        with self._lock:
            rate = self._meters.setdefault(step.id, Meter()).update(counts.read)
            self._event("moved", step=step.id, table=step.table, size=size, **asdict(counts), rate=round(rate))
            aside = replace(counts, loaded=0, filtered=0)
            if aside != self._aside.get(step.id, Counts()):
                self._aside[step.id] = aside
                self.set_aside(step, step.table, {"rejected": aside.rejected, "nulled": aside.nulled})

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """Event `set_aside`."""
        self._event("set_aside", step=step.id, table=table, **rows)

    def sampled(self, sample: Sample) -> None:
        """Event `sampled`, every few seconds, and whenever the run pauses or goes on."""
        now = time.monotonic()
        if now - self._sampled >= EVERY or sample.hold != self._hold:
            self._sampled, self._hold = now, sample.hold
            self._event("sampled", **asdict(replace(sample, rate=round(sample.rate))))

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """Event `done`, or `failed` with its error."""
        self._event("failed" if error else "done", step=step.id, seconds=round(seconds, 3), error=error or None)

    def notice(self, text: str) -> None:
        """Event `notice`."""
        self._event("notice", text=text)

    def finished(self, run: Run, accounts: Sequence[Account], before: bool, seconds: float) -> None:
        """Event `finished`, with the account of every table."""
        self._run = str(run.run)
        self._event("finished", before=before, seconds=round(seconds, 3), accounts=[asdict(one) for one in accounts])

    def stopped(self, error: str, seconds: float) -> None:
        """Event `stopped`."""
        self._event("stopped", error=error, seconds=round(seconds, 3))

    def _event(self, event: str, **values: object) -> None:
        known = {name: value for name, value in {"run": self._run, **values}.items() if value is not None}
        with self._lock:
            self._write(json.dumps({"event": event, "at": round(time.time(), 3), **known}, ensure_ascii=False))


class Appended:
    """A file that lines are added to. One that cannot be written any more is left alone: no run fails for its log."""

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self._path = path
        try:
            self._file = path.open("ab", buffering=0)  # a line is there once it is told
        except OSError as error:
            raise RunnerError(f"{path} cannot be written: {error.strerror}", exit_code=USAGE) from None

    def write(self, line: str) -> None:
        """Add a line."""
        if not self.problem:
            try:
                self._file.write(f"{line}\n".encode())
            except OSError as error:
                self.problem = f"{self._path} is not complete: {error.strerror}"

    def close(self) -> None:
        """Add no more."""
        self._file.close()
