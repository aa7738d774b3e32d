"""Calls of a webhook that wait to be delivered: in order, by a thread of their own, which no run waits for."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from urllib.parse import unquote

import urllib3
from tenacity import Retrying, retry_if_exception, sleep_using_event
from tenacity.stop import stop_after_attempt, stop_when_event_set
from tenacity.wait import wait_exponential, wait_random

from runner.errors import USAGE, RunnerError

TIMEOUT = 5.0  # seconds that a receiver has to answer
PAUSE = 0.5  # seconds before a call is tried again; then twice as many
TRIES = 4
WAITING = 500  # calls; the oldest is given up for one that is newer
AGAIN = frozenset({408, 425, 429, *range(500, 600)})  # statuses after which the same call may succeed


class Undelivered(Exception):
    """A try that did not succeed; its text holds nothing of the URL. `again`: another one may."""

    def __init__(self, reason: str, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class Outbox:
    """Posts JSON to one URL. The URL may hold a secret: no message has any of it."""

    def __init__(self, url: str, timeout: float = TIMEOUT, pause: float = PAUSE) -> None:
        self._url, self._headers = _target(url)
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(total=timeout), retries=False)
        self._pause = pause
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closing, self._at_work = False, False
        self._over = threading.Event()
        self._calls, self._lost, self._reason = 0, 0, "not delivered in time"
        self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
        self._thread.start()

    def put(self, payload: Mapping[str, object]) -> None:
        """Leave a call to be delivered; this never waits."""
        with self._changed:
            self._calls += 1
            self._waiting.append(json.dumps(payload, ensure_ascii=False).encode())
            if len(self._waiting) > WAITING:
                self._waiting.popleft()
                self._lost, self._reason = self._lost + 1, "too many waited"
            self._changed.notify()

    def close(self, patience: float) -> str:
        """Give what waits so many seconds; what became of the calls that were not delivered, empty if all were."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(patience)
        self._over.set()
        with self._changed:
            lost = self._lost + len(self._waiting) + self._at_work
            self._waiting.clear()
        return f"{lost} of {self._calls} calls of the webhook were not delivered: {self._reason}" if lost else ""

    def _work(self) -> None:
        while (body := self._next()) is not None:
            try:
                self._deliver(body)
            except Undelivered as error:
                with self._changed:
                    self._lost, self._reason = self._lost + 1, str(error)

    def _next(self) -> bytes | None:
        """The oldest call, once there is one; None where there will be none."""
        with self._changed:
            self._at_work = False
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._at_work = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

    def _deliver(self, body: bytes) -> None:
        """Post it, again where that may help. Raises Undelivered."""
        Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Undelivered) and error.again),
            stop=stop_after_attempt(TRIES) | stop_when_event_set(self._over),
            wait=wait_exponential(multiplier=self._pause, max=TIMEOUT) + wait_random(0, self._pause / 2),
            sleep=sleep_using_event(self._over),
            reraise=True,
        )(self._post, body)

    def _post(self, body: bytes) -> None:
        try:
            answer = self._http.request(
                "POST", self._url, body=body, headers=self._headers, redirect=False, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:  # their texts hold the URL
            refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # which is a TimeoutError too
            late = isinstance(error, urllib3.exceptions.TimeoutError) and not refused
            reason = "does not answer in time" if late else "cannot be reached"
            raise Undelivered(f"the receiver {reason}", again=True) from None
        status = answer.status
        answer.close()  # what it says is of no use, and it may never end
        if not 200 <= status < 300:
            raise Undelivered(f"the receiver answers with HTTP status {status}", again=status in AGAIN)


def _target(url: str) -> tuple[str, dict[str, str]]:
    """The URL without user and password, and the headers of a call. Raises RunnerError, with nothing of the URL."""
    headers = {"Content-Type": "application/json", "User-Agent": "transhume"}
    try:
        found = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        found = urllib3.util.Url()
    if found.scheme not in ("http", "https") or not found.host:
        raise RunnerError("the webhook is not a URL that begins with http:// or https://", exit_code=USAGE)
    if found.auth:
        headers |= urllib3.make_headers(basic_auth=unquote(found.auth))
    return found._replace(auth=None, fragment=None).url, headers
