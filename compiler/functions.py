"""The functions of PostgreSQL that expressions may call, from functions.json: what they give, and since which version.

Functions that act on the server rather than compute (pg_sleep, set_config, query_to_xml, lo_import ...) are not listed,
and so refused. A test compares the list with the servers' own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["scalar", "session", "aggregate", "window", "set"]


@dataclass(frozen=True, slots=True)
class Function:
    """`session`: its value depends on when, where or how often it is called. `returns` is "" where that varies."""

    name: str
    kind: Kind
    returns: str
    since: int


@cache
def functions() -> Mapping[str, Function]:
    """By name; none has its schema, pg_catalog, written."""
    content = json.loads(files("compiler").joinpath("functions.json").read_text("utf-8"))
    since = {name: int(version) for version, names in content.pop("since").items() for name in names}
    return {
        name: Function(name, kind, returns, since.get(name, 0))
        for kind, groups in content.items()
        for returns, names in groups.items()
        for name in names
    }
