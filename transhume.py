"""The front door: every command by name, loaded when it is called for; `transhume --help` imports nothing else."""

from __future__ import annotations

import difflib
import gc
import importlib
import sys
from types import ModuleType
from typing import Any, NamedTuple

import click

INTERRUPTED = 130


class Entry(NamedTuple):
    """Where a command is, and the line that the list of commands has for it."""

    module: str
    attribute: str
    help: str


SECTIONS: dict[str, dict[str, Entry]] = {
    "Specs and plans, without a database": {
        "init": Entry("compiler.init_cli", "init", "Draft the specs of a project from its catalogs."),
        "lint": Entry("compiler.cli", "lint", "Check specs; every error with its file, line and a hint."),
        "plan": Entry("compiler.cli", "plan", "Compile specs into the SQL that reviewers read."),
        "explain": Entry("compiler.cli", "explain", "Show one step: its SQL, its origin, its locks, its undo."),
        "graph": Entry("compiler.cli", "graph", "Show what comes before what, as a tree or as Mermaid."),
        "schema": Entry("compiler.cli", "schema", "Write the JSON schemas of the specs, for editors."),
    },
    "Databases": {
        "snapshot": Entry("runner.commands.snapshot", "snapshot", "Write the live databases' catalogs into the specs."),
        "analyse": Entry("runner.commands.analyse", "analyse_command", "Show everything that uses a column."),
        "apply": Entry("runner.commands.apply", "apply", "Carry a plan out, or go on where it stopped."),
        "pause": Entry("runner.commands.control", "pause", "Let a run pause, from another terminal."),
        "resume": Entry("runner.commands.control", "resume", "Let a paused run go on."),
        "abort": Entry("runner.commands.control", "abort", "End a run from another terminal, as Ctrl-C does."),
        "status": Entry("runner.commands.status", "status", "Show how far a run has come."),
        "verify": Entry("runner.commands.verify", "verify", "Compare source and target, row by row."),
        "rejects": Entry("runner.commands.rejects", "rejects", "Show the rows that were set aside, and why."),
        "rollback": Entry("runner.commands.rollback", "rollback", "Undo a run, in reverse order."),
        "removals": Entry("runner.commands.removals", "removals", "List the removals: phase, what each waits for."),
        "restore": Entry("runner.commands.removals", "restore", "Bring back what a removal took, values and all."),
    },
    "To begin with": {
        "demo": Entry("runner.commands.demo", "demo", "Run a whole migration on the embedded PostgreSQL."),
        "doctor": Entry("runner.doctor", "doctor", "Check this machine and the databases, and say what to do."),
    },
}
COMMANDS: dict[str, Entry] = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


def unwrapped(help: str | None) -> str | None:
    """Click's mark for lines that stay as they are, which a raw docstring holds as two characters."""
    return help and help.replace("\\b\n", "\b\n")


def _imported(name: str) -> ModuleType:
    """A module. The garbage collector rests meanwhile: to look at all that is loaded takes an eighth of the time."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()  # nor does it look at any of that later
        gc.enable()


class Front(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = unwrapped(self.help)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order in which a migration needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for a name that is not in the table."""
        if (entry := COMMANDS.get(cmd_name)) is None:
            return None
        try:
            command = getattr(_imported(entry.module), entry.attribute)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith(("compiler", "runner")):
                raise
            raise click.ClickException(f'the library "{error.name}" is not installed; reinstall transhume') from None
        assert isinstance(command, click.Command), f"{entry.module}.{entry.attribute} is not a command"
        command.help = unwrapped(command.help)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the names that are close to what was typed."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            close = difflib.get_close_matches(name, COMMANDS)
            ctx.fail(f'no such command "{name}"' + (f"; did you mean {' or '.join(close)}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that none is imported for it."""
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), entry.help) for name, entry in section.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; Ctrl-C ends it with one line and the exit code that shells use for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.command(cls=Front, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="transhume", message="%(prog)s %(version)s")
def main() -> None:
    r"""Move a PostgreSQL database to a new home.

    Specs in YAML compile into a plan of SQL files, which is reviewed as a diff; a runner carries the plan out, goes on
    after any crash, accounts for every row, and can take it back.

    \b
    Example:
      transhume demo dispatch             a whole migration on an embedded server
      transhume plan specs/dispatch       write plans/dispatch
      transhume apply plans/dispatch      carry it out
    """


if __name__ == "__main__":
    main()
