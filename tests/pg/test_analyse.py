"""`transhume analyse`: what it prints of a column that everything uses, and how it ends when it cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest
import yaml
from click.testing import CliRunner, Result

from runner.commands.analyse import analyse_command
from runner.dependents_block import block
from runner.snapshot import read_catalog
from runner.uses import TO_BE_NAMED, read_uses
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

APP = """
CREATE SCHEMA app;
SET search_path = app;
CREATE TABLE users (
    id int PRIMARY KEY, name text NOT NULL, hashed_password text NOT NULL DEFAULT '!', is_active bool,
    CONSTRAINT strong CHECK (length(hashed_password) > 9 OR NOT is_active)
);
COMMENT ON COLUMN users.hashed_password IS 'bcrypt';
GRANT SELECT (hashed_password) ON users TO PUBLIC;
CREATE INDEX users_known ON users (name) WHERE hashed_password IS NOT NULL;
CREATE VIEW user_list AS SELECT id, name, hashed_password FROM users;
CREATE VIEW newest AS SELECT id FROM user_list;
CREATE VIEW audit AS SELECT u::text AS whole FROM users AS u;
CREATE FUNCTION log_in(text) RETURNS bool LANGUAGE sql AS
    $$ SELECT hashed_password = $1 FROM app.users WHERE hashed_password IS NOT NULL $$;
CREATE FUNCTION elsewhere() RETURNS text LANGUAGE sql AS $$ SELECT 'hashed_password' $$;
CREATE FUNCTION copied() RETURNS void LANGUAGE sql AS $$ INSERT INTO app.users SELECT * FROM app.users $$;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) * 2 FROM app.users $$;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM to_jsonb(NEW); RETURN NEW; END $$;
CREATE FUNCTION plain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name = 'x'; RETURN NEW; END $$;
CREATE TRIGGER note AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER plain BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION plain('id', 'hashed_password');
CREATE TABLE other (hashed_password text, quiet int);
CREATE FUNCTION others() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER others BEFORE UPDATE ON other FOR EACH ROW EXECUTE FUNCTION others('hashed_password');
"""
PAGE = Path(__file__).parents[2] / "docs" / "analyse.md"
PLACE = "TARGET_DATABASE_URL (db.example, database app)"
PROJECT = """\
project: shop
source: {env: OLD_URL}
target: {env: NEW_URL, schema: app}
code: [backend]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a folder of code in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "a.py").write_text("user.hashed_password = hashedPassword")
    (tmp_path / "backend" / "b.ts").write_text("hashed-password")
    (tmp_path / "backend" / "c.ts").write_text("password")
    return tmp_path


@pytest.fixture
def shop(here: Path) -> Path:
    """The current folder, with specs/shop in it."""
    (here / "specs" / "shop" / "removals").mkdir(parents=True)
    (here / "specs" / "shop" / "project.yaml").write_text(PROJECT)
    return here


def run(*arguments: str) -> Result:
    """The command, as from a shell."""
    return CliRunner().invoke(analyse_command, arguments, catch_exceptions=False)


def stripped(text: str) -> str:
    """Without the spaces at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@pytest.mark.usefixtures("here")
def test_everything_is_told_of_a_column(databases: Databases) -> None:
    """By what a drop would do to it; then the code, a block, and what is not seen: as documented."""
    expected = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[0]
    url = databases.create("source", APP)
    fields = psycopg.conninfo.conninfo_to_dict(url)
    result = run("app.users.hashed_password", "--url", url, "--schema", "app", "--code", "backend")
    here = f"--url ({fields['host']}, database {fields['dbname']})"

    assert (result.exit_code, result.stderr) == (0, "")
    assert stripped(result.stdout) == expected.replace(PLACE, here).replace("../backend", "backend")


@pytest.mark.usefixtures("here")
def test_json_has_all_of_it(databases: Databases) -> None:
    """Every use with its effect and digest, every file with its count."""
    url = databases.create("source", APP)
    data = json.loads(run("users.hashed_password", "users.id", "--url", url, "--schema", "app", "--json",
                          "--code", "backend").stdout)  # fmt: skip

    first, second = data["columns"]
    assert (first["schema"], first["table"], first["column"], second["column"]) == (
        *("app", "users", "hashed_password", "id"),
    )
    assert [use["dependent"] for use in first["uses"] if use["effect"] == "refuses"] == ["view app.user_list"]
    assert len(first["uses"][0]["digest"]) == 16
    assert first["code"] == [
        {"folder": "backend", "uses": 3, "files": 2, "by_file": {"a.py": 2, "b.ts": 1}, "read": 3, "left_out": []},
    ]
    assert yaml.safe_load(data["block"])["dependents"]["rewrite"]["function log_in(text)"] == "sql/log_in.sql"
    assert len(data["limits"]) == 3


@pytest.mark.usefixtures("here")
def test_a_common_name_does_not_fill_the_screen(databases: Databases) -> None:
    """Functions that name a column so called, of whatever table, are counted, and a few of them shown."""
    each = "CREATE FUNCTION f{}() RETURNS text LANGUAGE sql AS $$ SELECT 'quiet' $$;"
    url = databases.create("source", APP + "".join(each.format(number) for number in range(14)))
    shown = run("app.other.quiet", "--url", url).stdout
    data = json.loads(run("app.other.quiet", "--url", url, "--json").stdout)

    assert len(re.findall(r"perhaps +function app.f", shown)) == 10
    assert re.search(r"perhaps +and 4 more: --json has all of them", shown)
    assert "14 perhaps" in shown
    assert len(data["columns"][0]["uses"]) == 14


@pytest.mark.usefixtures("here")
def test_a_star_is_the_table_itself(databases: Databases) -> None:
    """What refuses DROP TABLE, and what names the table in its text; in code, the table's name."""
    url = databases.create("source", APP)
    (Path("backend") / "d.py").write_text("SELECT * FROM users")
    shown = run("app.users.*", "--url", url, "--schema", "app", "--code", "backend").stdout

    assert "app.users.*, in --url (" in shown
    assert "2 refuse the drop, 1 built on those" in shown
    assert re.search(r"breaks +function app.counted\(\)", shown)
    assert "1 use in 1 file of code" in shown
    assert not re.search(r"vanishes|lost|trigger note", shown)


@pytest.mark.usefixtures("here")
def test_the_block_can_be_had_alone(databases: Databases) -> None:
    """Of several columns each dependent once; of a column that nothing uses, an empty one."""
    url = databases.create("source", APP)
    both = run("users.hashed_password", "users.is_active", "--url", url, "--schema", "app", "--block").stdout
    none = run("other.quiet", "--url", url, "--schema", "app", "--block").stdout

    data = yaml.safe_load(both)["dependents"]
    assert len(data["drop"]) == len(set(data["drop"])) == 4
    assert none == "dependents: {}\n"


def test_a_project_says_where_and_what(shop: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of its databases has the column is read; its code folders and those of a removal are searched."""
    monkeypatch.setenv("OLD_URL", databases.create("source", "CREATE TABLE legacy (old_id int)"))
    monkeypatch.setenv("NEW_URL", databases.create("target", APP))
    (shop / "mobile").mkdir()
    (shop / "mobile" / "x.swift").write_text("hashedPassword")
    removal = "removal: users\ncolumns: [hashed_password]\ncode: [mobile]\n"
    (shop / "specs" / "shop" / "removals" / "users.yaml").write_text(removal)

    found = run("users.hashed_password")

    assert "app.users.hashed_password, in NEW_URL (" in found.stdout
    assert "4 uses in 3 files of code" in found.stdout
    assert "public.legacy.old_id, in OLD_URL (" in run("legacy.old_id", "-p", "shop").stdout
    assert run("legacy.old_id", "--target").stderr.startswith('error: there is no table "app.legacy" in NEW_URL (')


def test_the_snapshot_keeps_what_the_analysis_found(
    shop: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of columns that are protected or removed, and of no others; with the counts of the code folders."""
    from runner.commands.snapshot import snapshot

    monkeypatch.setenv("OLD_URL", databases.create("source", "CREATE TABLE person (login text PRIMARY KEY, x int)"))
    monkeypatch.setenv("NEW_URL", databases.create("target", APP))
    folder = shop / "specs" / "shop"
    protect = "protect: [{column: users.name, because: read}]\n"
    (folder / "project.yaml").write_text(PROJECT + protect)
    (folder / "tables").mkdir()
    (folder / "tables" / "users.yaml").write_text(
        "table: users\nfrom: person\ncolumns: {name: {sql: lower(s.login)}}\ncreate: false\n"
    )
    (folder / "removals" / "users.yaml").write_text("removal: users\ncolumns: [hashed_password]\ncode: [backend]\n")
    (folder / "removals" / "gone.yaml").write_text("removal: gone\ntable: other\n")

    result = CliRunner().invoke(snapshot, ["shop"], catch_exceptions=False)
    source, target = (
        yaml.safe_load((folder / "catalog" / f"{side}.yaml").read_text())["relations"] for side in ("source", "target")
    )

    assert result.exit_code == 0, result.output
    assert source["public.person"]["uses"] == {
        "login": {
            "dependents": {
                "constraint person_pkey on public.person": {
                    "effect": "vanishes",
                    "definition": source["public.person"]["uses"]["login"]["dependents"][
                        "constraint person_pkey on public.person"
                    ]["definition"],
                }
            },
            "lost": ["not null"],
        }
    }
    uses = target["app.users"]["uses"]
    assert list(uses) == ["hashed_password", "name"]
    assert uses["name"]["code"] == {"backend": {"uses": 0, "files": 0}}
    assert uses["hashed_password"]["code"] == {"backend": {"uses": 3, "files": 2}}
    assert uses["hashed_password"]["lost"] == ["comment", "default", "grants", "not null"]
    assert uses["hashed_password"]["perhaps"] == 2
    effects = {name: use["effect"] for name, use in uses["hashed_password"]["dependents"].items()}
    assert effects["view app.newest"] == "rebuilt"
    assert [name for name in target if "uses" in target[name]] == ["app.other", "app.users"]
    assert target["app.other"]["uses"] == {"*": {"code": {"backend": {"uses": 0, "files": 0}}}}

    text = (folder / "catalog" / "target.yaml").read_text()
    assert "      hashed_password:\n        dependents:\n          view app.user_list: {effect: refuses, def" in text
    again = CliRunner().invoke(snapshot, ["shop", "--check"], catch_exceptions=False)
    assert again.exit_code == 0, again.output


def test_a_definition_that_changes_has_another_digest(databases: Databases) -> None:
    """A view, a function, a check and an index that are not what they were when somebody looked."""
    changes = """
        CREATE OR REPLACE VIEW app.user_list AS SELECT id, name, max(hashed_password) AS hashed_password
            FROM app.users GROUP BY id;
        CREATE OR REPLACE FUNCTION app.log_in(text) RETURNS bool LANGUAGE sql AS
            $$ SELECT hashed_password <> $1 FROM app.users WHERE hashed_password IS NOT NULL $$;
        ALTER TABLE app.users DROP CONSTRAINT strong;
        ALTER TABLE app.users ADD CONSTRAINT strong CHECK (length(hashed_password) > 8);
        DROP INDEX app.users_known; CREATE INDEX users_known ON app.users (id) WHERE hashed_password IS NOT NULL;
    """
    with psycopg.connect(databases.create("source", APP), autocommit=True) as conn:
        conn.execute("SET search_path = ''")
        before = digests(conn)
        conn.execute(changes.encode())
        after = digests(conn)

    assert {name for name in before if before[name] != after[name]} == {
        *("view app.user_list", "function app.log_in(text)", "constraint strong on app.users", "index app.users_known"),
    }


def digests(conn: psycopg.Connection[tuple[object, ...]]) -> Mapping[str, str | None]:
    """By dependent."""
    (uses,) = read_uses(conn, "app", "users", ["hashed_password"])
    return {use.dependent: use.digest for use in uses.of(*TO_BE_NAMED)}


def test_the_fingerprint_does_not_depend_on_uses(databases: Databases) -> None:
    """What uses a column may change without the table being another."""
    from runner.catalog_file import fingerprint

    with psycopg.connect(databases.create("source", APP), autocommit=True) as conn:
        catalog = read_catalog(conn, "target", ["app"])
    before = fingerprint("app.users", catalog)
    catalog["relations"]["app.users"]["uses"] = {"name": {"perhaps": 3}}

    assert fingerprint("app.users", catalog) == before


@pytest.mark.parametrize(
    "arguments, code, message, hint",
    [
        (["users"], 2, '"users" is no table and column', "write table.column, or schema.table.column"),
        (["a.b.c.d"], 2, '"a.b.c.d" is no table and column', ""),
        (["user.id"], 2, 'there is no table "app.user" in --url (', 'did you mean "users"?'),
        (["nothing_like_it.id"], 2, 'there is no table "app.nothing_like_it"', 'the schema "app" has 2 tables'),
        (["users.nam"], 2, 'table "app.users" has no column "nam"', 'did you mean "name"?'),
        (["users.x"], 2, 'table "app.users" has no column "x"', "it has id, name, hashed_password, is_active"),
        (["user_list.id"], 2, '"app.user_list" is a view: only columns of tables are analysed', ""),
        (["users.id", "--code", "bakend"], 2, 'the code folder "bakend" is not there', "name a folder of the app"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_what_can_be_wrong(databases: Databases, arguments: list[str], code: int, message: str, hint: str) -> None:
    """One sentence, a hint, and the exit code of a wrong argument."""
    result = run(*arguments, "--url", databases.create("source", APP), "--schema", "app")

    assert result.exit_code == code
    assert result.stderr.startswith(f"error: {message}")
    assert hint in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.usefixtures("here")
def test_a_database_that_is_not_there() -> None:
    """No server, no URL, no project: never a password, never a traceback."""
    away = run("a.b", "--url", "postgresql://joe:s3cret@127.0.0.1:9/shop")
    wrong = run("a.b", "--url", "postgresql://joe:s3cret/x@h/d")
    none = run("a.b")
    unknown = run("a.b", "-p", "shopp")

    assert (away.exit_code, wrong.exit_code, none.exit_code, unknown.exit_code) == (1, 2, 2, 2)
    assert away.stderr.startswith("error: cannot connect to --url (127.0.0.1, database shop): ")
    assert wrong.stderr.startswith("error: --url is not a PostgreSQL URL\n")
    assert none.stderr.startswith("error: which project? there is none under specs/\n")
    assert unknown.stderr.startswith('error: no project "shopp"\n')
    assert "s3cret" not in away.output + wrong.output


def test_a_code_folder_of_a_project_that_is_not_there(
    shop: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot says so too: a count that is missing is not a count of none."""
    from runner.commands.snapshot import snapshot

    monkeypatch.setenv("OLD_URL", databases.create("source"))
    monkeypatch.setenv("NEW_URL", databases.create("target", APP))
    text = PROJECT.replace("backend", "bakend") + "protect: [{column: users.name, because: read}]\n"
    (shop / "specs" / "shop" / "project.yaml").write_text(text)

    for result in (run("users.name"), CliRunner().invoke(snapshot, ["shop"])):
        assert (result.exit_code, result.stderr.splitlines()[0]) == (2, 'error: the code folder "bakend" is not there')


def test_the_block_is_the_compilers(databases: Databases) -> None:
    """Both halves write it, and neither imports the other."""
    from compiler.catalog_uses import Dependent
    from compiler.dependents import block as compiled

    with psycopg.connect(databases.create("source", APP), autocommit=True) as conn:
        conn.execute("SET search_path = ''")
        uses = read_uses(conn, "app", "users", ["hashed_password", "is_active"])
    ours = block(uses, "app")
    order = [use for one in uses for use in one.of(*TO_BE_NAMED)]
    each = {use.dependent: use for use in reversed(order)}

    theirs = compiled((Dependent(u.dependent, u.effect, u.level, "") for u in each.values()), "app")  # type: ignore[arg-type]
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
