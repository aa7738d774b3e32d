"""Every error in its full text, every plan to the byte. `--update-golden` rewrites what is expected.

golden/errors/<case> and golden/plans/<case> hold what is special about a case: project.yaml, tables/, removals/,
catalog/. What it does not bring comes from golden/base. An error case expects stderr.txt; a plan case the folder
expected/, and stderr.txt where there are warnings. source.sql and target.sql are for the tests that carry the plans
out. An error case with a file `base` is laid over the project that it names instead.
"""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from transhume import main

GOLDEN = Path(__file__).parent / "golden"
ERRORS = sorted((GOLDEN / "errors").iterdir())
PLANS = sorted((GOLDEN / "plans").iterdir()) if (GOLDEN / "plans").exists() else []
INPUT = {"project.yaml", "tables", "removals", "catalog"}
ROOT = GOLDEN.parent.parent
ELSEWHERE = {"fingerprint"}  # test_catalog.py and test_catalog_file.py read it


def tree(folder: Path) -> dict[str, str]:
    """The files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.rglob("*") if path.is_file()
    }


def compiled(case: Path, here: Path) -> Result:
    """`transhume plan demo`, run in `here`, where specs/demo is the base with the case laid over it."""
    base = ROOT / (case / "base").read_text().strip() if (case / "base").exists() else GOLDEN / "base"
    project = "demo" if base.name == "base" else base.name
    shutil.copytree(base, here / "specs" / project)
    for name in sorted(INPUT & {path.name for path in case.iterdir()}):
        if (case / name).is_dir():
            shutil.copytree(case / name, here / "specs" / project / name, dirs_exist_ok=True)
        else:
            shutil.copy(case / name, here / "specs" / project / name)
    return CliRunner().invoke(main, ["plan", project])


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.name)
def test_error_matches_golden(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    """A spec with a mistake in it fails with the committed text, exit code 3, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    result = compiled(case, tmp_path)

    assert result.exit_code == 3, result.output + repr(result.exception)
    assert result.stdout == ""
    assert not (tmp_path / "plans").exists()
    assert_stderr(case, result, update_golden)


def test_every_finding_has_a_hint() -> None:
    """What is wrong is said with what to do about it."""
    texts = [path.read_text() for path in sorted(GOLDEN.glob("*/*/stderr.txt"))]
    findings = [each for text in texts for each in text.split("\n\n") if each.startswith(("error[", "warning["))]

    assert len(findings) > 250
    assert [each for each in findings if " = hint: " not in each] == []


@pytest.mark.parametrize("case", PLANS, ids=lambda case: case.name)
def test_plan_matches_golden(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    """A spec compiles to the committed files, and to no other."""
    monkeypatch.chdir(tmp_path)
    result = compiled(case, tmp_path)

    assert result.exit_code == 0, result.output + repr(result.exception)
    plan = tmp_path / "plans" / "demo"
    if update_golden:
        shutil.rmtree(case / "expected", ignore_errors=True)
        shutil.copytree(plan, case / "expected")
    assert tree(plan) == tree(case / "expected")
    assert_stderr(case, result, update_golden)


def assert_stderr(case: Path, result: Result, update_golden: bool) -> None:
    """What was said is what is committed; no file, where nothing was said."""
    path = case / "stderr.txt"
    if update_golden:
        path.unlink(missing_ok=True)
        if result.stderr:
            path.write_bytes(result.stderr.encode())
    assert result.stderr == (path.read_bytes().decode() if path.exists() else "")


def test_every_golden_is_read() -> None:
    """A file that no test reads proves nothing, and is taken for proof all the same."""
    allowed = {case: INPUT | {"stderr.txt", "base"} for case in ERRORS}
    allowed |= {case: INPUT | {"stderr.txt", "expected", "source.sql", "target.sql"} for case in PLANS}
    stray = [path for case, names in allowed.items() for path in case.iterdir() if path.name not in names]
    stray += [path for case in allowed for path in (case / "tables").rglob("*") if path.suffix != ".yaml"]
    stray += [path for path in GOLDEN.iterdir() if path.name not in {"base", "errors", "plans"} | ELSEWHERE]

    assert stray == []
    assert all(case.is_dir() and any(path.is_file() for path in case.rglob("*")) for case in allowed)
