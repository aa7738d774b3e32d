"""The front door lists every command without loading any, and ends as shells expect."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from typing import NoReturn

import click
import pytest
from click.testing import CliRunner

import transhume
from transhume import COMMANDS, Entry, main

HEAVY = {
    "compiler",
    "runner",
    "psycopg",
    "sqlglot",
    "pathspec",
    "jinja2",
    "jsonschema",
    "networkx",
    "yaml",
    "rich",
    "psutil",
    "tenacity",
    "prometheus_client",
    "urllib3",
}


@pytest.mark.parametrize("argument", ["--help", "--version", "aply"])
def test_the_front_door_loads_nothing_heavy(argument: str) -> None:
    """Help, version and a typing error import neither half of the program, nor a library of theirs."""
    script = (
        "import json, sys, transhume\n"
        f"sys.argv = ['transhume', {argument!r}]\n"
        "try: transhume.main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))

    assert loaded & HEAVY == set()
    assert "click" in loaded


def test_help_lists_every_command() -> None:
    """Each command has its line, in the order in which a migration needs them."""
    result = CliRunner().invoke(main, ["--help"])
    listed = [
        line.split()[0] for line in result.output.partition("Specs and plans")[2].splitlines() if line[:2] == "  "
    ]

    assert result.exit_code == 0
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_an_example(name: str) -> None:
    """`transhume NAME --help` says what the command does, and how it is called."""
    if importlib.util.find_spec(COMMANDS[name].module) is None:
        pytest.skip(f"{COMMANDS[name].module} is not written yet")
    result = CliRunner().invoke(main, [name, "--help"])

    assert result.exit_code == 0, result.output
    assert f"Usage: main {name}" in result.output
    assert "Example" in result.output
    assert f"\n    transhume {name}" in result.output, "an example keeps its line"


def test_an_unknown_command_is_a_usage_error() -> None:
    """A command that does not exist ends with 2, and names the close ones."""
    result = CliRunner().invoke(main, ["aply"])

    assert result.exit_code == 2
    assert 'Error: no such command "aply"; did you mean apply?' in result.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    """An option that does not exist ends with 2."""
    assert CliRunner().invoke(main, ["--halp"]).exit_code == 2


def test_version() -> None:
    """The version is that of the installed package."""
    assert CliRunner().invoke(main, ["--version"]).output == "main 0.1.0\n"


def test_a_missing_library_is_no_traceback() -> None:
    """A broken installation is named, with what to do about it."""
    script = "import sys, transhume; sys.modules['psycopg'] = None; sys.argv = ['', 'doctor']; transhume.main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == 'Error: the library "psycopg" is not installed; reinstall transhume\n'


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is interrupted while it runs."""

    @click.command()
    def wait() -> NoReturn:
        """Be interrupted."""
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
        raise AssertionError("not interrupted")

    monkeypatch.setattr(transhume, "wait", wait, raising=False)
    monkeypatch.setitem(COMMANDS, "wait", Entry("transhume", "wait", "Be interrupted."))


@pytest.mark.usefixtures("waiting")
def test_an_interrupted_command_ends_with_130_and_one_line() -> None:
    """Ctrl-C shows no traceback, and the shell sees 130."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        result = CliRunner().invoke(main, ["wait"])
    finally:
        signal.signal(signal.SIGINT, before)

    assert result.exit_code == 130
    assert result.stderr == "\ninterrupted\n"
