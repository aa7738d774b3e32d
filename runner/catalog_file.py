"""A catalog as text: the YAML file that is committed, and the fingerprint of one of its relations (docs/catalog.md)."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

HEADER = "# Written by `transhume snapshot`: what the {database} database holds. Review it, do not edit it.\n"

# maps with a line for each entry; every other value of a relation stands on one line
BLOCKS = frozenset({"columns", "unique", "exclusions", "foreign_keys", "checks", "indexes", "triggers"})
BESIDE = frozenset({"rows", "dependents", "uses"})  # what a relation is not recognised by
LINE_BREAKS = re.compile(r"[\n\r\x85\u2028\u2029]")


class _Dumper(yaml.CSafeDumper):
    """Knows which plain words other readers of YAML take for something else than text."""


# YAML 1.2 reads 1e3, 0o17 and 089 as numbers; YAML 1.1, by the letter, y and n as booleans. PyYAML does neither.
for tag, pattern, first in (
    ("float", r"[-+]?(\d+|\.\d+)[eE][-+]?\d+\Z", "-+.0123456789"),
    ("int", r"0o[0-7]+\Z|0\d+\Z", "0"),
    ("bool", r"[yYnN]\Z", "yYnN"),
):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def catalog_text(catalog: Mapping[str, Any]) -> str:
    """The file's content: a line for each column, key and index; equal for equal catalogs; it reads back equal."""
    top = yaml.MappingNode("tag:yaml.org,2002:map", [], flow_style=False)
    for key, value in catalog.items():
        if key == "relations":
            node = _block(value, {name: _relation(entry) for name, entry in value.items()})
        elif key == "types":
            node = _block(value, {name: _flow(entry) for name, entry in value.items()})
        else:
            node = _flow(value)
        top.value.append((_flow(key), node))
    text: str = yaml.serialize(top, Dumper=_Dumper, allow_unicode=True, width=-1, encoding=None)
    return HEADER.format(database=catalog["database"]) + text


def write_catalog(catalog: Mapping[str, Any], path: Path) -> None:
    """Write the catalog to `path`, whole or not at all; folders above it are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(catalog_text(catalog), encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def fingerprint(relation_name: str, catalog: Mapping[str, Any]) -> str:
    """`sha256:...` of a relation and of the types that its columns use. Raises KeyError."""
    entry = {k: v for k, v in catalog["relations"][relation_name].items() if k not in BESIDE}
    columns = list(entry.pop("columns", {}).items())
    types = used_types((column["type"] for _, column in columns), catalog.get("types", {}))
    hashed = {"relation": {**entry, "columns": [list(pair) for pair in columns]}, "types": types}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()


def used_types(names: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of `types` that are used by the types `names`, directly or through another type."""
    used: dict[str, Any] = {}
    pending = list(names)
    while pending:
        name = pending.pop().removesuffix("[]")
        if name in types and name not in used:
            used[name] = entry = types[name]
            pending += [entry[kind] for kind in ("domain", "range") if kind in entry]
            pending += entry.get("composite", {}).values()
    return used


def _relation(entry: Mapping[str, Any]) -> yaml.Node:
    return _block(entry, {key: _part(key, value) for key, value in entry.items()})


def _part(key: str, value: Any) -> yaml.Node:
    if key == "uses":
        return _block(value, {column: _uses(uses) for column, uses in value.items()})
    return _lines(value) if key in BLOCKS else _flow(value)


def _uses(uses: Mapping[str, Any]) -> yaml.Node:
    return _block(uses, {key: _lines(part) if key == "dependents" else _flow(part) for key, part in uses.items()})


def _lines(value: Mapping[str, Any]) -> yaml.Node:
    """A map with a line for each entry."""
    return _block(value, {name: _flow(part) for name, part in value.items()})


def _block(value: Mapping[str, Any], nodes: Mapping[str, yaml.Node]) -> yaml.Node:
    """A map with a line for each entry; an empty one is `{}`."""
    pairs = [(_flow(key), node) for key, node in nodes.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=not value)


def _flow(value: Any) -> yaml.Node:
    """A value on one line."""
    match value:
        case dict():
            pairs = [(_flow(key), _flow(part)) for key, part in value.items()]
            return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=True)
        case list():
            return yaml.SequenceNode("tag:yaml.org,2002:seq", [_flow(part) for part in value], flow_style=True)
        case bool():
            return yaml.ScalarNode("tag:yaml.org,2002:bool", "true" if value else "false")
        case int():
            return yaml.ScalarNode("tag:yaml.org,2002:int", str(value))
        case str():
            return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"' if LINE_BREAKS.search(value) else None)
    raise TypeError(f"a catalog holds no {type(value).__name__}")
