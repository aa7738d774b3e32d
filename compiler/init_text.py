"""A draft as the text of a spec file: short lines, the order of keys always the same."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from compiler.init_draft import Draft

WIDTH = 110
UNDECIDED = "# undecided: required in the target, not in the source"


def text(draft: Draft, schema: str) -> str:
    """The whole file; `schema` is what editors check it against."""
    return "".join(f"{line}\n" for line in _lines(draft, schema))


def _lines(draft: Draft, schema: str) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={schema}"
    yield f"table: {flow(draft.table)}"
    yield f"from: {flow(draft.source)}"
    if draft.key:
        yield f"key: {flow(draft.key)}"
    yield from _block("columns", draft.columns, dict.fromkeys(draft.undecided, UNDECIDED))
    if draft.same:
        yield flow({"same": [*draft.same]}, braces=False)
    yield from _block("drop", draft.drop)
    if draft.constraints.indexes:
        yield "indexes:"
        yield from (f"  - {flow(index)}" for index in draft.constraints.indexes)
    yield from _block("checks", draft.constraints.checks)
    if not draft.create:
        yield "create: false"
    for name in draft.undecided:
        if name not in draft.columns:
            yield f"{UNDECIDED}: {name}"
    for note in draft.notes:
        yield f"# not carried over: {' '.join(note.split())}"


def _block(key: str, entries: Mapping[str, Any], remarks: Mapping[str, str] | None = None) -> Iterator[str]:
    """A line for each entry."""
    if entries:
        yield f"{key}:"
    for name, value in entries.items():
        remark = (remarks or {}).get(name)
        yield f"  {flow(name)}: {flow(value)}" + (f"  {remark}" if remark else "")


def flow(value: Any, braces: bool = True) -> str:
    """A value on one line, quoted where YAML would read it as something else; lists at the top break at WIDTH."""
    if not braces:
        return yaml.safe_dump(value, default_flow_style=None, width=WIDTH, allow_unicode=True, sort_keys=False).rstrip()
    dumped: str = yaml.safe_dump([value], default_flow_style=True, width=2**31, allow_unicode=True, sort_keys=False)
    return dumped.rstrip()[1:-1]
