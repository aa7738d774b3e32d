"""Who is told of a run: what the options accept, and that an end is told to all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runner.commands.telling import Listen, ListenType, telling
from runner.errors import RunnerError
from runner.progress import Silent
from tests.receiver import receiving


@pytest.mark.parametrize(
    "text, found",
    [
        ("9100", Listen("127.0.0.1", 9100)),
        ("0.0.0.0:9100", Listen("0.0.0.0", 9100)),
        ("localhost:0", Listen("localhost", 0)),
        ("[::1]:9100", Listen("::1", 9100)),
    ],
)
def test_addresses(text: str, found: Listen) -> None:
    """A port alone is one of this machine only."""
    assert ListenType().convert(text, None, None) == found


@pytest.mark.parametrize("text", ["", "here", "70000", "a:b:1", "::1:9100", ":9100", "-1"])
def test_not_an_address(text: str) -> None:
    """A usage error."""
    with pytest.raises(click.BadParameter, match="is not a port, and not an address such as"):
        ListenType().convert(text, None, None)


@pytest.mark.parametrize(
    "error, told", [(RunnerError("refused", "a hint"), "refused"), (ZeroDivisionError("a row"), "ZeroDivisionError")]
)
def test_an_error_is_told_to_all(error: Exception, told: str, tmp_path: Path) -> None:
    """Its sentence, or the name of a bug, whose text might hold anything; and it goes on its way."""
    path = tmp_path / "events.jsonl"
    with receiving() as receiver, pytest.raises(type(error)), telling("hand", Silent(), None, receiver.url, path):
        raise error

    (event,) = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    (call,) = receiver.calls
    assert (event["event"], event["error"]) == (call["event"], call["error"]) == ("stopped", told)
    assert call["text"] == f"hand: stopped: {told}"


def test_who_does_not_ask_does_not_pay() -> None:
    """The libraries of the endpoint and of the webhook are loaded where their options are given."""
    script = "import sys, runner.commands.apply, runner.commands.verify; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert {"prometheus_client", "urllib3"} & set(done.stdout.split()) == set()
