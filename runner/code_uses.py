"""Where a folder of code names a column: in snake_case, camelCase, PascalCase or kebab-case, file by file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from runner.errors import USAGE, RunnerError

MOST_BYTES = 10_000_000  # a file that is larger is data
TEXT = 8_192  # bytes in which a NUL makes a file a binary one, as git has it
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W_A-Z]+|\d+")


@dataclass(frozen=True, slots=True)
class Name:
    """A column's name as code may write it: one pattern, no word character on either side.

    `rarest` is its longest word, in lower case: a file without it is not looked at again.
    """

    pattern: re.Pattern[bytes]
    rarest: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """What was found below a folder: uses by file and column; `left_out` are files too large to be code."""

    path: str
    files: Mapping[str, Mapping[str, int]]
    read: int
    left_out: tuple[str, ...] = ()

    def total(self, column: str) -> tuple[int, int]:
        """How many uses of a column are in how many files."""
        counts = [found[column] for found in self.files.values() if column in found]
        return sum(counts), len(counts)


@dataclass(slots=True)
class _Seen:
    files: dict[str, Mapping[str, int]] = field(default_factory=dict)
    read: int = 0
    left_out: list[str] = field(default_factory=list)


def name_pattern(column: str) -> Name:
    """How code may write the column: its words, with `_`, `-` or nothing between them, in any case."""
    words: list[str] = _WORDS.findall(column) or [column]
    joined = b"[_-]?".join(re.escape(word.encode()) for word in words)
    edge = rb"[0-9A-Za-z_\x80-\xff]"
    pattern = re.compile(rb"(?<!" + edge + rb")" + joined + rb"(?!" + edge + rb")", re.IGNORECASE)
    return Name(pattern, max((word.encode().lower() for word in words), key=len))


def scan(folder: Path, columns: Sequence[str], shown: str = "") -> Folder:
    """Every use below `folder`, called `shown`; what .gitignore files leave out is left out. Raises RunnerError."""
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "is not there"
        raise RunnerError(f'the code folder "{shown or folder}" {what}', "name a folder of the application", USAGE)
    names = {column: name_pattern(column) for column in columns}
    seen = _Seen()
    for path in _files(folder):
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "replace")
        _look(path, name, names, seen)
    return Folder(shown or str(folder), dict(sorted(seen.files.items())), seen.read, tuple(sorted(seen.left_out)))


def _look(path: Path, shown: str, names: Mapping[str, Name], seen: _Seen) -> None:
    try:
        if path.stat().st_size > MOST_BYTES:
            seen.left_out.append(shown)
            return
        content = path.read_bytes()
    except OSError:
        seen.left_out.append(shown)
        return
    if b"\0" in content[:TEXT]:
        return
    seen.read += 1
    lower = content.lower()
    found = {column: n for column, name in names.items() if name.rarest in lower and (n := _count(name, content))}
    if found:
        seen.files[shown] = found


def _count(name: Name, content: bytes) -> int:
    return sum(1 for _ in name.pattern.finditer(content))


def _files(folder: Path) -> Iterator[Path]:
    """Every file below that git would not ignore; links are not followed, and .git is not code."""
    yield from _below(folder, _outer(folder.resolve()))


Ignore = tuple[str, GitIgnoreSpec]  # the folder of a .gitignore, as a prefix of whole paths, and what it says


def _outer(folder: Path) -> tuple[Ignore, ...]:
    """The .gitignore files above the folder, up to where its repository begins."""
    above = next((at for at in (folder, *folder.parents) if (at / ".git").exists()), None)
    if above is None:
        return ()
    between = [at for at in reversed(folder.parents) if at.is_relative_to(above)]
    exclude = _ignore(above, above / ".git" / "info" / "exclude")
    return (*exclude, *(one for at in between for one in _ignore(at, at / ".gitignore")))


def _ignore(folder: Path, file: Path) -> tuple[Ignore, ...]:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return ((f"{folder.as_posix().rstrip('/')}/", GitIgnoreSpec.from_lines(lines)),)


def _below(folder: Path, ignores: tuple[Ignore, ...]) -> Iterator[Path]:
    whole = folder.resolve()
    ignores = (*ignores, *_ignore(whole, folder / ".gitignore"))
    prefix = f"{whole.as_posix().rstrip('/')}/"
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield folder  # not to be read, as a file may be
        return
    for entry in listed:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name == ".git" or _ignored(f"{prefix}{entry.name}{'/' if is_folder else ''}", ignores):
            continue
        if is_folder:
            yield from _below(folder / entry.name, ignores)
        elif entry.is_file(follow_symlinks=False):
            yield folder / entry.name


def _ignored(path: str, ignores: tuple[Ignore, ...]) -> bool:
    """The innermost .gitignore that says anything of it decides."""
    for prefix, spec in reversed(ignores):
        said = spec.check_file(path.removeprefix(prefix)).include
        if said is not None:
            return said
    return False
