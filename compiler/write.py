"""Files -> a folder: what is new is written, what is stale is removed, what is the same is not touched.

A folder is never left with half a plan in it: all new texts are on disk before the first file is replaced, and
plan.yaml goes first and comes back last, so that the runner finds either a whole plan or none.
"""

import contextlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compiler.emit import MANIFEST


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Make `folder` hold exactly `files`; only what starts with a dot is left alone. Raises OSError."""
    contents = {name: text.encode() for name, text in files.items()}
    stale = [name for name in _present(folder) if name not in contents]
    changed = {name: data for name, data in contents.items() if _read(folder / name) != data}
    if not changed and not stale:
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder) as new:
        _write(new, changed)
        if folder.exists():
            _replace(folder, new, changed, stale)
        else:
            new.rename(folder)


def _present(folder: Path) -> Iterator[str]:
    """The files that are there, dotfiles and what is in dot folders left out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if (path.is_symlink() or not path.is_dir()) and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix()


def _read(path: Path) -> bytes | None:
    try:
        return None if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A new folder on the same file system; removed in the end, unless it was moved."""
    new = folder.parent / f".{folder.name}-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)  # of a process that was killed
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write(new: Path, contents: Mapping[str, bytes]) -> None:
    """Two folders at a time: it halves the time where ext4 looks long for free inodes, after many were deleted."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in contents:
        folders[os.path.dirname(name)].append(name)

    def fill(folder: str) -> None:
        os.makedirs(new / folder, exist_ok=True)
        for name in folders[folder]:
            with open(new / name, "wb") as file:
                file.write(contents[name])

    with ThreadPoolExecutor(max_workers=2) as pool:
        for done in [pool.submit(fill, folder) for folder in folders]:
            done.result()


def _replace(folder: Path, new: Path, changed: Iterable[str], stale: Iterable[str]) -> None:
    """The manifest goes first and comes last; between the two there is no plan."""
    manifest = folder / MANIFEST
    kept = _read(manifest) if MANIFEST not in changed else None
    if kept is not None:
        (new / MANIFEST).write_bytes(kept)
    manifest.unlink(missing_ok=True)
    _remove(folder, stale)
    for name in changed:
        if name != MANIFEST:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(new / name, folder / name)
    if (new / MANIFEST).exists():
        os.replace(new / MANIFEST, manifest)


def _remove(folder: Path, stale: Iterable[str]) -> None:
    """Remove the files, and the folders that they leave empty."""
    for name in stale:
        (folder / name).unlink()
    for parent in sorted({parent for name in stale for parent in Path(name).parents}, reverse=True):
        if parent != Path():
            with contextlib.suppress(OSError):  # something is left in it
                (folder / parent).rmdir()
