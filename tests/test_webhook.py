"""The webhook: payloads, their order, receivers that fail, and that its URL is told to nobody."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import pytest

from runner import outbox as outbox_module
from runner.errors import USAGE, RunnerError
from runner.journal import Counts
from runner.outbox import Outbox
from runner.webhook import BATCH, Webhook
from tests.receiver import receiving
from tests.test_progress import INDEX, LOAD

LONG = 30.0  # seconds: no test waits for so long


def numbers(count: int) -> list[dict[str, object]]:
    """So many payloads."""
    return [{"event": str(n)} for n in range(count)]


def test_delivered_in_order() -> None:
    """Every call once, as JSON, in the order in which they were put."""
    with receiving() as receiver:
        outbox = Outbox(receiver.url)
        for payload in numbers(20):
            outbox.put(payload)
        assert outbox.close(LONG) == ""

    assert receiver.calls == numbers(20)
    assert "Content-Type: application/json" in receiver.raw[0]


def test_tried_again() -> None:
    """A server error is passing: the same call again, before the one behind it."""
    with receiving(500, 429) as receiver:
        outbox = Outbox(receiver.url, pause=0.01)
        for payload in numbers(2):
            outbox.put(payload)
        assert outbox.close(LONG) == ""

    assert receiver.events == ["0", "0", "0", "1"]


@pytest.mark.parametrize("status", [302, 404])
def test_given_up(status: int) -> None:
    """What the receiver refuses, or has elsewhere, is not tried again, and does not stop the next call."""
    with receiving(status) as receiver:
        outbox = Outbox(receiver.url, pause=0.01)
        for payload in numbers(2):
            outbox.put(payload)
        problem = outbox.close(LONG)

    assert receiver.events == ["0", "1"]
    assert problem == f"1 of 2 calls of the webhook were not delivered: the receiver answers with HTTP status {status}"


def test_no_answer() -> None:
    """A receiver that does not answer in time is tried again, then the call is given up."""
    with receiving(*[None] * 4) as receiver:
        outbox = Outbox(receiver.url, timeout=0.05, pause=0.01)
        for payload in numbers(2):
            outbox.put(payload)
        problem = outbox.close(LONG)

    assert receiver.events == ["0", "0", "0", "0", "1"]
    assert problem == "1 of 2 calls of the webhook were not delivered: the receiver does not answer in time"


def test_unreachable() -> None:
    """Where nothing listens the calls are lost, and the reason is told."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # not listening
        outbox = Outbox(f"http://127.0.0.1:{taken.getsockname()[1]}/s3cret", pause=0.01)
        for payload in numbers(3):
            outbox.put(payload)
        problem = outbox.close(LONG)

    assert problem == "3 of 3 calls of the webhook were not delivered: the receiver cannot be reached"


def test_the_end_does_not_wait() -> None:
    """With no patience left, the call that hangs and those behind it are counted as lost."""
    with receiving(None) as receiver:
        outbox = Outbox(receiver.url)
        for payload in numbers(3):
            outbox.put(payload)
        problem = outbox.close(0)

    assert problem == "3 of 3 calls of the webhook were not delivered: not delivered in time"


def test_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many wait, the oldest is given up: the end of the run is worth more than its beginning."""
    monkeypatch.setattr(outbox_module, "WAITING", 2)
    with receiving(None) as receiver:
        outbox = Outbox(receiver.url, timeout=LONG, pause=0.01)
        outbox.put({"event": "first"})
        while not receiver.calls:
            receiver.over.wait(0.01)
        for payload in numbers(4):
            outbox.put(payload)
        receiver.over.set()
        problem = outbox.close(LONG)

    assert receiver.events == ["first", "first", "2", "3"]
    assert problem == "2 of 5 calls of the webhook were not delivered: too many waited"


@pytest.mark.parametrize("url", ["hooks.example.org/s3cret", "ftp://example.org/s3cret", "http:///s3cret", "s3cret["])
def test_not_a_url(url: str) -> None:
    """A usage error that shows nothing of it."""
    with pytest.raises(RunnerError, match="the webhook is not a URL that begins with http") as caught:
        Outbox(url)

    assert caught.value.exit_code == USAGE
    assert "s3cret" not in str(caught.value)


def test_user_and_password_are_sent_as_such() -> None:
    """Those of the URL go into a header of their own."""
    with receiving() as receiver:
        outbox = Outbox(receiver.url.replace("//", "//me:p%40ss@"))
        outbox.put({"event": "one"})
        assert outbox.close(LONG) == ""

    assert "Authorization: Basic bWU6cEBzcw==" in receiver.raw[0].replace("authorization", "Authorization")


def test_rows_set_aside_are_told_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once for the first, then no call for each chunk, and the rest before the step's end is told."""
    now = [1000.0]
    monkeypatch.setattr("runner.webhook.time.monotonic", lambda: now[0])
    calls: list[Any] = []
    hook = Webhook("hand", calls.append)
    for rejected in range(10):
        hook.moved(LOAD, Counts(loaded=100, rejected=rejected), 1000)
    now[0] += BATCH
    hook.moved(LOAD, Counts(loaded=100, rejected=11, nulled=1), 1000)
    hook.moved(LOAD, Counts(loaded=100, rejected=12, nulled=1), 1000)
    hook.ended(LOAD, 61.5)
    hook.set_aside(INDEX, "orders", {"reconciled": 1234})

    assert [call["event"] for call in calls] == ["set_aside", "set_aside", "set_aside", "done", "set_aside"]
    assert [call["rows"].get("rejected") for call in calls] == [1, 11, 12, 12, None]
    assert calls[3]["text"] == "hand: load.orders is done: 100 rows, 0:01:02"
    assert calls[4]["text"] == "hand: index.orders has set 1,234 rows (1,234 reconciled) of orders aside"
