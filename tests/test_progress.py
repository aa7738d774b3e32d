"""Progress: what each teller makes of what a run tells."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from multiprocessing.synchronize import Event as EventType
from pathlib import Path

import pytest
from rich.console import Console

from runner import memory
from runner.bars import Bars
from runner.errors import USAGE, RunnerError
from runner.figures import Figures
from runner.journal import Counts, Run
from runner.json_events import Appended, Events
from runner.manifest import Step, read_plan
from runner.progress import Fan, Lines, Progress, Sample, Silent

LOAD = Step("load.orders", "load", "target", "load/orders.sql", "0" * 64, (), True, "orders", "")
INDEX = Step("index.orders", "index", "target", "index/orders.sql", "0" * 64, (), True, "orders", "")
RUN = Run(uuid.UUID(int=7), "hand", "", "", "", "open", 1, "", datetime(2024, 5, 1, tzinfo=UTC), None, None)
MB = 2**20


def hold(ready: EventType, end: EventType) -> None:
    """Hold 64 MB, in a worker."""
    held = bytearray(64 * MB)
    held[::4096] = b"x" * len(held[::4096])
    ready.set()
    end.wait()


def test_memory_is_that_of_the_workers_too() -> None:
    """A worker that holds 64 MB counts for as long as it lives."""
    context = multiprocessing.get_context("spawn")
    ready, end = context.Event(), context.Event()
    before = memory.resident()
    worker = context.Process(target=hold, args=(ready, end))
    worker.start()
    assert ready.wait(60)
    during = memory.resident()
    end.set()
    worker.join()

    assert during - before > 60 * MB
    assert memory.resident() - before < 30 * MB


def test_a_process_that_has_vanished_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the list of the workers and the look at one, that one may end."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        pass
    monkeypatch.setattr(multiprocessing, "active_children", lambda: [child])

    assert memory.resident() > MB


def test_everyone_is_told() -> None:
    """Fan hands every call of the protocol on, with what it was given, in order."""
    told: list[tuple[object, ...]] = []

    class Ear:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, call: str) -> object:
            return lambda *given: told.append((self.name, call, *given))

    calls = [name for name in vars(Progress) if not name.startswith("_")]
    left, right = Ear("left"), Ear("right")
    fan = Fan(left, right)  # type: ignore[arg-type] # it answers to every name
    for call in calls:
        arguments = range(getattr(Silent, call).__code__.co_argcount - 1)
        getattr(fan, call)(*arguments)
        assert told == [("left", call, *arguments), ("right", call, *arguments)]
        told.clear()


def test_peaks() -> None:
    """A step's peak is the most of the samples while it was at work, or the last one before it."""
    figures = Figures()
    figures.sampled(Sample(50 * MB, 0, "", 0))
    figures.began(LOAD)
    figures.sampled(Sample(80 * MB, 0, "", 0))
    figures.sampled(Sample(60 * MB, 0, "", 0))
    assert figures.moving == 1
    figures.ended(LOAD, 1)
    figures.began(INDEX)
    figures.sampled(Sample(90 * MB, 0, "", 0))

    assert figures.peak(LOAD) == 80 * MB
    assert figures.peak(INDEX) == 90 * MB
    assert figures.moving == 0


def test_a_rate_that_leaves_out_what_was_moved_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed load's first chunk tells of all rows so far; they are no speed."""
    clock = iter((100.0, 102.0, 104.0))
    monkeypatch.setattr("runner.progress.time.monotonic", lambda: next(clock))
    figures = Figures()
    figures.moved(LOAD, Counts(1_000_000), 2_000_000)
    assert figures.sample(2).rate == 0
    figures.moved(LOAD, Counts(1_001_000), 2_000_000)
    assert figures.sample(2).rate == 500
    sample = figures.sample(1, "replication lag")

    assert (sample.rate, sample.lanes, sample.hold) == (250, 1, "replication lag")


def test_lines_say_why_the_run_pauses() -> None:
    """Once when it does, once when it goes on."""
    lines: list[str] = []
    teller = Lines(lines.append)
    for hold in ("", "3 sessions wait", "3 sessions wait", ""):
        teller.sampled(Sample(MB, 1, hold, 0))

    assert lines == ["paused: 3 sessions wait", "going on"]


def test_bars_show_memory_and_why_the_run_pauses() -> None:
    """Beside the bar of the run; a sample before it is there shows nothing."""
    out = io.StringIO()
    bars = Bars(Console(file=out, force_terminal=True, width=120))
    bars.sampled(Sample(85 * MB, 1, "", 0))
    bars.begin(read_plan(Path(__file__).parents[1] / "plans" / "dispatch"), RUN, 0)
    bars.sampled(Sample(85 * MB, 1, "3 sessions wait", 0))
    bars.close()

    assert "85 MB  paused: 3 sessions wait" in out.getvalue()


def test_sampled_now_and_then() -> None:
    """A sample twice a second is an event every few seconds, and one whenever the run pauses or goes on."""
    lines: list[str] = []
    events = Events(lines.append)
    for hold in ("", "", "asked to", "asked to", ""):
        events.sampled(Sample(MB, 2, hold, 12.4))

    found = [json.loads(line) for line in lines]
    assert [one["hold"] for one in found] == ["", "asked to", ""]
    assert {(one["event"], one["memory"], one["lanes"], one["rate"]) for one in found} == {("sampled", MB, 2, 12)}


def test_rows_set_aside_when_there_are_more() -> None:
    """Not with every chunk."""
    lines: list[str] = []
    events = Events(lines.append)
    for rejected in (0, 2, 2, 5):
        events.moved(LOAD, Counts(loaded=10, rejected=rejected), 100)

    found = [json.loads(line) for line in lines]
    assert [one["rejected"] for one in found if one["event"] == "set_aside"] == [2, 5]


def test_a_file_of_events_is_added_to(tmp_path: Path) -> None:
    """What is there stays; a line is there as soon as it was told."""
    path = tmp_path / "events.jsonl"
    for text in ("one", "two"):
        file = Appended(path)
        file.write(text)
        assert path.read_text("utf-8").endswith(f"{text}\n")
        file.close()

    assert path.read_text("utf-8") == "one\ntwo\n"
    with pytest.raises(RunnerError, match="cannot be written: Is a directory") as caught:
        Appended(tmp_path)
    assert caught.value.exit_code == USAGE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_file_that_cannot_be_written_any_more() -> None:
    """A full disk ends the events, not the run."""
    file = Appended(Path("/dev/full"))
    file.write("one")
    file.write("two")

    assert file.problem == "/dev/full is not complete: No space left on device"
    file.close()
