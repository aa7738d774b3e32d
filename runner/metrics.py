"""The figures of a run for Prometheus, at an address of their own. docs/metrics.md lists all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from runner.errors import USAGE, RunnerError
from runner.journal import Counts, Run
from runner.manifest import Plan, Step
from runner.progress import Sample, Silent


class Metrics(Silent, Collector):
    """Remembers what it is told; each scrape collects it."""

    def __init__(self, project: str) -> None:
        self._lock = threading.Lock()
        self._labels = {"project": project}
        self._steps, self._done, self._failed = 0, 0, 0
        self._began: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._rows: dict[str, dict[str, int]] = {}
        self._sizes: dict[str, int] = {}
        self._before: dict[str, Counts] = {}
        self._sample = Sample(0, 0, "", 0)

    def begin(self, plan: Plan, run: Run, done: int) -> None:
        """How many steps there are."""
        with self._lock:
            self._labels["run"] = str(run.run)
            self._steps, self._done = len(plan.steps), done

    def began(self, step: Step) -> None:
        """One more at work."""
        with self._lock:
            self._began[step.id] = time.monotonic()

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """The rows of a table; those of its map table are not counted beside them.

        What a hierarchy keeps is not loaded yet; its load has not met the rows that were filtered or rejected before.
        """
        if step.kind not in ("tree", "load"):
            return
        with self._lock:
            if step.kind == "tree":
                self._before[step.table] = Counts(filtered=counts.filtered, rejected=counts.rejected)
            else:
                before = self._before.get(step.table, Counts())
                self._rows.setdefault(step.table, {}).update(asdict(counts + before))
                size += before.read
            self._sizes[step.table] = size

    def set_aside(self, step: Step, table: str, rows: Mapping[str, int]) -> None:
        """Rows that were taken away after the load, or lost a reference then."""
        with self._lock:
            known = self._rows.setdefault(table, {})
            for outcome, number in rows.items():
                known[outcome] = known.get(outcome, 0) + number

    def sampled(self, sample: Sample) -> None:
        """How the run is."""
        self._sample = sample

    def ended(self, step: Step, seconds: float, error: str = "") -> None:
        """One less at work."""
        with self._lock:
            self._began.pop(step.id, None)
            self._seconds[step.id] = seconds
            self._done += not error
            self._failed += bool(error)

    def collect(self) -> Iterator[Metric]:
        """Every family, as it is now."""
        with self._lock:
            yield from self._of_rows()
            yield from self._of_steps()
        sample = self._sample
        yield GaugeMetricFamily("transhume_rows_per_second", "Rows of sources moved lately, a second.", sample.rate)
        yield GaugeMetricFamily("transhume_memory_bytes", "Memory of the runner and its workers.", sample.memory)
        yield GaugeMetricFamily("transhume_lanes", "Lanes that move rows.", sample.lanes)
        yield GaugeMetricFamily("transhume_held", "1 while the run pauses.", int(bool(sample.hold)))
        yield InfoMetricFamily("transhume_run", "Which run this is.", self._labels)

    def _of_rows(self) -> Iterator[Metric]:
        rows = CounterMetricFamily("transhume_rows", "What became of the rows.", labels=("table", "outcome"))
        for table, outcomes in self._rows.items():
            for outcome, number in outcomes.items():
                rows.add_metric((table, outcome), number)
        sizes = GaugeMetricFamily("transhume_source_rows", "Rows of the source.", labels=("table",))
        for table, size in self._sizes.items():
            sizes.add_metric((table,), size)
        yield from (rows, sizes)

    def _of_steps(self) -> Iterator[Metric]:
        running = len(self._began)
        waiting = self._steps - self._done - self._failed - running
        states = {"waiting": waiting, "running": running, "done": self._done, "failed": self._failed}
        steps = GaugeMetricFamily("transhume_steps", "Steps of the plan.", labels=("state",))
        for state, number in states.items():
            steps.add_metric((state,), number)
        now = time.monotonic()
        took = self._seconds | {step: now - began for step, began in self._began.items()}
        seconds = GaugeMetricFamily("transhume_step_seconds", "What a step took, or takes so far.", labels=("step",))
        for step, value in took.items():
            seconds.add_metric((step,), value)
        yield from (steps, seconds)


@contextmanager
def serving(metrics: Metrics, host: str, port: int) -> Iterator[str]:
    """Serve the metrics as long as the block lasts; gives their URL. Raises RunnerError where that cannot be done."""
    registry = CollectorRegistry()
    registry.register(metrics)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise RunnerError(
            f"metrics cannot be served at {host}:{port}: {error.strerror}", "choose another port", USAGE
        ) from None
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
