"""What a removal says becomes of what uses its columns: each dependent by name, and as SQL names it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compiler.catalog import Relation
from compiler.dependents import KINDS, ON_TABLE, ROUTINES, check_named, whole_name
from compiler.diagnostics import Diagnostic, did_you_mean
from compiler.names import qualify, split
from compiler.removals.bound import Dependent
from compiler.removals.spec import Named, Removal
from compiler.sql import Sql, ident, qname

VIEWS = ("view", "materialized view")
MADE_ANEW = (*VIEWS, *ROUTINES, "trigger", "policy", "rule")
WITH_COLUMNS = ("constraint", "index", "statistics", "default", "sequence", "column")  # go when the columns do
DROPPED = (*MADE_ANEW, *WITH_COLUMNS, "publication")


def bind_dependents(
    removal: Removal, relation: Relation, schema: str, reviewed: bool, below: Collection[str], found: list[Diagnostic]
) -> tuple[Dependent, ...]:  # fmt: skip
    """The dependents that the spec names; `found` gets what is wrong. Only a catalog says what has to be named.

    `below` are the columns of INHERITS children that go with the table's: dependents as well.
    """
    bound: list[Dependent] = []
    seen: dict[str, Named] = {}
    words = []
    for named in removal.dependents:
        problems = list(_wrong(named, relation, schema, below))
        if not problems:
            words.append(named.word)
            dependent = _bind(named, relation, schema, below)
            bound.append(dependent)
            if (first := seen.setdefault(dependent.text, named)) is not named:
                message = f'"{named.word}" is named twice'
                label = f"first under {first.action}"
                problems.append(Diagnostic("E207", message, named.word.span, label, "take one of the two out"))
        found.extend(problems)
    if reviewed:
        found.extend(check_named(relation, removal.columns, words, schema, removal.place))
    return tuple(bound)


def _bind(named: Named, relation: Relation, schema: str, below: Collection[str]) -> Dependent:
    whole = whole_name(named.word.text, schema, relation.qualified)
    kind = _kind(whole)
    name, on = whole.removeprefix(f"{kind} "), ""
    if kind in ON_TABLE:
        name, _, table = name.rpartition(" on ")
        (part,) = split(name)
        qualified = qualify(table, schema)
        name, on = str(ident(part)), str(qname(qualified.schema, qualified.name))
        identity = f"{name} on {on}"
    elif kind in ROUTINES:
        head, paren, arguments = name.partition("(")
        qualified = qualify(head, schema)
        identity = f"{qname(qualified.schema, qualified.name)}{paren}{arguments}"
    elif kind == "publication":
        name, _, table = name.partition(" of ")
        identity = str(ident(split(name)[0]))
        on = str(qname(*split(table))) if table else ""
    elif kind in (*VIEWS, "index", "statistics", "sequence", "type"):
        qualified = qualify(name, schema)
        identity = str(qname(qualified.schema, qualified.name))
    else:
        identity = name
    sql = Sql(named.sql.strip()) if named.sql else None
    own = on in {"", str(qname(relation.schema, relation.name)), *map(_table_of, below)}
    moves = named.action != "keep" and (kind not in WITH_COLUMNS or (kind == "constraint" and not own))
    return Dependent(named.action, kind, identity, on, whole, moves, sql, named.word.span)


def _table_of(column: str) -> str:
    """The table of `column app.child.old`, as SQL."""
    schema, name, _ = split(column.removeprefix("column "))
    return str(qname(schema, name))


def _kind(whole: str) -> str:
    return next(one for one in KINDS if whole.startswith(f"{one} "))


def _wrong(named: Named, relation: Relation, schema: str, below: Collection[str]) -> Iterator[Diagnostic]:
    word = named.word
    try:
        whole = whole_name(word.text, schema, relation.qualified)
        kind = _kind(whole)
    except ValueError:
        message = f'"{word}" does not begin with a kind of dependent, or has no name'
        hint = did_you_mean(word.text.split(" ")[0], KINDS) or f"one of: {', '.join(KINDS)}"
        yield Diagnostic("E331", message, word.span, "a dependent of what kind?", hint)
        return
    if kind in ROUTINES and "(" not in word.text:
        message = f'"{word}" names no arguments'
        yield Diagnostic("E331", message, word.span, "which one?", f'write their types: "{word}(integer, text)"')
    elif named.action == "rewrite" and kind not in MADE_ANEW:
        message = f"no SQL of a file makes a {kind} anew"
        yield Diagnostic("E331", message, word.span, "cannot be rewritten", "drop it, or keep it")
    elif named.action == "drop" and (kind not in DROPPED or (kind == "column" and whole not in below)):
        message = f"a {kind} is not dropped by a removal"
        yield Diagnostic("E331", message, word.span, "stays", "keep it, or drop it by a migration of your own first")
