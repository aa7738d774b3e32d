"""What tests of the runner may ask for: migrations of the plan that is written by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner import embedded
from tests.conftest import Databases
from tests.pg import by_hand
from tests.pg.compiled import Projects
from tests.pg.crashing import SETTINGS
from tests.pg.migration import Migration


@pytest.fixture
def migrations(databases: Databases, tmp_path: Path) -> Callable[..., Migration]:
    """Makes a migration of so many patients; the other options are those of by_hand.write_plan."""

    def make(rows: int = 1000, **options: Any) -> Migration:
        folder = by_hand.write_plan(tmp_path / "hand", **options)
        source = databases.create("source", by_hand.source(rows))
        one = options.get("databases") == 1
        return Migration(folder, source, source if one else databases.create("target"))

    return make


@pytest.fixture
def projects(databases: Databases, tmp_path: Path) -> Projects:
    """Makes migrations whose plans are compiled from specs."""
    return Projects(databases, tmp_path)


@pytest.fixture(scope="module")
def fragile() -> Iterator[Path]:
    """The state folder of a server that keeps its promises in a crash, and that may be crashed."""
    with tempfile.TemporaryDirectory(prefix="transhume-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        embedded.start(folder, settings=SETTINGS)
        yield folder
        embedded.stop(folder)
