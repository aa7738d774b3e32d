"""`transhume snapshot`: the files it writes, what it says, and how it ends."""

import shutil
from pathlib import Path

import psycopg
import pytest
import yaml
from click.testing import CliRunner, Result

from runner import demo, embedded
from runner.commands.snapshot import snapshot
from tests.conftest import Databases

PROJECT = """\
project: shop
source: {env: OLD_URL, schema: legacy}
target: {env: NEW_URL, schema: app}
"""
SOURCE = """
CREATE SCHEMA legacy; CREATE SCHEMA billing; CREATE SCHEMA "Odd.One"; CREATE SCHEMA unread;
CREATE TABLE legacy.customer (id int PRIMARY KEY, name text); CREATE TABLE billing.invoice (id int);
CREATE TABLE "Odd.One".t (id int); CREATE TABLE unread.t (id int);
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with specs/shop, as the current one."""
    monkeypatch.chdir(tmp_path)
    tables = tmp_path / "specs" / "shop" / "tables"
    tables.mkdir(parents=True)
    (tables.parent / "project.yaml").write_text(PROJECT)
    return tables.parent


@pytest.fixture
def urls(shop: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both databases in the environment; how to connect to the source."""
    pair = databases(SOURCE)
    monkeypatch.setenv("OLD_URL", pair.source)
    monkeypatch.setenv("NEW_URL", pair.target)
    return pair.source


def run(*arguments: str) -> Result:
    """The command, as from a shell."""
    return CliRunner().invoke(snapshot, arguments, catch_exceptions=False)


def relations(file: Path) -> list[str]:
    """The relations in a written catalog."""
    return list(yaml.safe_load(file.read_text())["relations"])


@pytest.mark.usefixtures("urls")
def test_both_catalogs_are_written_then_unchanged(shop: Path) -> None:
    """A line for each file: what is in it, and whether it changed; a name and a folder are the same project."""
    first, second = run("shop"), run("specs/shop")

    lines = "specs/shop/catalog/{}.yaml: {}, {}\n"
    sizes = (("source", "1 relations, 2 columns"), ("target", "0 relations, 0 columns"))
    assert first.output == "".join(lines.format(*size, "new") for size in sizes)
    assert second.output == "".join(lines.format(*size, "unchanged") for size in sizes)
    assert relations(shop / "catalog" / "source.yaml") == ["legacy.customer"]
    assert yaml.safe_load((shop / "catalog" / "target.yaml").read_text())["schemas"] == []


@pytest.mark.usefixtures("urls")
def test_a_catalog_that_cannot_be_written_is_named(shop: Path) -> None:
    """Exit code 1 and the system's reason, no traceback."""
    (shop / "catalog").write_text("a file where the folder belongs")

    result = run("shop")

    first = result.output.splitlines()[0]
    assert (result.exit_code, first) == (1, "error: cannot write specs/shop/catalog/source.yaml: file exists")


@pytest.mark.usefixtures("urls")
def test_a_catalog_that_is_not_utf_8_is_written_anew(shop: Path) -> None:
    """Whatever somebody's editor made of it."""
    (shop / "catalog").mkdir()
    (shop / "catalog" / "source.yaml").write_bytes(b"caf\xe9")

    assert run("shop", "--only", "source").output.endswith(", changed\n")
    assert relations(shop / "catalog" / "source.yaml") == ["legacy.customer"]


@pytest.mark.usefixtures("urls")
def test_schemas_that_specs_name_are_read_too(shop: Path) -> None:
    """A table in another schema, in a name or in a query, is in the catalog; schemas nobody speaks of are not."""
    (shop / "tables" / "a.yaml").write_text("table: sales.invoices\nfrom: billing.invoice\n")
    query = 'SELECT x.id FROM "Odd.One" . t AS x'
    (shop / "tables" / "b.yaml").write_text(f"table: things\nfrom: {{sql: '{query}', key: id}}\nwhen: 2025-13-45\n")

    assert run("shop", "--only", "source").exit_code == 0

    found = relations(shop / "catalog" / "source.yaml")
    assert found == ['"Odd.One".t', "billing.invoice", "legacy.customer"]
    assert not (shop / "catalog" / "target.yaml").exists()


def test_check_tells_the_difference_and_writes_nothing(shop: Path, urls: str) -> None:
    """Exit code 0 while the files are true, 1 with a unified diff once the database has moved on."""
    run("shop")
    fresh = run("shop", "--check")
    with psycopg.connect(urls) as conn:
        conn.execute("ALTER TABLE legacy.customer ALTER name SET NOT NULL")
    before = (shop / "catalog" / "source.yaml").read_bytes()
    stale = run("shop", "--check")

    assert (fresh.exit_code, fresh.output.count("as committed")) == (0, 2)
    assert stale.exit_code == 1
    assert "-      name: {type: text}\n+      name: {type: text, 'null': false}\n" in stale.output
    assert "specs/shop/catalog/source.yaml: 1 relations, 2 columns, stale\n" in stale.output
    assert (shop / "catalog" / "source.yaml").read_bytes() == before


def test_a_missing_file_is_stale(shop: Path, urls: str) -> None:
    """Before the first snapshot everything is a difference."""
    assert urls
    result = run("shop", "--check", "--only", "target")

    assert (result.exit_code, (shop / "catalog").exists()) == (1, False)
    assert "+database: target\n" in result.output


@pytest.mark.parametrize(
    "env, exit_code, message",
    [
        ({"OLD_URL": "postgresql:///x"}, 2, "error: NEW_URL is not set\n  = hint: set the URLs of both databases, or"),
        ({}, 2, 'error: no database URL is set, and the embedded server has no database "shop_source"\n  = hint: set '),
        (
            {"OLD_URL": "postgresql://joe:s3cret/x@h/d", "NEW_URL": "postgresql:///x"},
            2,
            "error: OLD_URL is not a PostgreSQL URL\n",
        ),
        (
            {"OLD_URL": "postgresql://joe:s3cret@127.0.0.1:9/shop", "NEW_URL": "postgresql:///x"},
            1,
            "error: cannot connect to OLD_URL (127.0.0.1, database shop): connection failed: ",
        ),
    ],
)
def test_a_database_that_is_not_there(
    shop: Path, env: dict[str, str], exit_code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and a hint, and never a password."""
    assert shop.is_dir()
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    result = run("shop")

    assert result.exit_code == exit_code
    assert result.stderr.startswith(message)
    assert "s3cret" not in result.output + result.stderr


@pytest.mark.usefixtures("urls")
def test_what_is_wrong_with_a_project(shop: Path) -> None:
    """No project, no databases in it, no YAML, a schema that is not there: each has its sentence."""
    project = shop / "project.yaml"
    results = [run("shopp")]
    for text in ("project: shop\n", "a: [\n", PROJECT.replace("legacy", "legcy")):
        project.write_text(text)
        results.append(run("shop"))
    project.write_text(PROJECT)
    (shop / "tables" / "a.yaml").write_text("from: [\n")
    results.append(run("shop"))

    first = [result.stderr.splitlines()[0] for result in results]
    assert first[:3] == [
        'error: no project "shopp"',
        "error: specs/shop/project.yaml names no source and target",
        "error: specs/shop/project.yaml cannot be read as YAML",
    ]
    assert first[3].startswith("error: OLD_URL (")
    assert first[3].endswith('has no schema "legcy"')
    assert first[4] == "error: specs/shop/tables/a.yaml cannot be read as YAML"
    assert [result.exit_code for result in results] == [2, 2, 2, 1, 2]
    assert "`transhume lint specs/shop` says what is wrong with it" in results[4].stderr


@pytest.mark.slow
def test_the_demo_stands_in_where_no_url_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded server's databases are made, filled and read; the committed catalogs say what is in them."""
    committed = Path(__file__).parents[2] / "specs" / demo.PROJECT
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "specs" / demo.PROJECT
    shutil.copytree(committed, project, ignore=shutil.ignore_patterns("catalog"))

    result = run(demo.PROJECT)

    assert result.exit_code == 0
    for side in ("source", "target"):
        written, expected = (folder / "catalog" / f"{side}.yaml" for folder in (project, committed))
        assert written.read_text() == expected.read_text()
    with embedded.running() as server:
        for name in ("dispatch_source", "dispatch_target"):
            embedded.drop_database(server, name)
