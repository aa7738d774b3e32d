"""One checked SELECT: `from: {sql: ...}` and the two sides of a comparison under `verify:`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from compiler.calls import calls, check_types
from compiler.diagnostics import Diagnostic, SpecError, known_here
from compiler.names import Name, join
from compiler.spec import Word
from compiler.sql import Sql, qname
from compiler.sql_text import SqlText, read_sql, shallow

_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
_ONLY_READS = "write a SELECT that only reads"


@dataclass(frozen=True, slots=True)
class Side:
    """The database that a query runs on: `knows` its relations, `names` them all, `schema` is the project's."""

    what: str
    schema: str
    server: int
    knows: Callable[[Name], bool]
    names: Callable[[], Iterator[Name]]


@dataclass(frozen=True, slots=True)
class Select:
    """A SELECT with every relation under its schema; `tree` has its names as PostgreSQL stores them."""

    sql: Sql
    tree: exp.Query
    relations: tuple[Name, ...]


def select(word: Word, side: Side) -> Select:
    """Check a query and qualify its relations. Raises SpecError with everything that is wrong in it."""
    with shallow(word):
        return _select(word, side)


def _select(word: Word, side: Side) -> Select:
    text = read_sql(word, "one SELECT")
    tree = text.parse(exp.Select)
    if not isinstance(tree, exp.Query):
        text.refuse("E402", "this is not one SELECT", text.tokens[0], "", "write SELECT ... FROM ...")
    _refuse_changes(text, tree)
    for call in calls(text):
        if call.known and call.known.since > side.server:
            message = f"{call} is there since PostgreSQL {call.known.since}, and this runs on {side.server}"
            text.refuse("E409", message, call.token, "too new", "write it with what that version has")
    for _ in check_types(text, tree):
        pass  # types of the database's own are welcome, with their schema
    fold(tree)
    tables = [table for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    tables = [table for table in tables if table.db or table.name not in _defined(table)]
    if errors := list(_unknown(text, tables, side)):
        raise SpecError(errors)
    pieces = {_start(table): (_stop(table), qname(*_parts(table, side))) for table in tables}
    names = dict.fromkeys(Name(*_parts(table, side)) for table in sorted(tables, key=_start))
    return Select(Sql(text.rewritten(pieces, lines=True)), tree, tuple(names))


def fold(tree: exp.Expr) -> None:
    """Give every name the case in which PostgreSQL stores it."""
    for name in tree.find_all(exp.Identifier):
        if not name.quoted:
            name.set("this", name.name.lower())
            name.set("quoted", True)


def _refuse_changes(text: SqlText, tree: exp.Query) -> None:
    if tree.find(*_CHANGES):
        words = ("insert", "update", "delete", "merge")
        at = next((token for token in text.tokens if token.text.lower() in words), None)
        text.refuse("E402", "a query changes nothing", at, "a change", _ONLY_READS)
    if tree.find(exp.Into):
        at = next((token for token in text.tokens if token.token_type == TokenType.INTO), None)
        text.refuse("E402", "a query changes nothing", at, "this makes a table", "take INTO out")
    if tree.find(exp.Lock):
        at = next((token for token in text.tokens if token.token_type == TokenType.FOR), None)
        text.refuse("E402", "a query locks nothing: the source is opened read only", at, "a lock", "take FOR ... out")


def _defined(table: exp.Table) -> set[str]:
    """The names that WITH gives around here."""
    found: set[str] = set()
    node: exp.Expr | None = table
    while node is not None:
        clause = node.args.get("with_")
        found |= {cte.alias for cte in clause.expressions} if clause else set()
        node = node.parent
    return found


def _parts(table: exp.Table, side: Side) -> tuple[str, str]:
    return table.db or side.schema, table.name


def _start(table: exp.Table) -> int:
    return int((table.args.get("db") or table.this).meta["start"])


def _stop(table: exp.Table) -> int:
    return int(table.this.meta["end"])


def _unknown(text: SqlText, tables: list[exp.Table], side: Side) -> Iterator[Diagnostic]:
    for table in tables:
        name = Name(*_parts(table, side))
        if table.catalog or not side.knows(name):
            shown = table.name if not table.db else str(name)
            known = (join((other.name,)) if other.schema == side.schema else str(other) for other in side.names())
            span = text.span(_start(table), _stop(table))
            hint = known_here(shown, known)
            yield Diagnostic("E310", f'relation "{shown}" does not exist in the {side.what}', span, "unknown", hint)
