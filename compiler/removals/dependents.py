"""`view active_users`, `trigger touch on users`: what uses the columns, as the spec names it and the server does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from compiler.catalog import Relation
from compiler.diagnostics import Diagnostic, did_you_mean
from compiler.names import qualify
from compiler.removals.bound import Dependent
from compiler.removals.spec import Named, Removal
from compiler.sql import Sql, ident, qname

RELATIONS = ("materialized view", "view")
ROUTINES = ("function", "procedure")
ON_TABLE = ("trigger", "policy", "rule", "table constraint")
OTHERS = ("publication", "index", "statistics object", "type", "column", "default value", "code")
KINDS = (*RELATIONS, *ROUTINES, *ON_TABLE, *OTHERS)  # as pg_identify_object calls them
MADE_ANEW = (*RELATIONS, *ROUTINES, "trigger", "policy", "rule")
SHORT = {"constraint": "table constraint", "statistics": "statistics object"}
_ON = re.compile(r"(?P<name>.*\S)\s+on\s+(?P<table>\S.*)")


def bind_dependents(
    removal: Removal, relation: Relation, schema: str, found: list[Diagnostic]
) -> tuple[Dependent, ...]:  # fmt: skip
    """The dependents that the spec names, as the server names them; `found` gets what is wrong."""
    bound: list[Dependent] = []
    seen: dict[str, Named] = {}
    for named in removal.dependents:
        dependent = _bind(named, relation, schema)
        problems = list(_wrong(named, dependent))
        if dependent is not None and (first := seen.setdefault(dependent.text, named)) is not named:
            message = f'"{named.word}" is named twice'
            problems.append(Diagnostic("E207", message, named.word.span, f"first under {first.action}"))
        found.extend(problems)
        if dependent is not None and not problems:
            bound.append(replace(dependent, sql=Sql(named.sql.strip()) if named.sql else None))
    return tuple(bound)


def _bind(named: Named, relation: Relation, schema: str) -> Dependent | None:
    text = " ".join(named.word.text.split())
    kind = next((one for one in (*KINDS, *SHORT) if text.startswith(f"{one} ")), None)
    if kind is None:
        return None
    name = text.removeprefix(f"{kind} ")
    kind = SHORT.get(kind, kind)
    on = ""
    if kind in ON_TABLE:
        found = _ON.fullmatch(name)
        table = found["table"] if found else str(relation.qualified)
        qualified = qualify(table, schema)
        on = qname(qualified.schema, qualified.name)
        identity = f"{_ident(found['name'] if found else name)} on {on}"
    elif kind in ROUTINES:
        head, paren, arguments = name.partition("(")
        qualified = qualify(head.strip(), schema)
        identity = f"{qname(qualified.schema, qualified.name)}{paren}{arguments}" if paren else ""
    elif kind in RELATIONS or kind in ("index", "statistics object", "type"):
        qualified = qualify(name, schema)
        identity = str(qname(qualified.schema, qualified.name))
    else:
        identity = name
    return Dependent(named.action, kind, identity, on, None, named.word.span)


def _ident(name: str) -> Sql:
    return Sql(name) if name.startswith('"') else ident(name)


def _wrong(named: Named, dependent: Dependent | None) -> Iterator[Diagnostic]:
    word = named.word
    if dependent is None:
        message = f'"{word}" does not begin with a kind of dependent'
        hint = did_you_mean(word.text.split(" ")[0], KINDS) or f"one of: {', '.join(KINDS)}"
        yield Diagnostic("E331", message, word.span, "a dependent of what kind?", hint)
    elif not dependent.identity:
        message = f'"{word}" names no arguments'
        yield Diagnostic("E331", message, word.span, "which one?", f'write their types: "{word}(integer, text)"')
    elif named.action == "rewrite" and dependent.kind not in MADE_ANEW:
        message = f"a {dependent.kind} is not rewritten"
        yield Diagnostic("E331", message, word.span, "cannot be made by SQL of a file", "drop it, or keep it")
    elif named.action == "drop" and dependent.kind not in (*MADE_ANEW, "table constraint", "publication"):
        message = f"a {dependent.kind} is not dropped by itself"
        yield Diagnostic("E331", message, word.span, "goes with the columns, or stays", "keep it")
