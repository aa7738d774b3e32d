"""Who is told of a run beside the screen: a file of events, Prometheus, a webhook; each an option."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from runner.errors import RunnerError
from runner.json_events import Appended, Events
from runner.progress import Fan, Progress

DRAIN = 5.0  # seconds that the webhook's last calls may take
LISTEN = re.compile(r"(?:(?P<host>[^:\s]+|\[[0-9a-fA-F:.]+\]):)?(?P<port>\d{1,5})")


class Listen(NamedTuple):
    """Where metrics are served."""

    host: str
    port: int


class ListenType(click.ParamType[Listen]):
    """`9100`, on this machine only; `0.0.0.0:9100`, `[::1]:9100`."""

    name = "[host:]port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Listen:
        """Read it."""
        if isinstance(value, Listen):
            return value
        found = LISTEN.fullmatch(str(value))
        if found is None or int(found["port"]) > 65535:
            self.fail(f'"{value}" is not a port, and not an address such as 0.0.0.0:9100', param, ctx)
        return Listen((found["host"] or "127.0.0.1").strip("[]"), int(found["port"]))


metrics_option = click.option(
    "--metrics", type=ListenType(), help="Serve metrics for Prometheus; on 127.0.0.1 unless an address is given."
)
webhook_option = click.option(
    "--webhook", metavar="URL", envvar="TRANSHUME_WEBHOOK", show_envvar=True, help="Post JSON to it when steps end, "
    "rows are set aside, and the run ends.",
)  # fmt: skip
events_option = click.option(
    "--events", type=click.Path(dir_okay=False, path_type=Path), help="Add every event to this file, as JSON lines."
)


@contextlib.contextmanager
def telling(
    project: str, screen: Progress, metrics: Listen | None, webhook: str | None = None, events: Path | None = None
) -> Iterator[Progress]:
    """Everyone who is told, as one; an error that ends the block is told too. Raises RunnerError."""
    started = time.monotonic()
    tellers: list[Progress] = [screen]
    with contextlib.ExitStack() as stack:
        if events:
            tellers.append(_file(stack, events, screen.notice))
        if metrics:
            tellers.append(_metrics(stack, project, metrics))
        if webhook:
            tellers.append(_webhook(stack, project, webhook, screen.notice))
        everyone = Fan(*tellers)
        try:
            yield everyone
        except BaseException as error:
            message = error.message if isinstance(error, RunnerError) else type(error).__name__
            everyone.stopped(message, time.monotonic() - started)
            raise


def _file(stack: contextlib.ExitStack, path: Path, notice: Callable[[str], None]) -> Progress:
    file = Appended(path)

    def close() -> None:
        file.close()
        if file.problem:
            notice(file.problem)

    stack.callback(close)
    return Events(file.write)


def _metrics(stack: contextlib.ExitStack, project: str, listen: Listen) -> Progress:
    from runner.metrics import Metrics, serving  # 50 ms that only those pay who ask for it

    metrics = Metrics(project)
    url = stack.enter_context(serving(metrics, *listen))
    click.echo(f"metrics: {url}", err=True)
    return metrics


def _webhook(stack: contextlib.ExitStack, project: str, url: str, notice: Callable[[str], None]) -> Progress:
    from runner.outbox import Outbox  # 60 ms
    from runner.webhook import Webhook

    outbox = Outbox(url)

    def close() -> None:
        if problem := outbox.close(DRAIN):
            notice(problem)

    stack.callback(close)
    return Webhook(project, outbox.put)
