"""Where the ranges of a load are moved: in this process' own threads, in processes, or on a Dask cluster."""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any, Protocol

from runner import memory
from runner.chunks import Pace
from runner.connect import Address
from runner.errors import USAGE, RunnerError, SnapshotLost
from runner.fence import application
from runner.journal import Counts, Range, Run
from runner.manifest import Plan, Step
from runner.move_between import MoveBetween
from runner.move_within import MoveWithin
from runner.mover import Mover
from runner.progress import Silent
from runner.room import Room
from runner.sections import StepFile
from runner.sessions import Sessions
from runner.source_snapshot import ImportedSnapshot
from runner.work import Context, Work

LOSSES = 5  # workers that a range may cost without being moved any further

Tell = Callable[[Counts], None]


class Executor(Protocol):
    """Moves ranges, from as many threads at once as the run has jobs."""

    remote: bool

    def move(self, work: Work, part: Range, pace: Pace, view: str | None, tell: Tell) -> None:
        """Move what is left of a range. Raises RunnerError."""

    def close(self) -> None:
        """Nothing is to be moved any more."""


class Threads:
    """Moves each range in the thread that asks for it."""

    remote = False

    def move(self, work: Work, part: Range, pace: Pace, view: str | None, tell: Tell) -> None:
        """See Executor."""
        _move(work, part, pace, view, tell)

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A range, with all that moves it somewhere else. `view` is the exported snapshot that it is read in.

    `anchored`: it holds for that view alone. `memory` is what the worker may have, in bytes; None for no bound.
    """

    version: str
    plan: Plan
    run: Run
    step: Step
    file: StepFile
    part: Range
    pace: Pace
    source: Address
    target: Address
    view: str | None
    anchored: bool
    patience: float
    memory: int | None


@dataclass(frozen=True, slots=True)
class RangeEnd:
    """A range that a worker has ended: the pace that it had, and why it did not succeed, if so."""

    pace: Pace
    error: RunnerError | None


class Remote:
    """Moves ranges in other processes. A worker that dies takes nothing along: the journal says where a range goes on.

    Two workers at one range, where one was taken for dead, cannot double a row: both claim the next chunk, and one
    claim is refused.
    """

    remote = True

    def __init__(self, source: Address, target: Address, submit: Submit, jobs: int, bound: int | None) -> None:
        self._source, self._target, self._submit = source, target, submit
        self._share = None if bound is None else max(0, bound - memory.resident()) // jobs

    def move(self, work: Work, part: Range, pace: Pace, view: str | None, tell: Tell) -> None:
        """See Executor. `tell` is not called: what others commit is asked of the journal."""
        losses = 0
        while True:
            work.check_stop()
            try:
                with work.context.room.chunk():
                    end = self._submit(move, self._task(work, part, pace, view))
            except WorkerLost as error:
                losses += 1
                work.context.progress.notice(f"{work.step.id}: {error}; the range goes on elsewhere")
                if losses == LOSSES:
                    raise
                continue
            pace.rows = end.pace.rows
            if end.error is None:
                return
            if not isinstance(end.error, SnapshotLost) or view is not None:
                raise end.error

    def close(self) -> None:
        """See Executor."""
        self._submit.close()

    def _task(self, work: Work, part: Range, pace: Pace, view: str | None) -> RangeTask:
        context = work.context
        context.sessions.forget()  # while the worker has sessions of its own, this lane needs none
        return RangeTask(
            importlib.metadata.version("transhume"), context.plan, context.run, work.step, work.file, part, pace,
            self._source, self._target, work.persist(context.sessions.exported) if view is None else view,
            view is not None,
            context.patience, self._share,
        )  # fmt: skip


class WorkerLost(RunnerError):
    """A worker died while it moved a range."""


class Submit(Protocol):
    """Calls a function somewhere else, and waits for what it returns. Raises WorkerLost."""

    def __call__(self, function: Callable[[RangeTask], RangeEnd], task: RangeTask) -> RangeEnd: ...

    def close(self) -> None: ...


class Processes:
    """A pool of processes on this machine; one that broke is replaced."""

    def __init__(self, jobs: int) -> None:
        self._jobs, self._lock = jobs, threading.Lock()
        self._pool = self._new()

    def __call__(self, function: Callable[[RangeTask], RangeEnd], task: RangeTask) -> RangeEnd:
        """See Submit."""
        pool = self._pool
        try:
            return pool.submit(function, task).result()
        except BrokenProcessPool:
            with self._lock:
                if self._pool is pool:
                    self._pool = self._new()
            raise WorkerLost("a worker process died") from None

    def close(self) -> None:
        """See Submit."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _new(self) -> concurrent.futures.ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would share the sockets of this process' sessions
        return concurrent.futures.ProcessPoolExecutor(self._jobs, context, initializer=_end_with_parent)


class Dask:
    """A Dask cluster. Its scheduler gives the range of a worker that was lost to another one."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise RunnerError("Dask is not installed", "pip install 'transhume[dask]'", USAGE) from None
        self._distributed: Any = distributed
        try:
            self._client = distributed.Client(address, timeout="5s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise RunnerError(f"no Dask scheduler answers at {address}", str(error), USAGE) from None

    def __call__(self, function: Callable[[RangeTask], RangeEnd], task: RangeTask) -> RangeEnd:
        """See Submit."""
        try:
            future = self._client.submit(function, task, pure=False)
            end: RangeEnd = future.result()
        except (self._distributed.KilledWorker, concurrent.futures.CancelledError):
            raise WorkerLost("the Dask workers that had it died") from None
        return end

    def close(self) -> None:
        """See Submit."""
        self._client.close()


def executor(name: str, source: Address, target: Address, jobs: int, bound: int | None) -> Executor:
    """`threads`, `processes` or the address of a Dask scheduler. Raises RunnerError."""
    if name == "threads":
        return Threads()
    if name != "processes" and not name.startswith("dask://"):
        raise RunnerError(f"no executor is called {name}", "threads, processes, or dask://HOST:PORT", USAGE)
    submit: Submit = Processes(jobs) if name == "processes" else Dask(name.replace("dask://", "tcp://"))
    return Remote(source, target, submit, jobs, bound)


def move(task: RangeTask) -> RangeEnd:
    """Move a range, in a worker: with sessions of its own, and nothing but the journal in common with others."""
    mine = importlib.metadata.version("transhume")
    if mine != task.version:
        error = RunnerError(f"a worker has transhume {mine}, the runner {task.version}", "install the same version")
        return RangeEnd(task.pace, error)
    snapshot = None if task.view is None else ImportedSnapshot(task.view)
    lock_timeout = task.plan.limits.lock_timeout
    sessions = Sessions(task.source, task.target, application(task.run), lock_timeout, snapshot)
    room = Room(task.memory, 1)
    context = Context(task.plan, task.run, sessions, Silent(), threading.Event(), task.patience, room, Threads(), 1)
    try:
        _move(
            Work(context, task.step, task.file),
            task.part,
            task.pace,
            task.view if task.anchored else None,
            lambda counts: room.update(memory.resident()),
        )
    except RunnerError as error:
        return RangeEnd(task.pace, error)
    finally:
        sessions.close()
    return RangeEnd(task.pace, None)


def _move(work: Work, part: Range, pace: Pace, view: str | None, tell: Tell) -> None:
    """Move a range at a pace of its own, which is where the next one begins."""
    own = replace(pace)
    mover: Mover = MoveWithin(work, part, own) if work.is_local else MoveBetween(work, part, own, view)
    try:
        while (moved := mover.advance()) is not None:
            pace.rows = own.rows
            tell(moved.counts)
    finally:
        mover.close()


def _end_with_parent() -> None:
    """A worker does not outlive the runner: nobody would stop it."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker's initializer

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
