"""The plan's folder: whole or not there, without anything stale, and untouched where nothing changed."""

import os
from pathlib import Path

import pytest

from compiler import write
from compiler.write import write_folder

FILES = {"plan.yaml": "a: 1\n", "PLAN.md": "# größer\n", "load/orders.sql": "SELECT 1;\n", "load/b.sql": "--\r\n"}


def there(folder: Path) -> dict[str, str]:
    """What is in the folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan's folder with a plan in it."""
    write_folder(tmp_path / "plans" / "demo", FILES)
    return tmp_path / "plans" / "demo"


def test_new(folder: Path) -> None:
    """All of it, as UTF-8, with the line ends that it has, readable as any folder is."""
    assert there(folder) == FILES
    assert os.listdir(folder.parent) == ["demo"]
    (folder.parent / "other").mkdir()
    assert folder.stat().st_mode == (folder.parent / "other").stat().st_mode


def test_changes_only_what_differs(folder: Path) -> None:
    """A file that stays the same is not even written again; one that is gone is removed with its folder."""
    before = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    (folder / "create" / "deep").mkdir(parents=True)
    (folder / "create" / "deep" / "stale.sql").write_text("old")
    (folder / ".keep").write_text("mine")
    write_folder(folder, {**FILES, "load/b.sql": "new", "index/c.sql": "c"})

    assert there(folder) == {**FILES, "load/b.sql": "new", "index/c.sql": "c", ".keep": "mine"}
    assert not (folder / "create").exists()
    same = folder / "load" / "orders.sql"
    assert (same.stat().st_ino, same.stat().st_mtime_ns) == (before[same].st_ino, before[same].st_mtime_ns)
    assert os.listdir(folder.parent) == ["demo"]


def test_nothing_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan writes nothing at all."""
    monkeypatch.setattr(write, "_write", lambda *_: pytest.fail("something was written"))
    write_folder(folder, dict(reversed(FILES.items())))

    assert there(folder) == FILES


def test_a_disk_that_is_full_leaves_the_old_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New texts are all on disk before an old one goes."""
    real = os.makedirs

    def full(path: Path, mode: int = 0o777, exist_ok: bool = False) -> None:
        if path.name == "load":
            raise OSError(28, "No space left on device")
        real(path, mode, exist_ok)

    monkeypatch.setattr(os, "makedirs", full)
    with pytest.raises(OSError, match="No space left"):
        write_folder(folder, {**FILES, "PLAN.md": "other", "load/b.sql": "new"})

    assert there(folder) == FILES
    assert os.listdir(folder.parent) == ["demo"]


def test_a_stop_in_the_middle_leaves_no_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the old plan and the new one the runner finds none; the next time, all of it is written."""
    real, calls = os.replace, 0

    def stopping(old: Path, new: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        real(old, new)

    new = {name: f"{text}new" for name, text in FILES.items()}
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopping)
        with pytest.raises(KeyboardInterrupt):
            write_folder(folder, new)
    assert not (folder / "plan.yaml").exists()

    write_folder(folder, new)
    assert there(folder) == new


def test_a_folder_in_the_way(folder: Path) -> None:
    """A file where a folder has to be, or a folder or a link where a file has to be, gives way."""
    (folder / "index").write_text("a file")
    (folder / "PLAN.md").unlink()
    (folder / "PLAN.md").symlink_to(folder / "plan.yaml")
    (folder / "load" / "orders.sql").unlink()
    (folder / "load" / "orders.sql").mkdir()
    (folder / "load" / "orders.sql" / "x").write_text("x")
    write_folder(folder, {**FILES, "index/c.sql": "c"})

    assert there(folder) == {**FILES, "index/c.sql": "c"}
    assert not (folder / "PLAN.md").is_symlink()
