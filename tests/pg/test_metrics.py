"""What a run tells beside the screen is what docs/metrics.md says: events, metrics, calls; and none holds a secret."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runner import outbox
from runner.apply import apply
from runner.commands.telling import DRAIN
from runner.journal import Counts
from runner.manifest import Step, read_plan
from runner.metrics import Metrics, serving
from runner.progress import EVERY, WINDOW, Fan, Sample, Silent
from runner.verify import verify
from runner.webhook import BATCH
from tests.pg.migration import TRANSHUME, Migration
from tests.receiver import Receiver, receiving

Make = Callable[..., Migration]
PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
TYPES: dict[str, Any] = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "array": list}
BROKEN = {"verify.orders": ("SELECT max(t.legacy_id)", "SELECT 1 / 0")}


def table(title: str, number: int = 0) -> Iterator[list[str]]:
    """The rows of a chapter's table, a list of cells each."""
    chapter = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    block = re.findall(r"(?:^\|.*\n)+", chapter, re.MULTILINE)[number]
    return ([cell.strip(" `") for cell in line.strip("|\n").split("|")] for line in block.splitlines()[2:])


def fields(text: str) -> tuple[set[str], set[str]]:
    """Those that are always there, and those that may be there too."""
    names = set(text.split(", "))
    return {name for name in names if not name.endswith("?")}, {name.rstrip("?") for name in names}


def assert_as_documented(found: list[dict[str, Any]], title: str, common: set[str]) -> None:
    """Every event has the fields that the page gives it, and no other but those that all have."""
    known = {event: fields(text) for event, _, text in table(title)}
    for one in found:
        always, maybe = known[one["event"]]
        assert always | common <= set(one) <= maybe | common | {"run"}, one


def test_events_are_as_documented(migrations: Make, tmp_path: Path) -> None:
    """A run that fails, one that ends, and that one once more: every event of the page, with the types given there.

    What was set aside, by step, is what the accounts say at the end; a failure is told with its step.
    """
    path = tmp_path / "events.jsonl"
    failed = migrations(rows=200, edits=BROKEN).command("apply", "--json", "--events", str(path))
    assert failed.returncode == 1
    events = read(path.read_text("utf-8"))
    assert sorted(map(title, read(failed.stdout))) == sorted(map(title, events))
    whole = migrations(rows=200)
    for before in (False, True):
        done = whole.command("apply", "--events", str(path))
        assert done.returncode == 0, done.stderr
        assert "Where every row is" in done.stdout
        assert read(path.read_text("utf-8"))[-1]["before"] is before
    told = read(path.read_text("utf-8"))

    assert told[: len(events)] == events
    assert {one["event"] for one in told} == {event for event, _, _ in table("Events")}
    assert_as_documented(told, "Events", {"event", "at"})
    assert all("run" in one for one in told)
    types = {name: TYPES[kind] for names, kind, _ in table("Events", 1) for name in names.split(", ")}
    for one in told:
        assert all(isinstance(value, types[name]) for name, value in one.items()), one
    assert_adds_up([one for one in told if one["run"] == told[-1]["run"]])
    endings = [(one.get("step"), one["error"]) for one in told if one["event"] in ("failed", "stopped")]
    assert endings == [("verify.orders", "division by zero [22012]"), (None, "division by zero [22012]")]


def assert_adds_up(told: list[dict[str, Any]]) -> None:
    """The last of the events about rows set aside are the accounts'."""
    aside = {
        (one["table"], action): one[action]
        for one in told
        if one["event"] == "set_aside"
        for action in ("rejected", "reconciled")
        if one.get(action)
    }
    assert aside == {
        (one["table"], action): one[action]
        for one in told[-1]["accounts"]
        for action in ("rejected", "reconciled")
        if one[action]
    }


def read(text: str) -> list[dict[str, Any]]:
    """The events of a text."""
    return [json.loads(line) for line in text.splitlines()]


def title(event: dict[str, Any]) -> tuple[str, str]:
    """What an event is about; two files differ in clocks and in the order of steps side by side."""
    return event["event"], event.get("step", "")


class Scraping(Silent):
    """Scrapes while a run is at work: at the first chunk, and when its steps are over."""

    def __init__(self, metrics: Metrics, url: str) -> None:
        self.metrics, self.url = metrics, url
        self.first: dict[tuple[str, ...], float] = {}
        self.last: dict[tuple[str, ...], float] = {}
        self.lock = threading.Lock()

    def moved(self, step: Step, counts: Counts, size: int) -> None:
        """Scrape once."""
        with self.lock:
            self.first = self.first or self.scrape()

    def close(self) -> None:
        """Scrape what Prometheus would see last."""
        self.last = self.scrape()

    def scrape(self) -> dict[tuple[str, ...], float]:
        """Every sample, by its name and the values of its labels, in the order of these."""
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            text = answer.read().decode()
        families = text_string_to_metric_families(text)
        return {
            (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
            for family in families
            for one in family.samples
        }


def test_a_run_is_scraped(migrations: Make) -> None:
    """The metrics of the page, no others; rows as the accounts have them; gone when the run is over."""
    migration = migrations(rows=300)
    metrics = Metrics("hand")
    with serving(metrics, "127.0.0.1", 0) as url:
        scraping = Scraping(metrics, url)
        outcome = apply(read_plan(migration.folder), migration.places, Fan(metrics, scraping))
    with pytest.raises(urllib.error.URLError):
        scraping.scrape()

    assert {name for name, *_ in scraping.last} == {name for name, _, _ in table("Prometheus")}
    assert scraping.first["transhume_steps", "running"] >= 1
    assert scraping.last["transhume_steps", "done"] == 13
    assert scraping.last["transhume_run_info", "hand", str(outcome.run.run)] == 1
    assert scraping.last["transhume_memory_bytes",] > 10 * 2**20
    assert ("transhume_step_seconds", "load.orders") in scraping.last
    for one in outcome.accounts:
        for name in ("loaded", "filtered", "rejected", "reconciled"):
            found = scraping.last.get(("transhume_rows_total", name, one.table), 0)
            assert found == getattr(one, name), (one.table, name)
        assert scraping.last["transhume_source_rows", one.table] == one.source


def test_a_verification_is_scraped(migrations: Make) -> None:
    """Its steps are those that are done and checked; what is red has failed."""
    migration = migrations(rows=100)
    migration.apply()
    migration.ask("UPDATE app.patient SET email = 'x' WHERE legacy_id = 1")
    metrics = Metrics("hand")
    with serving(metrics, "127.0.0.1", 0) as url:
        verify(read_plan(migration.folder), migration.places, progress=metrics)
        found = Scraping(metrics, url).scrape()

    states = {state: found["transhume_steps", state] for state in ("waiting", "running", "done", "failed")}
    assert states == {"waiting": 0, "running": 0, "done": 12, "failed": 1}
    assert ("transhume_step_seconds", "verify.patient") in found
    assert not any(name == "transhume_rows_total" for name, *_ in found)


def test_a_pause_is_seen() -> None:
    """Held, its lanes, its rate."""
    metrics = Metrics("hand")
    with serving(metrics, "127.0.0.1", 0) as url:
        metrics.sampled(Sample(1, 3, "replication lag", 12.5))
        found = Scraping(metrics, url).scrape()

    assert (found["transhume_held",], found["transhume_lanes",]) == (1, 3)
    assert found["transhume_rows_per_second",] == 12.5


@pytest.mark.parametrize("command", ["apply", "verify"])
def test_where_metrics_are_is_told(migrations: Make, command: str) -> None:
    """On stderr; the command does its work as ever, and its output is as ever."""
    migration = migrations(rows=50)
    if command == "verify":
        migration.apply()
    done = migration.command(command, "--metrics", "0", "--json")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^metrics: http://127\.0\.0\.1:\d+/metrics$", done.stderr, re.MULTILINE)
    assert all(json.loads(line) for line in done.stdout.splitlines())


def test_a_port_that_is_taken(migrations: Make) -> None:
    """A usage error, before anything is done."""
    migration = migrations(rows=0)
    with serving(Metrics("other"), "127.0.0.1", 0) as url:
        port = url.split(":")[2].partition("/")[0]
        done = migration.command("apply", "--metrics", port)

    assert done.returncode == 2
    assert done.stderr.startswith(f"error: metrics cannot be served at 127.0.0.1:{port}: Address already in use")
    assert migration.ask("SELECT to_regclass('transhume.run')") == [(None,)]


def test_calls_are_as_documented(migrations: Make) -> None:
    """A run with rows set aside, and one that fails: every event of the page, in order, the last one last."""
    with receiving(500) as receiver:
        done = migrations(rows=200).command("apply", TRANSHUME_WEBHOOK=receiver.url)
        assert done.returncode == 0, done.stderr
    calls = receiver.calls[1:]  # the first was tried twice
    assert receiver.calls[0] == receiver.calls[1]
    assert calls[-1]["event"] == "finished"
    assert sum(one["event"] == "done" for one in calls) == 13
    loads = [one for one in calls if one.get("step") == "load.patient"]
    assert [one["event"] for one in loads] in (["set_aside", "done"], ["set_aside", "set_aside", "done"])
    assert loads[-2]["rows"]["rejected"] == loads[-1]["rows"]["rejected"] == 4

    with receiving() as second:
        failed = migrations(rows=200, edits=BROKEN).command("apply", "--webhook", second.url)
        assert failed.returncode == 1
    assert [one["event"] for one in second.calls[-2:]] == ["failed", "stopped"]
    found = calls + second.calls
    assert {one["event"] for one in found} == {event for event, _, _ in table("Webhook")}
    assert_as_documented(found, "Webhook", {"event", "at", "project", "text"})
    assert [one["at"] for one in calls] == sorted(one["at"] for one in calls)


def test_a_webhook_that_fails_costs_nothing_but_a_line(migrations: Make) -> None:
    """The run is done; how many calls were lost is said once."""
    with receiving(*[404] * 100) as receiver:
        done = migrations(rows=50).command("apply", "--webhook", receiver.url)

    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if "webhook" in line]
    assert len(told) == 1
    assert re.fullmatch(
        r"(\d+) of \1 calls of the webhook were not delivered: the receiver answers with HTTP status 404", told[0]
    )


def test_the_numbers_of_the_page() -> None:
    """Those of the code."""
    for text in (
        f"sampled` | every {'five' if EVERY == 5 else EVERY} seconds",
        f"at most one call in {'ten' if BATCH == 10 else BATCH} seconds",
        f"A receiver has {outbox.TIMEOUT:.0f} seconds to answer",
        f"tried {'three' if outbox.TRIES == 4 else outbox.TRIES - 1} times more",
        f"Up to {outbox.WAITING} calls wait",
        f"what waits has {DRAIN:.0f} seconds more",
        "answers 408, 425, 429 or 5xx",
        f"rows a second over the last {'ten' if WINDOW == 10 else WINDOW} seconds",
    ):
        assert text in PAGE
    assert {408, 425, 429, *range(500, 600)} == outbox.AGAIN


def secrets(receiver: Receiver, migration: Migration, *options: str) -> subprocess.CompletedProcess[str]:
    """Apply with a password in the URLs of both databases and a token in that of the webhook."""
    environment = migration.environment(TRANSHUME_WEBHOOK=f"{receiver.url}/t0ken?key=t0ken")
    for name in ("LEGACY_DATABASE_URL", "TARGET_DATABASE_URL"):
        environment[name] = psycopg.conninfo.make_conninfo(environment[name], password="s3cret")
    return subprocess.run(
        [*TRANSHUME, "apply", str(migration.folder), *options], env=environment, capture_output=True, text=True,
        timeout=120, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["none", "step", "server", "receiver"])
def test_no_secret_is_told(migrations: Make, tmp_path: Path, fault: str) -> None:
    """Whatever fails, neither password nor token is in an output, an event, a payload or the journal."""
    migration = migrations(rows=100, edits=BROKEN if fault == "step" else {})
    if fault == "server":
        migration = Migration(migration.folder, migration.source, psycopg.conninfo.make_conninfo(
            migration.target, dbname="nowhere"))  # fmt: skip
    events = tmp_path / "events.jsonl"
    with receiving(*[404] * (100 if fault == "receiver" else 0)) as receiver:
        ended = [secrets(receiver, migration, "--events", str(events), *more) for more in ((), ("--json",))]
    bodies = "".join(raw.partition("\n\n")[2] for raw in receiver.raw)
    output = "".join(done.stdout + done.stderr for done in ended) + events.read_text("utf-8") + bodies
    if fault != "server":
        output += str(migration.ask("SELECT array_agg(r::text) FROM transhume.run AS r"))
        output += str(migration.ask("SELECT array_agg(e::text) FROM transhume.event AS e"))
        output += str(migration.ask("SELECT array_agg(s::text) FROM transhume.step AS s"))

    assert {done.returncode for done in ended} == ({0} if fault in ("none", "receiver") else {1})
    assert bodies
    assert "s3cret" not in output
    assert "t0ken" not in output
