"""The committed removals, and one from a table that the project's own plan makes, carried out."""

from __future__ import annotations

from pathlib import Path

from compiler.pipeline import compile_project
from compiler.write import write_folder
from tests.conftest import Databases
from tests.pg.compiled import Projects
from tests.pg.migration import ROOT
from tests.pg.removing import Removing

USERS = "INSERT INTO app.users (email) SELECT 'u' || g FROM generate_series(1, 1000) AS g; ANALYZE;"
SPEC = """\
table: orders
from: purchase
key: {id: {uuid: id}}
columns: {legacy_id: id}
same: [total, origin]
indexes: [{columns: [origin]}]
"""
REMOVAL = """\
removal: orders
columns: [origin, legacy_id]
because: every order says the same
phases: {soak: 0s}
on_restore: {new_rows: {origin: "'none'", legacy_id: "-1"}}
"""


def test_the_committed_removal_of_production(databases: Databases) -> None:
    """Catalogs, spec and plan are those of the application's schema; a phase of it goes forward and back."""
    content = (ROOT / "tests" / "pg" / "production.sql").read_text(encoding="utf-8")
    plans = ROOT / "plans"
    removal = Removing(
        plans, plans / "production" / "removals" / "users", databases.create("production", content + USERS)
    )

    stale = removal.command("snapshot", "production", "--check")
    assert stale.returncode == 0, stale.stdout
    for phase in (1, 1):
        was = removal.ask("SELECT * FROM app.users ORDER BY id")
        removal.apply(phase)
        removal.restore()
        assert removal.ask("SELECT * FROM app.users ORDER BY id") == was


def test_a_removal_from_a_table_that_the_plan_makes(projects: Projects, tmp_path: Path) -> None:
    """It is compiled before the table is there, does not change the project's plan, and is applied after it."""
    source = """CREATE TABLE purchase (id integer PRIMARY KEY, total integer NOT NULL, origin text NOT NULL);
                INSERT INTO purchase SELECT g, g, 'o' || g FROM generate_series(1, 30) AS g"""
    migration = projects(source, {"orders": SPEC})
    before = (migration.folder / "plan.yaml").read_bytes()
    specs = tmp_path / "moves0" / "specs" / "moves"
    (specs / "removals").mkdir()
    (specs / "removals" / "orders.yaml").write_text(REMOVAL)
    write_folder(migration.folder, compile_project(specs))
    assert (migration.folder / "plan.yaml").read_bytes() == before

    migration.apply()
    removal = Removing(migration.folder.parent, migration.folder / "removals" / "orders", migration.target)
    data = "SELECT id, total, origin, legacy_id FROM app.orders ORDER BY id"
    was, described = removal.ask(data), removal.descriptor("origin", "orders")
    for phase in (1, 2, 3):
        removal.apply(phase)
    assert len(removal.ask("SELECT * FROM app.orders")[0]) == 2
    removal.restore()
    assert removal.ask(data) == was
    assert removal.descriptor("origin", "orders") == described
