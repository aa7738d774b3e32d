"""What is installed is whole: the wheel holds every module, template and schema, and runs without the sources."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("transhume.py", "pyproject.toml", "README.md", "compiler", "runner", "templates")
DATA = ("*.sql.j2", "*.json", "*.sql")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources, by the setuptools that is installed: no registry is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "sources").mkdir()
    ignored = ["--exclude=__pycache__", "--exclude=*.egg-info"]
    packed = subprocess.run(["tar", "-c", *ignored, "-C", ROOT, *SOURCES], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", folder / "sources"], input=packed.stdout, check=True)
    pip(
        sys.executable,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(folder / "sources"),
    )
    (built,) = folder.glob("*.whl")
    return built


def pip(python: str, *arguments: str) -> None:
    """Run pip, and show what it said where it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder: Path, *patterns: str) -> set[str]:
    """The files under a folder, as paths from it."""
    return {str(path.relative_to(folder)) for pattern in patterns for path in folder.rglob(pattern)}


def test_every_module_template_and_schema_is_in_the_wheel(wheel: Path) -> None:
    """What is in the source folders is in the wheel, templates as a package of the compiler's; and nothing else is."""
    expected = {"transhume.py"}
    for source, package in (("compiler", "compiler"), ("runner", "runner"), ("templates", "compiler/templates")):
        expected |= {f"{package}/{name}" for name in files(ROOT / source, "*.py", *DATA)}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert packed == expected


def test_the_wheel_runs_without_its_sources(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment, with the sources out of the way, the commands load and the templates are found."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = str(tmp_path / "venv" / "bin" / "python")
    pip(sys.executable, "--python", python, "install", "--no-deps", "--no-index", str(wheel))
    site = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    libraries(site, tmp_path / "libraries")
    script = "import compiler.templates, pathlib, runner, transhume as t; print(pathlib.Path(t.__file__).parent)"

    assert run(tmp_path, python, "-c", script).strip() == str(site)
    command = tmp_path / "venv" / "bin" / "transhume"
    assert "doctor" in run(tmp_path, str(command), "--help")
    assert run(tmp_path, str(command), "--version") == "transhume 0.1.0\n"
    assert "Example" in run(tmp_path, str(command), "doctor", "--help")


def libraries(site: Path, links: Path) -> None:
    """Lend the fresh environment the libraries of this one, without the editable install of this project."""
    links.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "transhume" not in entry.name and not entry.name.endswith(".pth"):
            (links / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{links}\n", encoding="utf-8")


def run(folder: Path, *command: str) -> str:
    """What a command prints; it starts in a folder without sources, and with no PYTHON* variable."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_list_of_packages_is_complete() -> None:
    """Every folder with a module in it is listed: setuptools is told the packages, it does not look for them."""
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("compiler", "runner")
        for path in (ROOT / package).rglob("*.py")
    }

    assert listed == found | {"compiler.templates"}
