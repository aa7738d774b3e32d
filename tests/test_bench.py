"""The benchmark's workload is what it says, and nobody in it can be fast by leaving something out."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import bench.site
from bench import content, dirt, load, noop, peers, removal, rows, run
from bench.clinic import SOURCES, TABLES, WORKLOAD, Clinic, clinic
from bench.site import Failed, Site, opened
from bench.site import run as run_program
from runner.manifest import read_plan
from tests.conftest import UNSAFE, memory
from transhume import main

ROOT = Path(__file__).parents[1]
SCALE = 0.0004


@pytest.fixture(scope="module", autouse=True)
def unsafe() -> Iterator[None]:
    """What is looked at here is not how long anything takes: the servers need not wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench.site, "SETTINGS", {**bench.site.SETTINGS, **UNSAFE})
        patch.setenv("TRANSHUME_BENCH_HOME", memory())
        yield


@pytest.fixture(scope="module")
def site(unsafe: None) -> Iterator[Site]:
    """The server of a measurement, as `make bench` starts it, but for the disk."""
    with opened() as made:
        yield made


@pytest.fixture
def here(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command measures happens on this module's server: one of its own for each would take a second or two."""
    for module in (run, rows, dirt, noop, load, removal):
        monkeypatch.setattr(module, "opened", lambda: nullcontext(Site(site.server, tmp_path)))


@pytest.fixture(scope="module")
def tiny(site: Site) -> Clinic:
    """A clinic of some two thousand rows."""
    return clinic(site, SCALE)


def test_the_generator_makes_the_rows_that_it_says(site: Site, tiny: Clinic) -> None:
    """A table has its share of the scale, threads have parents, one in a hundred of which is not there."""
    sources = dict(zip(TABLES, SOURCES, strict=True))
    found = {table: site.execute("source", f"SELECT count(*) FROM {sources[table]}")[0][0] for table in TABLES}
    assert found == dict(tiny.rows) == {
        "offices": 200, "users": 20, "profiles": 20, "doctors": 2, "patients": 200, "orders": 800, "comments": 400,
        "messages": 400,
    }  # fmt: skip
    orphans = """SELECT count(*) FROM care_comment AS c
                 WHERE parent_id IS NOT NULL AND NOT EXISTS (SELECT FROM care_comment AS p WHERE p.id = c.parent_id)"""
    assert site.execute("source", orphans)[0][0] in range(1, 12)
    assert site.execute("source", "SELECT count(DISTINCT tableoid) FROM inbox_message") == [(12,)]


def test_the_same_scale_gives_the_same_rows(site: Site, tiny: Clinic) -> None:
    """Nothing of the workload is left to chance, or two measurements would not be of the same."""
    again = clinic(site, SCALE, "again")
    for table in SOURCES:
        query = f"SELECT sum(hashtextextended(t::text, 0)) FROM {table} AS t"
        assert site.execute(again.source, query) == site.execute(tiny.source, query)


def test_the_specs_are_clean_and_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workload's project is one as a user would write it."""
    monkeypatch.chdir(WORKLOAD)
    result = CliRunner().invoke(main, ["lint", "specs/clinic"])
    assert (result.exit_code, result.stderr) == (0, "")
    result = CliRunner().invoke(main, ["plan", "clinic", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    plan = read_plan(tmp_path / "clinic")
    assert {table.id for table in plan.tables} == set(TABLES)
    built = {kind: sum(len(plan.open(step).all("build")) for step in plan.steps if step.kind == kind)
             for kind in ("index", "constrain")}  # fmt: skip
    page = (ROOT / "docs" / "bench.md").read_text()
    assert f"with {built['index']} indexes and primary keys and {built['constrain']} foreign keys" in page


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_a_round_ends_with_its_figures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One round of everyone who needs no other program; those who do are skipped by name."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    run.main(["--scale", str(SCALE), "--runs", "1"])
    printed = capsys.readouterr().out
    assert "pgloader: not installed, skipped" in printed
    assert "sling: not installed, skipped" in printed
    whole, tenth = json.loads(printed.splitlines()[-1])["fields"]
    ran = [one["name"] for field in (whole, tenth) for one in field["entrants"] if one["seconds"]]
    assert ran == [
        "transhume --jobs 2", "transhume --jobs 2, with its verification", "psql COPY | psql COPY, 2 lanes",
        "psql COPY | psql COPY, one lane", "pg_dump -Fd -j2, pg_restore",
        "pg_dump -Fd -j2, pg_restore, --compress=none",
        "INSERT ... SELECT in one database, one lane", "transhume --jobs 2", "a Python script with executemany",
    ]  # fmt: skip
    assert whole["entrants"][0]["memory_mb"][0] > 1  # of an entrant that ends within a look or two nothing may be seen
    assert len(whole["rollback_seconds"]) == 1


def test_a_cost_is_that_of_the_client_and_of_its_session(site: Site) -> None:
    """Memory and CPU of the processes that ran, the server's among them, though its session has hardly ended."""
    burn = "SELECT count(sha512(x::text::bytea)) FROM generate_series(1, 200000) AS x"
    cost = site.measured(lambda: run_program(site.psql("postgres", "-c", burn, "-c", "SELECT pg_sleep(1)")))
    assert cost.seconds > 1
    assert cost.memory > 1_000_000
    assert cost.server > 0.05  # 0.3 s here, in a process that ends as this is asked
    assert 0 <= cost.clients < cost.seconds


def test_the_check_of_the_content_can_fail(site: Site, tiny: Clinic) -> None:
    """One value that is another, an index that was not built, a row that is missing: each ends the measurement."""
    field = run.Field("", [])
    good = peers.psql(tiny, 2)
    good.prepare()
    good.run()
    field.check(good)
    for statement, what in (
        ("UPDATE app.orders SET memo = memo || '.' WHERE legacy_id = 7", "orders.memo: "),
        ("DROP INDEX app.orders_updated_at_idx", "objects: "),
        ("DELETE FROM app.comments WHERE legacy_id = 13", "comments.rows: 399 in place of 400"),
    ):
        site.execute(peers.TARGET, statement)
        with pytest.raises(SystemExit, match=re.escape(what)):
            field.check(good)


def test_a_copy_that_lost_a_row_is_noticed(site: Site, tiny: Clinic) -> None:
    """Who cannot map is held to the number of rows."""
    copy = peers.dump_and_restore(tiny, compressed=False)
    copy.prepare()
    copy.run()
    field = run.Field("", [])
    field.check(copy)
    site.execute(peers.TARGET, "DELETE FROM inbox_message WHERE id = 5")
    with pytest.raises(SystemExit, match="inbox_message: 399 in place of 400"):
        field.check(copy)


def test_a_tool_that_fails_is_named_and_the_others_go_on(site: Site, tiny: Clinic) -> None:
    """A foreign program may not know this server; that is no reason to lose the figures of the rest."""
    good = peers.inside(tiny)
    broken = replace(good, name="broken", run=lambda: run_fails(), needs="bash")
    results = [run.Result(broken), run.Result(good)]
    run.Field("", results).round(site)
    assert results[0].fault == "broken failed: the last line"
    assert results[1].costs
    assert content.mapped(tiny, peers.INSIDE)["orders.rows"] == 800


def run_fails() -> None:
    """A program that ends badly."""
    raise Failed("a first line\nthe last line")


@pytest.mark.slow
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "module, arguments, key",
    [
        (rows, ["--rows", "200"], "ratio"),
        (dirt, ["--rows", "1000"], "exit_codes"),
        (noop, ["--tables", "2"], "again"),
        (load, ["--rows", "1000"], "medians"),
    ],
    ids=["rows", "dirt", "noop", "load"],
)
def test_a_smaller_measurement_ends_with_its_figures(
    module: object, arguments: list[str], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of the other commands, at a tiny size; and too much dirt ends with the budget's exit code."""
    module.main([*arguments, "--runs", "1"])  # type: ignore[attr-defined]
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert key in found
    if key == "exit_codes":
        assert list(found[key].values()) == [0, 0, 0, 0, 1, 1]


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_a_small_removal_ends_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """What came back is what was there, and the application was never refused, or it ends with an error."""
    removal.main(["--rows", "20000"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["rollback_2"] < 30  # 0.2 s here; nothing is copied
    assert found["restore"] < 300
    assert found["held_ms"] > 0


def test_the_targets_of_make_are_the_modules() -> None:
    """Every measurement has its `make` target, and docs/bench.md tells of it."""
    makefile, page = (ROOT / "Makefile").read_text(), (ROOT / "docs" / "bench.md").read_text()
    for target, module in (("bench", "run"), *((f"bench-{name}", name) for name in
                           ("rows", "dirt", "noop", "load", "compile", "removal"))):  # fmt: skip
        assert re.search(rf"^{target}: .*\n\t.* -m bench\.{module}\b", makefile, re.MULTILINE), target
        assert f"`make {target}`" in page, target
