"""What people read at the end: the account of every table, the verdict, the status, the rows that were set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from runner.accounting import Account
from runner.checks import Check
from runner.rejects import Reject
from runner.status import Status, StepStatus

WIDTH = 240  # columns of a log line
KINDS = ("rows", "checksums", "query", "rules")  # of checks; whatever has another name is a rule
COLORS = {"done": "green", "failed": "red", "running": "cyan", "reverted": "yellow", "waiting": "dim"}


def standard_output() -> Console:
    """Standard output; where it is no terminal, wide enough that no cell is cut."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH)


def accounting_table(accounts: Sequence[Account]) -> Table:
    """source = moved + filtered + rejected + reconciled, a line each and the sum."""
    table = Table(title="Where every row is", title_justify="left")
    table.add_column("table")
    for name in ("source", "moved", "filtered", "rejected", "reconciled", "nulled"):
        table.add_column(name, justify="right")
    for one in accounts:
        red = any(one.problems())
        table.add_row(escape(one.table), *_numbers(one), style="red" if red else None)
    if len(accounts) > 1:
        table.add_section()
        table.add_row("all", *(f"{sum(column):,}" for column in zip(*map(_columns, accounts), strict=True)))
    return table


def checks_table(checks: Sequence[Check]) -> Table:
    """A line for each table, a column for each kind of check."""
    lines: dict[str, dict[str, list[Check]]] = {}
    for check in checks:
        kind = check.name.partition(" of ")[0]
        line = lines.setdefault(check.table or check.step, {})
        line.setdefault(kind if kind in KINDS else "rules", []).append(check)
    table = Table(title="What was verified", title_justify="left")
    for name in ("", *KINDS):
        table.add_column(name)
    for name, line in lines.items():
        table.add_row(escape(name), *(_verdict(line.get(kind, [])) for kind in KINDS))
    return table


def red_lines(checks: Sequence[Check]) -> Iterator[str]:
    """Every problem of every check that is red, with its step."""
    return (f"{check.step}: {check.name}: {problem}" for check in checks for problem in check.problems)


def _verdict(checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    return "[green]ok[/green]" if all(check.green for check in checks) else "[red]red[/red]"


def status_table(status: Status) -> Table:
    """The steps that were begun and how many wait; for those that move rows, how far they are."""
    begun = [step for step in status.steps if step.state != "waiting"]
    waiting = len(status.steps) - len(begun)
    title = f"{status.run.project}: {status.state}, {len(begun)} of {len(status.steps)} steps begun, {waiting} wait"
    table = Table(title=title, title_justify="left")
    for name in ("step", "state", "seconds", "rows", "of", "set aside", "rows/s", "memory"):
        table.add_column(name, justify="left" if name in ("step", "state") else "right")
    for step in begun:
        table.add_row(*_step(step))
    return table


def rejects_table(rejects: Sequence[Reject]) -> Table:
    """A line for each row that was set aside; nothing of the row but its key."""
    table = Table(title="Rows that were set aside", title_justify="left")
    for name in ("table", "key", "action", "column", "reason", "SQLSTATE", "step"):
        table.add_column(name)
    for one in rejects:
        key = ", ".join(one.key)
        cells = (one.table_id, key, one.action, one.target_column or "", one.reason, one.sqlstate, one.step)
        table.add_row(*map(escape, cells))
    return table


def duration(seconds: float | None) -> str:
    """`0:01:30`; unknown for None."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def megabytes(size: int) -> str:
    """`85 MB`, of 2^20 bytes each."""
    return f"{size / 2**20:,.0f} MB"


def _columns(one: Account) -> tuple[int, ...]:
    return (one.source or 0, one.moved, one.filtered, one.rejected, one.reconciled, one.nulled)


def _numbers(one: Account) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in _columns(one))


def _step(step: StepStatus) -> tuple[str, ...]:
    color = COLORS[step.state]
    state = f"[{color}]{step.state}[/{color}]" + (f" {escape(step.error)}" if step.error else "")
    seconds = "" if step.seconds is None else f"{step.seconds:,.1f}"
    memory = "" if step.peak_memory is None else megabytes(step.peak_memory)
    counts = step.counts
    if counts is None:
        return (escape(step.step), state, seconds, "", "", "", "", memory)
    size = "" if step.size is None else f"{step.size:,}"
    rate = "" if step.rows_per_second is None else f"{step.rows_per_second:,.0f}"
    return (escape(step.step), state, seconds, f"{counts.loaded:,}", size, f"{counts.rejected:,}", rate, memory)
