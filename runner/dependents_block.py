"""`dependents:`, ready to be pasted into a removal's spec (the compiler writes the same where a removal lacks it)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from runner.catalog_entries import qualified
from runner.uses import TO_BE_NAMED, Use, Uses

ON_TABLE = ("constraint", "trigger", "policy", "rule", "publication")
ROUTINES = ("function", "procedure", "aggregate")
REWRITTEN = (*ROUTINES, "view", "materialized view", "trigger", "policy", "rule")
KINDS = (
    *("materialized view", "view", "foreign table", "table", "index", "sequence", "statistics", "type"),
    *(*ROUTINES, *ON_TABLE, "column", "default"),
)


def block(columns: Iterable[Uses], schema: str) -> str:
    """What becomes of each: a draft to be thought about. Names of `schema` are written without it."""
    lists: dict[str, list[str]] = {"drop": [], "rewrite": [], "keep": []}
    for use in _each_once(columns):
        name, reason = shown_name(use.dependent, schema), f"  # {use.effect}"
        if use.effect == "changes":
            lists["keep"].append(f"    - {_yaml(name)}{reason}")
        elif use.effect == "breaks" and use.dependent.startswith(REWRITTEN):
            lists["rewrite"].append(f"    {_yaml(name)}: sql/{_file(name)}.sql{reason}")
        else:
            lists["drop"].append(f"    - {_yaml(name)}{reason}")
    lines = [line for key, items in lists.items() if items for line in (f"  {key}:", *items)]
    return "\n".join(["dependents:", *lines]) if lines else "dependents: {}"


def _each_once(columns: Iterable[Uses]) -> list[Use]:
    """Of several effects on one dependent the worst; what is dropped first comes first."""
    found: dict[str, Use] = {}
    for use in (use for uses in columns for use in uses.of(*TO_BE_NAMED)):
        known = found.get(use.dependent, use)
        found[use.dependent] = replace(min(known, use, key=_severity), level=max(known.level, use.level))
    return sorted(found.values(), key=lambda use: (max(1, _severity(use)), -use.level, use.dependent))


def _severity(use: Use) -> int:
    return TO_BE_NAMED.index(use.effect)


def shown_name(dependent: str, schema: str) -> str:
    """`view app.user_list` -> `view user_list`."""
    kind = next((one for one in KINDS if dependent.startswith(f"{one} ")), "")
    head, name = dependent[: len(kind) + 1], dependent[len(kind) + 1 :]
    prefix = qualified(schema, "")
    if kind not in ON_TABLE:
        return head + name.removeprefix(prefix)
    for word in (" on ", " of "):
        before, found, table = name.rpartition(word)
        name = f"{before}{found}{table.removeprefix(prefix)}" if found else name
    return head + name


def _yaml(name: str) -> str:
    """A text as YAML: in single quotes where it would be something else without them."""
    plain = re.fullmatch(r"[\w.(),\" \[\]%-]+", name) and not name.endswith(" ")
    return name if plain else "'" + name.replace("'", "''") + "'"


def _file(name: str) -> str:
    """The name of a file for a dependent: `function app.f(integer)` -> `f`."""
    head = name.partition("(")[0].partition(" on ")[0].rpartition(" ")[2]
    return re.sub(r"[^\w-]", "_", head.rpartition(".")[2].strip('"')) or "dependent"
