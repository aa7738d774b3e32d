"""The watch over a run at work: what other terminals ask of it, what it has to wait for, the memory that it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from runner import control, throttle
from runner.connect import Session
from runner.errors import RunnerError
from runner.throttle import Bounds
from runner.work import Context

EVERY = 0.5  # seconds between two looks


class Watch:
    """Looks after a run in a thread and a session of its own. `interrupt` is called once, when somebody aborts it.

    What it cannot do now, because the target is away for one, it does at a later look.
    """

    def __init__(self, context: Context, bounds: Bounds, interrupt: Callable[[], None]) -> None:
        self._context, self._bounds, self._interrupt = context, bounds, interrupt
        self.aborted_by = ""
        self._told_to_stop = False
        self._lanes = 0
        self._ended = threading.Event()
        self._try_to_look()  # the first chunk knows its rate, and waits where it has to
        context.sessions.forget()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more, after a last time: a lane may have ended the run before the watch knew who had asked for it."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        context = self._context
        held = ""
        while True:
            sample = context.figures.sample(context.room.busy, held)
            context.room.update(sample.memory)
            context.progress.sampled(sample)
            ended = self._ended.wait(EVERY)
            held = self._try_to_look(held)
            if ended:
                break
        context.sessions.forget()

    def _try_to_look(self, held: str = "") -> str:
        """Why the run pauses; what is known of it already where the target cannot be asked."""
        try:
            return self._look(self._context.sessions.target()) or ""
        except (psycopg.Error, RunnerError):
            self._context.sessions.forget()
            return held

    def _look(self, session: Session) -> str | None:
        """Why the run pauses, None where it does not."""
        context = self._context
        wish = control.read(session, context.run)
        if wish.wanted == "stop":
            if not (self.aborted_by or self._told_to_stop):
                self.aborted_by = wish.by_whom
                self._interrupt()
        elif context.stop.is_set() and context.executor.remote:  # workers see no other sign
            self._told_to_stop = True
            control.ask(session, context.run, "stop")
        hold = None if context.stop.is_set() else self._throttle(session, wish.hold)
        if context.executor.remote:
            for loading in tuple(context.loading.values()):
                loading.refresh(session)
        return f"paused by {wish.by_whom}" if wish.wanted == "pause" else hold

    def _throttle(self, session: Session, held: str | None) -> str | None:
        """Hold the run, let it go on, share its rate among the lanes that are at work."""
        context = self._context
        reason = throttle.reason(session, context.run, self._bounds)
        if reason != held:
            control.hold(session, context.run, reason)
        if (reason is None) != (held is None):  # the figures change at every look
            context.progress.notice(f"held: {reason}" if reason else "goes on")
        lanes = context.room.busy or context.jobs
        if self._bounds.rate is not None and lanes != self._lanes:
            self._lanes = lanes
            control.limit(session, context.run, self._bounds.rate / lanes)
        return reason
