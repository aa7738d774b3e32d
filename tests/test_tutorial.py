"""The tutorial does what it says: its files are written and its commands are run, in order, as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Databases

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def shell(text: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a block of commands; what it printed."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def environment(databases: Databases) -> dict[str, str]:
    """The reader's environment: the commands on the PATH, and two empty databases."""
    pair = databases()
    folders = [str(Path(sys.executable).parent), str(databases.server.bin), os.environ["PATH"]]
    urls = {"LEGACY_DATABASE_URL": pair.source, "TARGET_DATABASE_URL": pair.target}
    return {**os.environ, **urls, "PATH": os.pathsep.join(folders)}


@pytest.mark.slow
def test_every_block_of_the_tutorial_works(tmp_path: Path, environment: dict[str, str]) -> None:
    """From an empty folder to a verified migration and back, with the rejects that the text promises."""
    printed: dict[str, str] = {}
    for block in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        if block["file"]:
            path = tmp_path / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], encoding="utf-8")
        elif "export " not in block["text"]:
            printed[block["text"].strip()] = shell(block["text"], tmp_path, environment)

    rejects = printed["transhume rejects plans/shop"]
    assert [reason in rejects for reason in ("born_on", "status", "customer_id")] == [True] * 3
    assert len(printed) == 7
