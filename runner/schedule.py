"""The graph of steps -> an Executor: each as soon as what it comes after is done, the biggest first."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from runner.manifest import Step


@dataclass(slots=True)
class Schedule:
    """Works through steps, `jobs` at a time; among those that may start, the one of the greatest weight first.

    Where a step fails `stop` is set; once it is set, by whomever, no other step is started and those at work are waited
    for.
    """

    steps: Sequence[Step]
    weight: Mapping[str, int]  # of a table's id
    work: Callable[[Step], None]
    stop: threading.Event
    running: dict[Future[None], Step] = field(default_factory=dict, init=False)
    errors: list[BaseException] = field(default_factory=list, init=False)

    def run(self, executor: Executor, jobs: int) -> None:
        """Run every step that may start before `stop` is set. Raises the first error."""
        order = {step.id: number for number, step in enumerate(self.steps)}
        graph = TopologicalSorter({step.id: [name for name in step.after if name in order] for step in self.steps})
        graph.prepare()
        ready: list[tuple[int, int]] = []
        while graph.is_active() and (self.running or not self.stop.is_set()):
            for name in graph.get_ready():
                step = self.steps[order[name]]
                heapq.heappush(ready, (-self.weight.get(step.table, 0), order[name]))
            while ready and len(self.running) < jobs and not self.stop.is_set():
                step = self.steps[heapq.heappop(ready)[1]]
                self.running[executor.submit(self.work, step)] = step
            graph.done(*self._ended())
        if self.errors:
            raise self.errors[0]

    def _ended(self) -> list[str]:
        """Wait for one step at least; the ids of those that succeeded."""
        succeeded = []
        for future in wait(self.running, return_when=FIRST_COMPLETED).done:
            step = self.running.pop(future)
            if (error := future.exception()) is None:
                succeeded.append(step.id)
            else:
                self.errors.append(error)
                self.stop.set()
        return succeeded
