"""What every test may ask for: a running server, and fresh source and target databases on it.

Tests run on the embedded PostgreSQL, or on the binaries that TRANSHUME_TEST_PG_BIN names. Those marked `both_servers`
run twice: on the embedded one, and on PostgreSQL 15 (or TRANSHUME_TEST_PG_BIN) where that is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from runner import embedded
from runner.embedded import Server
from tests.faults.report import Faults, Usual

CHOSEN = os.environ.get("TRANSHUME_TEST_PG_BIN")
SECOND = Path(CHOSEN or "/usr/lib/postgresql/15/bin")
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # tests of crashes bring their own
# Autovacuum visits every database once a nap: with hundreds of them it would be at work all the time.
SETTINGS = {**UNSAFE, "autovacuum_naptime": "1h"}
ROOM = 6 * 2**30
ASKED: set[tuple[Path, str]] = set()  # the templates that were asked for, by the server's data folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: write what the program gives into tests/golden; the diff is the review.

    `--faults`: run the table of faults, all of it and nothing else (tests/faults/rows.py).
    """
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/*/*/expected and stderr.txt")
    parser.addoption("--faults", action="store_true", help="run every test that docs/faults.md names; show the table")
    parser.addoption("--kills", type=int, default=10, help="at how many random instants runs are killed")


def pytest_configure(config: pytest.Config) -> None:
    """Choose between the whole suite and the faults."""
    config.pluginmanager.register(Faults() if config.getoption("--faults") else Usual())


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether what is expected is to be rewritten."""
    return bool(request.config.getoption("--update-golden"))


@dataclass(frozen=True, slots=True)
class Pair:
    """How to connect to a test's two databases."""

    source: str
    target: str


@dataclass(slots=True)
class Databases:
    """Makes databases for one test; calling it gives a source and a target, and all of them are dropped after the test.

    A text of SQL that is asked for again is run into a template, of which every later test gets a copy: most texts are
    asked for once, and a template would be a second database for them.
    """

    server: Server
    made: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, source: str = "", target: str = "") -> Pair:
        """Two fresh databases, each filled by its SQL."""
        return Pair(self.create("source", source), self.create("target", target))

    def create(self, role: str, content: str = "") -> str:
        """One fresh database; how to connect to it."""
        name = f"{role}_{os.getpid()}_{next(self.numbers)}"
        template = self._template(content) if content else None
        embedded.create_database(self.server, name, template)
        self.made.append(name)
        if content and template is None:
            self._fill(name, content)
        return self.server.conninfo(name)

    def drop(self) -> None:
        for name in self.made:
            embedded.drop_database(self.server, name)

    def _fill(self, name: str, content: str) -> None:
        with psycopg.connect(self.server.conninfo(name), autocommit=True) as connection:
            connection.execute(content.encode())

    def _template(self, content: str) -> str | None:
        """The database to copy; None where the text is asked for the first time."""
        name = f"template_{os.getpid()}_{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        if (self.server.data, name) not in ASKED:
            ASKED.add((self.server.data, name))
            return None
        if name not in embedded.databases(self.server):
            embedded.create_database(self.server, name)
            try:
                self._fill(name, content)
            except BaseException:
                embedded.drop_database(self.server, name)
                raise
        return name


def memory() -> str:
    """Where nothing waits for a disk, if there is room: a worker's databases take up to 1 GB. Else /tmp."""
    place = Path("/dev/shm")
    free = shutil.disk_usage(place).free if place.is_dir() and os.access(place, os.W_OK) else 0
    return str(place) if min(free, psutil.virtual_memory().available) >= ROOM else "/tmp"


@contextlib.contextmanager
def fresh_folder(place: str = "/tmp") -> Iterator[Path]:
    """A state folder that ends with its servers: a short path for a socket, where the server's user may pass."""
    folder = Path(tempfile.mkdtemp(prefix="transhume-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        for binaries in (embedded.embedded_bin(), SECOND):
            if (binaries / "postgres").exists():
                embedded.stop(folder, bin=binaries)
        shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """A state folder for one test, which may kill the server in it."""
    with fresh_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def state_folder() -> Iterator[Path]:
    """The state folder of this process's tests; no test touches the developer's own."""
    with fresh_folder(memory()) as folder:
        yield folder


@pytest.fixture(scope="session", autouse=True)
def clean_environment(state_folder: Path) -> Iterator[None]:
    """Nothing that the developer has set reaches a test: no database, PG* variable, webhook, state folder."""
    with pytest.MonkeyPatch.context() as patch:
        ends = ("DATABASE_URL", "TRANSHUME_WEBHOOK")
        for name in [name for name in os.environ if name.startswith("PG") or name.endswith(ends)]:
            patch.delenv(name)
        patch.setenv("TRANSHUME_HOME", str(state_folder))
        yield


@pytest.fixture(scope="session")
def servers(state_folder: Path) -> Iterator[contextlib.ExitStack]:
    """Holds the servers that tests started, until the session ends."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: contextlib.ExitStack, state_folder: Path) -> Server:
    """A running server that loses data in a crash, and is fast."""
    chosen = getattr(request, "param", Path(CHOSEN) if CHOSEN else None)
    server = servers.enter_context(embedded.running(state_folder, settings=SETTINGS, bin=chosen))
    servers.callback(crash, server)
    return server


def crash(server: Server) -> None:
    """End a server whose databases nobody needs any more: in order, it would write all of them out first."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(server.pid)
        process.send_signal(signal.SIGQUIT)
        process.wait(60)


@pytest.fixture
def databases(server: Server) -> Iterator[Databases]:
    """Makes fresh databases; see Databases."""
    made = Databases(server)
    yield made
    made.drop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_servers` on both."""
    if metafunc.definition.get_closest_marker("both_servers") and "server" in metafunc.fixturenames:
        missing = pytest.mark.skipif(not (SECOND / "postgres").exists(), reason=f"no PostgreSQL in {SECOND}")
        params = [pytest.param(None, id="embedded"), pytest.param(SECOND, id="second", marks=missing)]
        metafunc.parametrize("server", params, indirect=True, scope="session")
