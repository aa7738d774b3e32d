"""Real databases, taken through the whole tool as an operator would: the command line, one process a command.

The dumps are in ../shared/data beside the repository, and are not part of it; a test that needs them is skipped where
they are missing. Each database has a folder here: specs/<project>/ with the specs that are written by hand. What
`transhume snapshot` and `transhume init` write goes into a copy of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

from runner import embedded
from runner.embedded import Server
from tests.conftest import Databases

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"
# The embedded server is built without lz4 and without libxml: there, pgtypes has no rows of xml.
HARMLESS = re.compile(
    r'extension "plpgsql" already exists|compression method lz4 not supported|unsupported XML feature'
)

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class Project:
    """A copy of a project's folder, and the two databases that its environment names."""

    name: str
    folder: Path
    source: str
    target: str

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """What `transhume COMMAND ARGUMENTS` printed; it must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "transhume", command, *arguments],
            cwd=self.folder,
            env=os.environ | {"LEGACY_DATABASE_URL": self.source, "TARGET_DATABASE_URL": self.target},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def compile(self, *init: str) -> None:
        """Snapshot both databases, draft the specs that are not written by hand, and write the plan."""
        self.run("snapshot", self.name)
        self.run("init", self.name, *init)
        self.run("lint", self.name)
        self.run("plan", self.name)

    def apply(self) -> str:
        return self.run("apply", f"plans/{self.name}")

    def verify(self) -> str:
        return self.run("verify", f"plans/{self.name}")

    def rollback(self) -> str:
        return self.run("rollback", f"plans/{self.name}", "--yes")

    def both(self) -> tuple[Connection, Connection]:
        """A connection to the source and one to the target, in UTC."""
        return connect(self.source), connect(self.target)


def connect(conninfo: str) -> Connection:
    """A connection that commits each statement, in UTC."""
    return psycopg.connect(conninfo, autocommit=True, options="-c TimeZone=UTC")


@dataclass(frozen=True, slots=True)
class Real:
    """Gives the projects of this folder their databases."""

    databases: Databases
    folder: Path

    def database(self, role: str, *dumps: str, fill: str = "") -> str:
        """A fresh database out of `dumps`, files under ../shared/data, and then `fill`; how to connect to it.

        Each set of dumps is read once a session; its copies cost nothing.
        """
        server = self.databases.server
        template = f"real_{os.getpid()}_{'_'.join(Path(dump).stem for dump in dumps)}"
        if dumps and template not in embedded.databases(server):
            embedded.create_database(server, template)
            for dump in dumps:
                load(server, template, DATA / dump)
        name = f"{role}_{os.getpid()}_{next(self.databases.numbers)}"
        embedded.create_database(server, name, template if dumps else None)
        self.databases.made.append(name)
        if fill:
            with connect(server.conninfo(name)) as connection:
                connection.execute(fill.encode())
        return server.conninfo(name)

    def __call__(self, name: str, source: str, target: str) -> Project:
        """A copy of the project's folder, between two databases."""
        shutil.copytree(HERE / name / "specs", self.folder / "specs")
        return Project(name, self.folder, source, target)


def load(server: Server, name: str, dump: Path) -> None:
    """Feed a dump to psql. Fails on any error that is not known to be harmless."""
    with connect(server.conninfo("postgres")) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE netbox; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )  # the owner that dumps name
    done = subprocess.run(
        [server.bin / "psql", "-Xq", "-d", server.conninfo(name), "-f", dump],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    errors = [line for line in done.stderr.splitlines() if "ERROR:" in line and not HARMLESS.search(line)]
    assert not errors, "\n".join(errors[:5])


@pytest.fixture
def real(databases: Databases, tmp_path: Path) -> Real:
    """See Real. Skips where the dumps are not there."""
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    return Real(databases, tmp_path)


def tables(connection: Connection, schema: str) -> dict[str, list[str]]:
    """The columns of each table of a schema, but for partitions."""
    query = """SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
               FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
               WHERE c.relnamespace::regnamespace::text = quote_ident(%s) AND c.relkind IN ('r', 'p')
                 AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1 ORDER BY 1"""
    return dict(connection.execute(query, [schema]).fetchall())


def rows(connection: Connection, schema: str, table: str, columns: Iterable[str], only: str = "ONLY") -> list[str]:
    """Every row of a table as text, sorted; without the rows of tables that inherit from it."""
    query = sql.SQL("SELECT ROW({})::text FROM " + only + " {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table)
    )
    return sorted(text for (text,) in connection.execute(query))


def count(connection: Connection, query: str) -> int:
    """The number that a query returns."""
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
