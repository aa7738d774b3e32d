"""How a plan's folder differs from what the specs compile to, as a unified diff."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path


def differences(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """The lines of the diff from the folder to `files`, file by file; none where they are the same to the byte.

    What starts with a dot belongs to others and is not looked at.
    """
    present = ((path.relative_to(folder), path) for path in folder.rglob("*") if path.is_file())
    there = {name.as_posix(): path for name, path in present if not any(part.startswith(".") for part in name.parts)}
    for name in sorted(there.keys() | files.keys()):
        old = there[name].read_bytes() if name in there else None
        new = files[name].encode() if name in files else None
        if old != new:
            yield from _difference((folder / name).as_posix(), old, new)


def _difference(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    before, after = (_lines(content) for content in (old, new))
    names = [path if content is not None else "/dev/null" for content in (old, new)]
    yield from difflib.unified_diff(before, after, names[0], names[1], lineterm="")
    if before == after:
        yield f"{path}: {'empty' if not before else 'differs in its line ends or its encoding'}"


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="backslashreplace").splitlines()
