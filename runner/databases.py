"""Where a project's two databases are: behind the URLs of the environment, or on the embedded server."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

from runner import demo, embedded
from runner.connect import Address, address
from runner.errors import USAGE, RunnerError

Side = Literal["source", "target"]
SIDES: tuple[Side, Side] = ("source", "target")


@contextlib.contextmanager
def addresses(
    project: str, variables: Mapping[Side, str], sides: tuple[Side, ...] = SIDES, env: Mapping[str, str] = os.environ
) -> Iterator[dict[Side, Address]]:
    """The addresses of `sides`; `variables` names the environment variable of each of the two.

    Where none is set, the embedded server runs for as long as the block does, and the demo's source is made when it is
    not there. Raises RunnerError: a variable is not set, is no URL, the embedded server does not start or has no such
    database.
    """
    if any(env.get(variable) for variable in variables.values()):
        yield {side: address(variables[side], _url(variables[side], env)) for side in sides}
        return
    with embedded.running() as server:
        _provide(server, project, variables)
        yield {side: stand_in(server, project, side) for side in sides}


def stand_in(server: embedded.Server, project: str, side: Side) -> Address:
    """The database of the embedded server that stands in for one side of a project."""
    return Address("the embedded server", conninfo_to_dict(server.conninfo(f"{project}_{side}")))


def _url(variable: str, env: Mapping[str, str]) -> str:
    if url := env.get(variable):
        return url
    raise RunnerError(
        f"{variable} is not set",
        "set the URLs of both databases, or neither: then the embedded server stands in",
        USAGE,
    )


def _provide(server: embedded.Server, project: str, variables: Mapping[Side, str]) -> None:
    """The two databases, on the embedded server; only the demo's can be made."""
    missing = {f"{project}_{side}" for side in SIDES} - set(embedded.databases(server))
    if not missing:
        return
    if project != demo.PROJECT:
        names = " and ".join(dict.fromkeys(variables.values()))
        raise RunnerError(
            f'no database URL is set, and the embedded server has no database "{min(missing)}"',
            f"set {names}; `transhume demo {demo.PROJECT}` shows a whole migration without them",
            USAGE,
        )
    demo.create(server, fresh=False)
