"""The doctor finds what is missing, says what to do, and keeps every secret."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from runner import doctor as examined
from runner.embedded import Server, drop_database
from tests.conftest import Databases
from transhume import main

PROJECT = """
project: shop
source: {env: OLD_URL, schema: public}
target: {env: NEW_URL, schema: app}
"""
OPEN = "CREATE TABLE a (n int)"
CLOSED = """
CREATE TABLE hidden (n int); CREATE TABLE policed (n int);
ALTER TABLE policed ENABLE ROW LEVEL SECURITY; GRANT SELECT ON policed TO PUBLIC;
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, in the current folder."""
    (tmp_path / "specs" / "shop").mkdir(parents=True)
    file = tmp_path / "specs" / "shop" / "project.yaml"
    file.write_text(PROJECT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return file


@pytest.fixture
def only_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what does not depend on the project."""
    monkeypatch.setattr(examined, "machine", lambda: iter(()))


def findings(result: Result) -> dict[str, list[str]]:
    """What was found: check -> status, found, advice."""
    return {item["check"]: [item["status"], item["found"], item["advice"]] for item in json.loads(result.stdout)}


def test_a_machine_that_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is there: exit 0, and a line for each check."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 0, result.output
    checks = ["python", "packages", "embedded binaries", "embedded server", "terminal"]
    assert [line[4:22].strip() for line in result.stdout.splitlines() if line.startswith("ok")] == checks


def test_a_server_that_cannot_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder that cannot be used: exit 1, with what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRANSHUME_HOME", str(tmp_path / "file"))
    result = CliRunner().invoke(main, ["doctor", "--json"])

    assert result.exit_code == 1
    assert findings(result)["embedded server"] == [
        "fail",
        f"cannot use the state folder {tmp_path}/file: File exists",
        "set TRANSHUME_HOME to a folder you may write to",
    ]


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is not installed is named."""
    wanted = ["click>=8", "no-such.library[extra]>=1", 'hypothesis>=6; extra == "dev"']
    monkeypatch.setattr("importlib.metadata.requires", lambda _: wanted)
    found = examined.check_packages()

    assert (found.status, found.found) == ("fail", "missing: no-such.library")


def test_an_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too old an interpreter is a failure with the version to install."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    found = examined.check_python()

    assert (found.status, found.advice) == ("fail", "install Python 3.11 or later")


@pytest.mark.usefixtures("only_databases", "project")
@pytest.mark.both_servers
def test_databases_that_are_ready(databases: Databases, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both databases answer, and the role may read the one and write the other."""
    pair = databases(source=OPEN)
    monkeypatch.setenv("OLD_URL", pair.source)
    monkeypatch.setenv("NEW_URL", pair.target)
    result = CliRunner().invoke(main, ["doctor", "shop", "--json"])

    assert result.exit_code == 0, result.output
    status, found, advice = findings(result)["shop: source"]
    assert (status, advice) == ("ok", "")
    assert found.startswith(f"PostgreSQL {server.version} at {server.socket}:5432, database source_")
    assert found.endswith("role postgres")


@pytest.mark.usefixtures("only_databases", "project")
@pytest.mark.both_servers
def test_a_role_with_too_few_rights(databases: Databases, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables that cannot be read, rows that a policy hides, a database without the right to create: all at once."""
    pair = databases(source=CLOSED)
    with psycopg.connect(pair.source, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 's3cret'")
    monkeypatch.setenv("OLD_URL", psycopg.conninfo.make_conninfo(pair.source, user="visitor", password="s3cret"))
    monkeypatch.setenv("NEW_URL", psycopg.conninfo.make_conninfo(pair.target, user="visitor", password="s3cret"))
    result = CliRunner().invoke(main, ["doctor", "shop", "--json"])
    found = [(item["check"], item["found"]) for item in json.loads(result.stdout)]
    target = psycopg.conninfo.conninfo_to_dict(pair.target)["dbname"]

    assert result.exit_code == 1
    assert found == [
        ("shop: source", "the role may not read public.hidden"),
        ("shop: source", "policies hide rows of public.policed from the role"),
        ("shop: target", "the role may not create schemas in the target"),
    ]
    assert json.loads(result.stdout)[-1]["advice"] == f"GRANT CREATE ON DATABASE {target}"
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        for name in databases.made:
            drop_database(server, name)
        connection.execute("DROP ROLE visitor")


@pytest.mark.usefixtures("only_databases")
def test_what_the_plan_requires(
    project: Path, databases: Databases, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer server, an extension and a variable that are not there are three failures."""
    requires = "requires: {postgres: 99, extensions: [plpgsql, not_there], env: [NOT_SET, PATH]}\n"
    project.write_text(PROJECT + requires, encoding="utf-8")
    pair = databases()
    monkeypatch.setenv("OLD_URL", pair.target)
    monkeypatch.setenv("NEW_URL", pair.target)
    result = CliRunner().invoke(main, ["doctor", "specs/shop", "--json"])
    found = [(item["check"], item["found"]) for item in json.loads(result.stdout)]

    assert ("shop: environment", "the environment variable NOT_SET is not set") in found
    assert ("shop: target", "the target's server does not have the extension not_there") in found
    assert ("shop: target", f"the target is PostgreSQL {server.version}, the plan needs 99") in found
    assert ("shop: target", "OLD_URL and NEW_URL lead to the same database") in found


@pytest.mark.usefixtures("only_databases", "project")
def test_no_url_is_no_fault() -> None:
    """Without URLs the embedded server stands in."""
    result = CliRunner().invoke(main, ["doctor", "--json"])

    assert result.exit_code == 0
    assert findings(result)["shop: target"] == ["ok", "NEW_URL is not set: the embedded server stands in", ""]


@pytest.mark.usefixtures("only_databases", "project")
@pytest.mark.parametrize(
    "url, found",
    [
        ("postgresql://me:s3cret@127.0.0.1:1/x", "cannot connect to NEW_URL (127.0.0.1, database x): "),
        ("postgresql://me:se@s3cret@127.0.0.1:1/x", "NEW_URL is not a PostgreSQL URL"),
        ("postgresql://me:s3cret/with@127.0.0.1:1/x", "NEW_URL is not a PostgreSQL URL"),
        ("postgresql://me:12/s3cret@127.0.0.1:1/x", "NEW_URL is not a PostgreSQL URL"),
        ("postgresql://me:s3cret with space", "NEW_URL is not a PostgreSQL URL"),
        ("password=x s3cret", "NEW_URL is not a PostgreSQL URL"),
        ("s3cret", "NEW_URL is not a PostgreSQL URL"),
    ],
)
def test_no_password_is_printed(url: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with a URL, what is printed holds nothing of its password."""
    monkeypatch.setenv("OLD_URL", url)
    monkeypatch.setenv("NEW_URL", url)
    for arguments in (["doctor"], ["doctor", "--json"]):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 1
        assert "s3cret" not in result.output
    assert findings(result)["shop: target"][1].startswith(found)


@pytest.mark.usefixtures("only_databases", "project")
def test_one_url_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source without a target is a mistake in the environment, and is said once."""
    monkeypatch.setenv("OLD_URL", "postgresql://127.0.0.1:1/x")
    result = CliRunner().invoke(main, ["doctor", "--json"])

    assert findings(result)["shop: environment"] == [
        "fail",
        "only one of two database URLs is set",
        "set both, or neither",
    ]


@pytest.mark.usefixtures("only_databases")
@pytest.mark.parametrize("text", ["project: [", "- a list", "source: {env: X}", "source: 1\ntarget: 2"])
def test_a_broken_project(text: str, project: Path) -> None:
    """A file that is no project is a failure that names it, not a traceback."""
    project.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["doctor", "--json"])

    assert result.exit_code == 1
    assert findings(result)["shop"][1] == f"{project} names no source and target"


@pytest.mark.usefixtures("only_databases", "project")
def test_a_project_that_does_not_exist() -> None:
    """A wrong name is a usage error."""
    result = CliRunner().invoke(main, ["doctor", "shoop"])

    assert result.exit_code == 2
    assert 'no project "shoop": neither plan.yaml nor project.yaml is there' in result.stderr
