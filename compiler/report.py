"""Findings on the way to people and machines: text on stderr, JSON and GitHub's annotations on stdout."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from compiler.diagnostics import Diagnostic, SpecError, in_order, summary, text
from compiler.folder import Folder

SPECS_HAVE_ERRORS = 3


@contextmanager
def reporting(project: Path) -> Iterator[None]:
    """A SpecError becomes its diagnostics on stderr and exit code 3; a bug stays a traceback."""
    try:
        yield
    except SpecError as error:
        show(error.diagnostics, project)
        sys.exit(SPECS_HAVE_ERRORS)


def show(diagnostics: Sequence[Diagnostic], project: Path) -> None:
    """Each finding, then how many there are; nothing where there is none."""
    for diagnostic in in_order(diagnostics):
        head, *lines = text(diagnostic, root_of(project)).split("\n")
        color = "red" if diagnostic.is_error else "yellow"
        click.echo("\n".join([click.style(head, fg=color, bold=True), *lines, ""]), err=True)
    if diagnostics:
        click.echo(summary(in_order(diagnostics)), err=True)


def root_of(project: Path) -> str:
    """What leads from here to the folder that holds specs/: "" where that is here."""
    root = Folder.at(project).root
    if root == Path.cwd():
        return ""
    relative = os.path.relpath(root)
    return f"{root if relative.startswith('..') else relative}/"


def as_json(diagnostics: Sequence[Diagnostic], project: Path) -> list[dict[str, object]]:
    """The findings as data; `line`, `column` and `length` are null where there is no place."""
    return [_entry(diagnostic, root_of(project)) for diagnostic in in_order(diagnostics)]


def _entry(diagnostic: Diagnostic, root: str) -> dict[str, object]:
    span = diagnostic.span
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "file": f"{root}{span.file}" if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
        "length": span.length if span else None,
        "label": diagnostic.label,
        "hint": diagnostic.hint,
    }


def show_json(data: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def annotations(diagnostics: Sequence[Diagnostic], project: Path) -> Iterator[str]:
    """The findings as the workflow commands by which GitHub marks lines in a pull request."""
    for entry in as_json(diagnostics, project):
        place = f"file={_value(entry['file'])},line={entry['line']},col={entry['column']}," if entry["file"] else ""
        message = ". ".join(str(entry[key]) for key in ("message", "hint") if entry[key])
        yield f"::{entry['severity']} {place}title={entry['code']}::{_escaped(message)}"


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(value: object) -> str:
    return _escaped(str(value)).replace(":", "%3A").replace(",", "%2C")
