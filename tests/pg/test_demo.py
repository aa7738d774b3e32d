"""`transhume demo`: the committed specs, compiled, applied and verified on the embedded server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runner import demo as data
from runner import embedded
from runner.commands.demo import demo
from runner.embedded import Server
from runner.errors import RunnerError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Iterator[Path]:
    """A folder with the demo's specs, as the current one; the demo's databases, on the fast server, go with it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "specs" / data.PROJECT, tmp_path / "specs" / data.PROJECT)
    yield tmp_path
    with embedded.running() as server:
        for side in ("source", "target"):
            embedded.drop_database(server, f"{data.PROJECT}_{side}")


def run(*arguments: str) -> Result:
    """The command, as from a shell."""
    return CliRunner().invoke(demo, arguments, catch_exceptions=False)


def table(output: str) -> dict[str, list[int]]:
    """The numbers of the table of where every row is, by table."""
    lines = [line.replace("│", " ").replace(",", "").split() for line in output.splitlines()]
    return {words[0]: [int(word) for word in words[1:]] for words in lines if len(words) == 7 and words[1].isdigit()}


@pytest.mark.slow
def test_the_demo_ends_with_every_row_accounted_for(clone: Path) -> None:
    """source = moved + filtered + rejected + reconciled for each table; the specs need no change at scale 1."""
    result = run(data.PROJECT)
    found = table(result.output)

    assert result.exit_code == 0, result.output
    assert list(found) == ["offices", "profiles", "comments", "doctors", "patients", "orders", "all"]
    for source, moved, filtered, rejected, reconciled, _nulled in found.values():
        assert source == moved + filtered + rejected + reconciled
    assert found["offices"] == [200, 200, 0, 0, 0, 0]
    assert found["orders"][0] == 100_000
    assert all(count > 0 for count in found["orders"][:5])
    assert "checks are green" in result.output
    assert (clone / "plans" / data.PROJECT / "PLAN.md").is_file()


@pytest.mark.slow
def test_keep_goes_on_with_what_is_there(clone: Path) -> None:
    """A second demo on the same databases has nothing to do, and says so with the same table."""
    assert clone.is_dir()
    first = run(data.PROJECT, "--scale", "0.05")
    second = run(data.PROJECT, "--keep")

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert table(second.output) == table(first.output)


def test_without_specs_it_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder has nothing to compile and nothing to apply; no server is started for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embedded, "running", lambda: pytest.fail("the server was started"))

    result = run(data.PROJECT)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: there are no specs/dispatch and no plans/dispatch here\n  = hint: ")


def test_a_server_that_cannot_start_is_one_sentence(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the embedded server says is shown without a traceback."""

    def fails() -> None:
        raise RunnerError("the embedded server does not start", "read its log")

    shutil.rmtree(clone / "specs")
    (tmp_path / "plans" / data.PROJECT).mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "running", fails)
        result = run(data.PROJECT)

    assert result.exit_code == 1
    assert result.stderr == "error: the embedded server does not start\n  = hint: read its log\n"
