"""How a command ends when something is wrong: one sentence, a hint, the exit code; a bug stays a traceback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

from runner.errors import RunnerError


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Print a RunnerError to stderr and exit with its code."""
    try:
        yield
    except RunnerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
