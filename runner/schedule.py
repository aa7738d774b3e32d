"""The graph of steps -> an Executor: each as soon as what it comes after is done, the biggest first."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from runner.manifest import Step


@dataclass(frozen=True, slots=True)
class Parts:
    """What is left of a step: parts that may run side by side, and after the last of them its end."""

    parts: Sequence[Act]
    end: Act


Act = Callable[[], Parts | None]  # None: the step is done


def in_turn(acts: Sequence[Act]) -> Parts | None:
    """One act after the other, each with all that it leaves."""
    first, *others = acts
    return _then(first(), others)


def _then(parts: Parts | None, others: Sequence[Act]) -> Parts | None:
    if parts is not None:
        return Parts(parts.parts, lambda: _then(parts.end(), others))
    return in_turn(others) if others else None


@dataclass(slots=True)
class Begun:
    """A step whose parts are at work: how many are left, and its end."""

    left: int
    end: Act


@dataclass(slots=True)
class Schedule:
    """Works through steps and their parts, `jobs` at a time; of what may start, what has the greatest weight first.

    Where anything fails `stop` is set; once it is set, by whomever, nothing else is started and what is at work is
    waited for.
    """

    steps: Sequence[Step]
    weight: Mapping[str, int]  # of a table's id
    work: Callable[[Step], Parts | None]
    stop: threading.Event
    ready: list[tuple[int, int, int, Act]] = field(default_factory=list, init=False)
    running: dict[Future[Parts | None], int] = field(default_factory=dict, init=False)
    begun: dict[int, Begun] = field(default_factory=dict, init=False)
    errors: list[BaseException] = field(default_factory=list, init=False)
    pushed: int = field(default=0, init=False)

    def run(self, executor: Executor, jobs: int) -> None:
        """Run every step that may start before `stop` is set. Raises the first error."""
        order = {step.id: number for number, step in enumerate(self.steps)}
        graph = TopologicalSorter({step.id: [name for name in step.after if name in order] for step in self.steps})
        graph.prepare()
        while graph.is_active() and (self.running or not self.stop.is_set()):
            for name in graph.get_ready():
                step = self.steps[order[name]]
                self._push(order[name], lambda step=step: self.work(step))  # type: ignore[misc]
            while self.ready and len(self.running) < jobs and not self.stop.is_set():
                _, number, _, act = heapq.heappop(self.ready)
                self.running[executor.submit(act)] = number
            graph.done(*(self.steps[number].id for number in self._ended()))
        if self.errors:
            raise self.errors[0]

    def _push(self, number: int, act: Act) -> None:
        """Let something of a step start; of one step, what was pushed first does so first."""
        self.pushed += 1
        weight = self.weight.get(self.steps[number].table, 0)
        heapq.heappush(self.ready, (-weight, number, self.pushed, act))

    def _ended(self) -> list[int]:
        """Wait for something to end; the steps that are done with it."""
        done = []
        for future in wait(self.running, return_when=FIRST_COMPLETED).done:
            number = self.running.pop(future)
            if (error := future.exception()) is not None:
                self.errors.append(error)
                self.stop.set()
            elif self._went_on(number, future.result()):
                done.append(number)
        return done

    def _went_on(self, number: int, parts: Parts | None) -> bool:
        """Whether a step is done; otherwise what it has left may start."""
        if parts is not None:
            self.begun[number] = Begun(len(parts.parts), parts.end)
            for part in parts.parts:
                self._push(number, part)
        elif (begun := self.begun.get(number)) is not None:
            begun.left -= 1
        else:
            return True
        begun = self.begun[number]
        if begun.left == 0:
            del self.begun[number]
            self._push(number, begun.end)
        return False
