"""Columns in folders of code: every way of writing a name, what git ignores, and how fast."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.code_uses import name_pattern, scan
from runner.errors import RunnerError

FOUND = [
    *("legacy_patient_id", '"legacy_patient_id"', "LEGACY_PATIENT_ID", "legacyPatientId", "LegacyPatientId"),
    *(":legacy_patient_id", "legacy-patient-id", "p.legacy_patient_id=", "'legacy_patient_id'", "$legacy_patient_id"),
    *("(legacyPatientId)", "data.legacyPatientID", "legacypatientid"),
]
NOT_FOUND = [
    *("legacy_patient_ids", "legacy patient id", "'legacy_' || 'patient_id'", "getLegacyPatientId"),
    *("_legacy_patient_id", "legacy_patient_id2", "élegacy_patient_id", "legacy__patient_id"),
]


@pytest.mark.parametrize("text", FOUND)
@pytest.mark.parametrize("column", ["legacy_patient_id", "legacyPatientId", "LegacyPatientId"])
def test_every_way_of_writing_a_name_is_found(column: str, text: str) -> None:
    """Snake, camel, Pascal and kebab, in any case, whichever of them the column itself is written in."""
    assert name_pattern(column).pattern.search(text.encode())


@pytest.mark.parametrize("text", NOT_FOUND)
def test_other_names_are_not(text: str) -> None:
    """Not as a part of a longer word, and not in pieces."""
    assert not name_pattern("legacy_patient_id").pattern.search(text.encode())


@pytest.mark.parametrize(
    "column, text",
    [
        ("id", "x.id"),
        ("straße_nr", "straßeNr"),
        ("Odd.Column x", "odd_column_x"),
        ("v2_id", "V2Id"),
        ("HTTPServer", "http-server"),
        ("a+b", "a_b"),
        ("+", "x + y"),
    ],
)
def test_names_of_any_kind(column: str, text: str) -> None:
    """Digits, letters beyond ASCII, and what is no letter at all."""
    assert name_pattern(column).pattern.search(text.encode())


def write(folder: Path, files: dict[str, str]) -> None:
    """The files, by their paths."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_uses_are_counted_by_file_and_column(tmp_path: Path) -> None:
    """Two columns in one pass over the files."""
    write(tmp_path, {"a.py": "userId, user_id; is_active", "b/c.ts": "user-id", "d.py": "nothing", ".env": "USER_ID=1"})

    found = scan(tmp_path, ["user_id", "is_active"], "../app")

    assert (found.path, found.read) == ("../app", 4)
    assert found.files == {"a.py": {"user_id": 2, "is_active": 1}, "b/c.ts": {"user_id": 1}, ".env": {"user_id": 1}}
    assert (found.total("user_id"), found.total("is_active"), found.total("x")) == ((4, 3), (1, 1), (0, 0))


def test_what_is_no_code_is_not_read(tmp_path: Path) -> None:
    """Binary files, what git keeps for itself, links; a file of data is named, not read."""
    write(tmp_path, {"a.bin": "user_id\0", ".git/config": "user_id", "there/b.py": "user_id"})
    (tmp_path / "big.sql").write_bytes(b"user_id " * 1_300_000)
    (tmp_path / "again").symlink_to(tmp_path / "there")
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")

    found = scan(tmp_path, ["user_id"])

    assert found.files == {"there/b.py": {"user_id": 1}}
    assert (found.read, found.left_out) == (1, ("big.sql",))


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder or a file that is somebody else's; a name that is no text can be shown all the same."""
    write(tmp_path, {"closed/a.py": "user_id", "b.py": "user_id", "c.py": "user_id"})
    (tmp_path / os.fsdecode(b"\xff.py")).write_text("user_id")
    scandir, read = os.scandir, Path.read_bytes

    def scan_but_closed(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError
        return scandir(folder)

    def read_but_c(path: Path) -> bytes:
        if path.name == "c.py":
            raise PermissionError
        return read(path)

    monkeypatch.setattr(os, "scandir", scan_but_closed)
    monkeypatch.setattr(Path, "read_bytes", read_but_c)
    found = scan(tmp_path, ["user_id"])

    assert found.files == {"b.py": {"user_id": 1}, "\N{REPLACEMENT CHARACTER}.py": {"user_id": 1}}
    assert found.left_out == ("c.py", "closed")


IGNORED = {
    ".gitignore": "*.log\n/dist\nnode_modules/\n!keep.log\ngen/*.py\n**/deep/x.py\n# no\n\\#odd.py\n",
    "sub/.gitignore": "!again.log\nlocal.py\n",
    "a.py": "", "a.log": "", "keep.log": "", "dist/a.py": "", "sub/dist/a.py": "", "node_modules/m/a.js": "",
    "sub/node_modules/a.js": "", "gen/a.py": "", "gen/b/a.py": "", "sub/gen/a.py": "", "q/deep/x.py": "",
    "sub/again.log": "", "sub/local.py": "", "local.py": "", "#odd.py": "", "sub/other.log": "",
}  # fmt: skip


def listed(folder: Path) -> set[str]:
    """The files in which a scan finds the column: all that it looks at have it."""
    return set(scan(folder, ["user_id"]).files)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository in which every file names the column."""
    write(tmp_path, {name: f"{text}# user_id\n" for name, text in IGNORED.items()})
    (tmp_path / ".git" / "info").mkdir(parents=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("a.py\n!sub/**/a.py\n")
    return tmp_path


def test_what_git_ignores_is_left_out(repository: Path) -> None:
    """Of nested .gitignore files the innermost that says anything decides, as with git."""
    assert listed(repository) == {
        *(".gitignore", "sub/.gitignore", "keep.log", "sub/dist/a.py", "sub/gen/a.py", "sub/again.log", "local.py"),
    }


def test_a_folder_inside_a_repository_has_its_rules(repository: Path) -> None:
    """The .gitignore files above the folder that is named hold for it too."""
    assert listed(repository / "sub") == {".gitignore", "dist/a.py", "gen/a.py", "again.log"}


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_git_agrees(repository: Path) -> None:
    """`git ls-files` of the same folder lists the same files."""
    shutil.rmtree(repository / ".git")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(repository), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    git("init", "--quiet")
    (repository / ".git" / "info" / "exclude").write_text("a.py\n!sub/**/a.py\n")

    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    assert listed(repository) == set(filter(None, names))


@pytest.mark.parametrize("name, what", [("nowhere", "is not there"), ("file", "is a file")])
def test_a_folder_that_is_none(tmp_path: Path, name: str, what: str) -> None:
    """One sentence, and the exit code of a wrong argument."""
    (tmp_path / "file").write_text("")

    with pytest.raises(RunnerError) as caught:
        scan(tmp_path / name, ["x"], f"../{name}")

    assert (caught.value.message, caught.value.exit_code) == (f'the code folder "../{name}" {what}', 2)


def test_many_files(tmp_path: Path) -> None:
    """Two thousand files in a hundred folders, 8 MB: each is read, each use counted."""
    text = "self.legacyPatientId = value\n" + "def handler(self, request, value): return json\n" * 80
    for number in range(2_000):
        folder = tmp_path / f"m{number % 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}.py").write_text(text)
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\nnode_modules/\n.venv/\n*.pyc\n/dist\n")
    found = scan(tmp_path, ["legacy_patient_id"])

    assert found.total("legacy_patient_id") == (2_000, 2_000)
