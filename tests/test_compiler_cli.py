"""lint, plan, explain, graph and schema: arguments, exit codes, and what goes where."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from transhume import main

BASE = Path(__file__).parent / "golden" / "base"
EMPTY_TABLE = "table: visits\n"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that compiles: specs/demo in the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BASE, tmp_path / "specs" / "demo")
    return tmp_path / "specs" / "demo"


def run(*arguments: str) -> Result:
    """The command line, as typed after `transhume`."""
    return CliRunner().invoke(main, arguments)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("project", ["demo", "specs/demo", "specs/demo/", "./specs/../specs/demo"])
def test_a_project_is_named_by_name_or_folder(project: str) -> None:
    """A name means specs/<name>; a sound project is silent and exits 0."""
    result = run("lint", project)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("command", ["lint", "plan", "graph"])
def test_an_unknown_project_is_a_usage_error(command: str) -> None:
    """Exit code 2, and the close name."""
    result = run(command, "demmo")

    assert result.exit_code == 2
    assert 'there is no project "demmo"; did you mean "demo"?' in result.stderr


def test_errors_of_several_projects_are_all_shown(demo: Path) -> None:
    """`transhume lint specs/*`: exit code 3 when one of them has errors."""
    shutil.copytree(demo, demo.parent / "other")
    (demo.parent / "other" / "tables" / "visits.yaml").write_text(EMPTY_TABLE)

    result = run("lint", "specs/demo", "specs/other")

    assert result.exit_code == 3
    assert result.stderr == (
        'error[E304]: project "demo" stands in the folder "other"\n'
        " --> specs/other/project.yaml:1:10\n"
        "  |\n"
        "1 | project: demo\n"
        "  |          ^^^^\n"
        "  |\n"
        '  = hint: name it "other", or rename the folder\n'
        "\n"
        'error[E202]: "from" is missing\n'
        " --> specs/other/tables/visits.yaml:1:1\n"
        "  |\n"
        "1 | table: visits\n"
        '  | ^^^^^ has no "from"\n'
        "  |\n"
        "  = hint: from: the source table, or a query in its place: for joins, unions, several tables into one\n"
        "\n"
        "2 errors\n"
    )


def test_findings_as_json(demo: Path) -> None:
    """One list on stdout, for other tools; the exit code is the same."""
    (demo / "tables" / "visits.yaml").write_text(EMPTY_TABLE)

    result = run("lint", "--json", "demo")

    assert (result.exit_code, result.stderr) == (3, "")
    assert json.loads(result.stdout) == [
        {
            "severity": "error",
            "code": "E202",
            "message": '"from" is missing',
            "file": "specs/demo/tables/visits.yaml",
            "line": 1,
            "column": 1,
            "length": 5,
            "label": 'has no "from"',
            "hint": "from: the source table, or a query in its place: for joins, unions, several tables into one",
        }
    ]


def test_findings_as_annotations(demo: Path) -> None:
    """GitHub marks the lines of a pull request."""
    (demo / "tables" / "visits.yaml").write_text("table: visits\nform: visit\n")

    result = run("lint", "--format", "github", "demo")

    assert result.exit_code == 3
    assert result.stdout == (
        '::error file=specs/demo/tables/visits.yaml,line=2,col=1,title=E201::unknown key "form". did you mean "from"?\n'
    )


def test_files_are_named_from_where_one_is(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the project's folder, or above all projects, a terminal can follow the place."""
    (demo / "tables" / "visits.yaml").write_text(EMPTY_TABLE)
    root = demo.parent.parent

    monkeypatch.chdir(root.parent)
    assert f" --> {root.name}/specs/demo/tables/visits.yaml:1:1" in run("lint", f"{root.name}/specs/demo").stderr
    monkeypatch.chdir(demo)
    assert f" --> {root}/specs/demo/tables/visits.yaml:1:1" in run("lint", ".").stderr


def test_a_yaml_file_that_nothing_reads_is_a_warning(demo: Path) -> None:
    """A spec in the wrong place, or with another ending, is not waited for in vain."""
    (demo / "tables" / "offices.yml").write_text("table: offices\n")
    (demo / "objects").mkdir()
    (demo / "objects" / "users.yaml").write_text("object: users\n")
    (demo / "tables" / ".visits.yaml.swp.yaml").write_text("an editor's\n")

    result = run("lint", "demo")

    assert result.exit_code == 0
    assert re.findall(r"^warning.*", result.stderr, re.MULTILINE) == [
        'warning[W302]: "specs/demo/objects/users.yaml" is not read',
        'warning[W302]: "specs/demo/tables/offices.yml" is not read',
    ]


def test_what_is_not_read_is_said_beside_what_is_missed(demo: Path) -> None:
    """The spec with the wrong ending explains why its table is not migrated."""
    (demo / "tables" / "visits.yaml").rename(demo / "tables" / "visits.yml")

    result = run("lint", "demo")

    assert result.exit_code == 3
    assert re.findall(r"^(?:error|warning).*", result.stderr, re.MULTILINE) == [
        'warning[W302]: "specs/demo/tables/visits.yml" is not read',
        'error[E602]: source table "visit" is neither migrated nor skipped',
    ]


def test_a_missing_source_catalog_is_an_error(demo: Path) -> None:
    """What to run is said; the specs are looked at all the same."""
    (demo / "catalog" / "source.yaml").unlink()
    (demo / "tables" / "visits.yaml").write_text(EMPTY_TABLE)

    result = run("plan", "demo")

    assert result.exit_code == 3
    assert result.stderr.startswith(
        'error[E303]: there is no catalog of the source: "specs/demo/catalog/source.yaml"\n'
        " = hint: write it with `transhume snapshot demo`\n"
        "\n"
        'error[E202]: "from" is missing\n'
    )


def test_a_missing_target_catalog_is_taken_for_empty(demo: Path) -> None:
    """A warning where the plan creates every table; an error where one is there already."""
    (demo / "catalog" / "target.yaml").unlink()
    result = run("lint", "demo")
    assert result.exit_code == 0
    assert result.stderr == (
        'warning[W301]: there is no catalog of the target: "specs/demo/catalog/target.yaml"; it is taken for empty\n'
        " = hint: write it with `transhume snapshot demo`\n"
        "\n"
        "1 warning\n"
    )

    with (demo / "tables" / "visits.yaml").open("a") as file:
        file.write("create: false\n")
    result = run("lint", "demo")
    assert result.exit_code == 3
    assert result.stderr.splitlines()[:6] == [
        'error[E303]: there is no catalog of the target: "specs/demo/catalog/target.yaml"',
        " --> specs/demo/tables/visits.yaml:1:8",
        "  |",
        "1 | table: visits",
        "  |        ^^^^^^ this table is there already",
        "  |",
    ]


def test_a_folder_without_a_project_is_an_error(demo: Path) -> None:
    """The folder is there, and holds no project."""
    (demo / "project.yaml").unlink()

    result = run("lint", "demo")

    assert result.exit_code == 3
    assert 'error[E304]: there is no project in "specs/demo"' in result.stderr


def test_a_plan_is_written_once_and_then_unchanged(demo: Path) -> None:
    """The same specs give the same bytes; what is not part of the plan is removed."""
    first = run("plan", "demo")
    plan = demo.parent.parent / "plans" / "demo"
    written = {path: path.read_bytes() for path in plan.rglob("*") if path.is_file()}
    (plan / "load" / "stale.sql").write_text("-- left over\n")
    second = run("plan", "demo")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == f"plans/demo: {len(written)} files, written\n"
    assert {path: path.read_bytes() for path in plan.rglob("*") if path.is_file()} == written
    assert run("plan", "demo").stdout == f"plans/demo: {len(written)} files, unchanged\n"


@pytest.mark.usefixtures("demo")
def test_a_plan_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Exit code 1 and the system's reason, no traceback."""
    (tmp_path / "plans").write_text("a file where the folder belongs")

    result = run("plan", "demo")

    assert result.exit_code == 1
    assert result.stderr == "Error: cannot write plans: file exists\n"


def test_schemas_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    """The same of `transhume schema --out`."""
    (tmp_path / "file").write_text("a file where a folder belongs")

    result = run("schema", "--out", str(tmp_path / "file" / "schemas"))

    assert (result.exit_code, result.stderr) == (1, f"Error: cannot write {tmp_path}/file/schemas: not a directory\n")


@pytest.mark.usefixtures("demo")
def test_a_file_is_no_project() -> None:
    """Whoever names one of its files is told what to name."""
    result = run("lint", "specs/demo/project.yaml")

    assert result.exit_code == 2
    assert 'no project "specs/demo/project.yaml": that is a file, and a project is a folder' in result.stderr


@pytest.mark.usefixtures("demo")
def test_neither_the_order_of_files_nor_the_way_to_them_changes_a_plan(tmp_path: Path) -> None:
    """Specs that are written in another order, and a folder that is named by its whole path, give the same bytes."""
    assert run("plan", "demo").exit_code == 0
    other = tmp_path / "elsewhere"
    for name in sorted((str(path.relative_to(BASE)) for path in BASE.rglob("*.yaml")), reverse=True):
        (other / "specs" / "demo" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BASE / name, other / "specs" / "demo" / name)

    result = run("plan", str(other / "specs" / "demo"), "--check", "--out", str(tmp_path / "plans"))

    assert (result.exit_code, result.stderr) == (0, "")


def test_a_stale_plan_is_found_and_left_alone(demo: Path) -> None:
    """`--check` writes nothing, shows the difference and exits 1."""
    run("plan", "demo")
    plan = demo.parent.parent / "plans" / "demo"
    path = plan / "load" / "visits.sql"
    edited = path.read_text() + "-- edited\n"
    path.write_text(edited)
    (plan / "extra.sql").write_text("-- extra\n")

    result = run("plan", "demo", "--check")

    assert result.exit_code == 1
    assert "--- plans/demo/extra.sql\n+++ /dev/null\n@@ -1 +0,0 @@\n--- extra\n" in result.stdout
    assert "--- plans/demo/load/visits.sql\n+++ plans/demo/load/visits.sql\n" in result.stdout
    assert "\n--- edited\n" in result.stdout
    assert result.stderr == "plans/demo is not what specs/demo compiles to; run `transhume plan specs/demo`\n"
    assert path.read_text() == edited


@pytest.mark.usefixtures("demo")
def test_a_plan_that_was_never_written_is_stale() -> None:
    """`--check` in a fresh checkout that lacks plans/."""
    result = run("plan", "demo", "--check", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["changed"] is True
    assert not Path("plans").exists()


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("step", ["load.visits", "plans/demo/load/visits.sql", "load/visits.sql"])
def test_a_step_is_explained(step: str) -> None:
    """Its spec, what it waits for and what waits for it, its references, its SQL."""
    result = run("explain", step)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("load.visits: ")
    assert "\nwaits for      create.visits" in result.stdout
    assert "\nwaited for by  index.visits" in result.stdout
    assert "\nfrom specs/demo/tables/visits.yaml:1\n1 | table: visits\n2 | from: visit\n" in result.stdout
    assert "patient_id: the key of patients; it is computed from patient_id\n" in result.stdout
    assert "\n    a patient_id that leads nowhere sets the row aside\n" in result.stdout
    assert "\n-- transhume: extract on source" in result.stdout


@pytest.mark.usefixtures("demo")
def test_an_unknown_step_is_a_usage_error() -> None:
    """Exit code 2, and the close name."""
    result = run("explain", "load.visit")

    assert result.exit_code == 2
    assert 'there is no step "load.visit"; did you mean "load.visits"?' in result.stderr


def test_one_of_several_projects_has_to_be_chosen(demo: Path) -> None:
    """`explain` and `graph` take the only project there is, and no other."""
    shutil.copytree(demo, demo.parent / "other")

    assert "which project? there are demo, other" in run("explain", "load.visits").stderr
    assert run("explain", "load.visits", "-p", "demo").exit_code == 0
    assert "which project? there are demo, other" in run("graph").stderr


@pytest.mark.usefixtures("demo")
def test_the_graph_of_tables() -> None:
    """In load order, as text, as Mermaid and for Graphviz."""
    assert run("graph").stdout == "patients\nvisits    after patients\n"
    assert run("graph", "--format", "mermaid").stdout == (
        'graph LR\n    n0["patients"]\n    n1["visits"]\n    n0 --> n1\n'
    )
    assert run("graph", "--format", "dot").stdout == (
        'digraph plan {\n    rankdir=LR;\n    "patients";\n    "visits";\n    "patients" -> "visits";\n}\n'
    )


@pytest.mark.usefixtures("demo")
def test_the_graph_of_steps() -> None:
    """Every step of the plan, after what it waits for."""
    lines = run("graph", "--steps").stdout.splitlines()

    assert any(line.startswith("load.visits") and "after create.visits" in line for line in lines)


def test_schemas_are_printed_and_written(tmp_path: Path) -> None:
    """One on stdout, or both as files for editors."""
    assert json.loads(run("schema", "table").stdout)["title"] == "table"
    result = run("schema", "--out", str(tmp_path / "schemas"))
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "schemas").iterdir()} == {
        "project.schema.json", "removal.schema.json", "table.schema.json",
    }  # fmt: skip
    assert run("schema").exit_code == 2


def test_a_mistake_is_found_before_anything_heavy_is_loaded(demo: Path) -> None:
    """Errors come fast: neither sqlglot nor networkx nor jinja2 is needed to find a misspelt key."""
    (demo / "tables" / "visits.yaml").write_text("table: visits\nform: visit\n")
    script = (
        "import sys\nfrom compiler.cli import lint\n"
        "try: lint(['specs/demo'])\n"
        "except SystemExit as end: print(end.code, {'sqlglot', 'networkx', 'jinja2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "3 set()\n"
