"""One checked scalar expression over the columns of one row, or a located error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from compiler.calls import SESSION_WORDS, Call, calls, check_types
from compiler.diagnostics import Diagnostic, Span, SpecError, closest, known_here
from compiler.infer import infer
from compiler.spec import Word
from compiler.sql import Sql, column, ident
from compiler.sql_text import SqlText, read_sql, shallow, word_of
from compiler.types import TEXT, TypeName

SYSTEM = frozenset(["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"])
_QUERIES = frozenset([TokenType.SELECT, TokenType.VALUES, TokenType.WITH, TokenType.TABLE])
_WITHIN_TYPES = ("time", "timestamp", "timetz", "timestamptz", ")")  # before WITH TIME ZONE
_WRONG = {
    "aggregate": "adds up rows, and this is one row",
    "window": "looks at other rows, and this is one row",
    "set": "gives several rows, and this is one value",
}
# What cannot raise, whatever the row holds, if its operands cannot: a guard may be made of it.
_TOTAL = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Coalesce, exp.Nullif, exp.Case),
    *(exp.If, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Lower, exp.Upper, exp.Trim, exp.DPipe, exp.Length, exp.Like),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name: the columns of `what`, called by `alias` or, where that is "", by their bare names.

    `server` is the version of PostgreSQL that it runs on. `values` stand in the place of the columns, where given.
    """

    what: str
    columns: Mapping[str, TypeName | None]
    alias: str
    server: int
    values: Mapping[str, Sql] | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A checked expression; every column in it stands under its row's alias. `atom` is the same, fit to be an operand.

    `type` is None where it cannot be told. `total`: it raises for no row. `session` are the places of what gives
    another value at another time, `calls` are functions of PostgreSQL, `foreign` what only some databases have:
    functions and types of somebody's own.
    """

    sql: Sql
    atom: Sql
    columns: tuple[str, ...]
    type: TypeName | None
    total: bool
    session: tuple[tuple[str, Span], ...]
    foreign: tuple[str, ...]
    calls: tuple[str, ...]


def scalar(word: Word, scope: Scope) -> Scalar:
    """Check an expression and qualify its columns. Raises SpecError with everything that is wrong in it."""
    with shallow(word):
        return _scalar(word, scope)


def _scalar(word: Word, scope: Scope) -> Scalar:
    text = read_sql(word, "one expression")
    _refuse_queries(text)
    tree = text.parse(exp.Condition)
    called = list(calls(text))
    for call in called:
        _check_call(text, call, scope)
    _refuse_shapes(text, tree)
    nodes = sorted((node for node in tree.find_all(exp.Column) if _is_column(node, scope)), key=_start)
    if errors := [*_column_errors(text, nodes, scope), *_field_errors(text, tree, scope)]:
        raise SpecError(errors)
    sql = Sql(text.rewritten({_start(node): (_stop(node), _qualified(_named(node), scope)) for node in nodes}))

    def type_of(node: exp.Expr) -> TypeName | None:
        return infer(node, lambda column: scope.columns.get(_named(column)))

    return Scalar(
        sql=sql,
        atom=sql if _is_atom(text) else Sql(f"({sql})"),
        columns=tuple(dict.fromkeys(map(_named, nodes))),
        type=type_of(tree),
        total=_is_total(tree, type_of),
        session=tuple(_session(text, called, scope)),
        foreign=tuple(dict.fromkeys([*(str(call) for call in called if not call.known), *check_types(text, tree)])),
        calls=tuple(call.name for call in called if call.known),
    )


def _is_atom(text: SqlText) -> bool:
    """One token, a dotted name, or one pair of parentheses with at most a function's name before it."""
    depth, opened = 0, False
    for at, token in enumerate(text.tokens):
        if token.token_type == TokenType.L_PAREN:
            if depth == 0 and opened:
                return False
            depth, opened = depth + 1, True
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif depth == 0 and (opened or (at and TokenType.DOT not in _types(text.tokens[at - 1 : at + 1]))):
            return False
    return True


def _types(tokens: tuple[Token, ...]) -> set[TokenType]:
    return {token.token_type for token in tokens}


def _is_total(tree: exp.Expr, type_of: Callable[[exp.Expr], TypeName | None]) -> bool:
    """Texts can always be joined; arrays of unlike dimensions cannot."""
    joined = (type_of(node) for node in tree.find_all(exp.DPipe))
    return all(isinstance(node, _TOTAL) for node in tree.walk()) and all(type == TEXT for type in joined)


def _named(node: exp.Column) -> str:
    """The column's name: as written in double quotes, else in lower case, as PostgreSQL has it."""
    return node.name if isinstance(node.this, exp.Identifier) and node.this.quoted else node.name.lower()


def _row(node: exp.Column) -> str:
    table = node.args["table"]
    return str(table.name if table.quoted else table.name.lower())


def _start(node: exp.Column) -> int:
    return int(min(part.meta["start"] for part in node.parts))


def _stop(node: exp.Column) -> int:
    return int(max(part.meta["end"] for part in node.parts))


def _qualified(name: str, scope: Scope) -> Sql:
    if scope.values is not None:
        return scope.values[name]
    return column(scope.alias, name) if scope.alias else ident(name)


def _is_column(node: exp.Column, scope: Scope) -> bool:
    """Not the name of a collation, nor one of those values that have no parentheses."""
    if isinstance(node.parent, exp.Collate) and node.arg_key == "expression":
        return False
    name = _named(node)
    return bool(node.table or node.this.args.get("quoted") or name in scope.columns or name not in SESSION_WORDS)


def _refuse_queries(text: SqlText) -> None:
    for at, token in enumerate(text.tokens):
        if token.token_type in _QUERIES and not (token.token_type == TokenType.WITH and _in_type(text, at)):
            hint = "join the other table in `from: {sql: ...}`"
            text.refuse("E403", "an expression holds no query", token, "a query begins here", hint)


def _in_type(text: SqlText, at: int) -> bool:
    """`timestamp with time zone`."""
    return at > 0 and text.tokens[at - 1].text.lower() in _WITHIN_TYPES


def _refuse_shapes(text: SqlText, tree: exp.Expr) -> None:
    """What the parser takes for an expression, and is not one value of one row."""
    if isinstance(tree, exp.Tuple | exp.Star | exp.Alias):
        hint = "one value, without a name: the key beside it is the name"
        text.refuse("E402", "these are several values, and this should be one expression", None, "", hint)
    for node in tree.find_all(exp.Window, exp.Star, exp.Query, exp.Values, exp.Exists, exp.Alias, exp.Struct):
        if isinstance(node, exp.Star):
            star = next((token for token in text.tokens if token.token_type == TokenType.STAR), None)
            text.refuse("E402", "a * names every column, and this should be one value", star, "", "name the columns")
        word = "over" if isinstance(node, exp.Window) else "exists" if isinstance(node, exp.Exists) else ""
        at = next((token for token in text.tokens if word and token.text.lower() == word), None)
        hint = "compute it in `from: {sql: ...}`"
        text.refuse("E403", "an expression looks at one row only", at, "", hint)


def _check_call(text: SqlText, call: Call, scope: Scope) -> None:
    if call.known is None:
        return
    if wrong := _WRONG.get(call.known.kind):
        hint = "compute it in `from: {sql: ...}`"
        text.refuse("E405", f"{call} {wrong}", call.token, "not here", hint)
    if call.known.since > scope.server:
        message = f"{call} is there since PostgreSQL {call.known.since}, and this runs on {scope.server}"
        text.refuse("E409", message, call.token, "too new", "write it with what that version has")


def _column_errors(text: SqlText, nodes: list[exp.Column], scope: Scope) -> Iterator[Diagnostic]:
    for node in nodes:
        name, span = _named(node), text.span(_start(node), _stop(node))
        if node.table and _row(node) != scope.alias:
            row = f'the row is called "{scope.alias}"' if scope.alias else "columns have no prefix here"
            hint = f"write {_qualified(name, scope)}" if name in scope.columns else known_here(name, scope.columns)
            yield Diagnostic("E311", f'nothing is called "{node.table}" here: {row}', span, "of which row?", hint)
        elif name not in scope.columns:
            at = text.span(node.this.meta["start"], node.this.meta["end"])
            yield _unknown(name, at, scope)


def _field_errors(text: SqlText, tree: exp.Expr, scope: Scope) -> Iterator[Diagnostic]:
    """A composite travels as text, which has no fields."""
    for node in tree.find_all(exp.Dot):
        column = node.this.this if isinstance(node.this, exp.Paren) else None
        if scope.alias and isinstance(column, exp.Column) and _named(column) in scope.columns:
            span, name = text.span(_start(column), _stop(column)), _qualified(_named(column), scope)
            hint = f"cast it to the target's type: ({name}::app.type).{node.expression.name}"
            yield Diagnostic("E504", f'"{_named(column)}" travels as text, which has no fields', span, "text", hint)


def _unknown(name: str, span: Span, scope: Scope) -> Diagnostic:
    if name in SYSTEM:
        hint = "take the key of the row, or another column"
        return Diagnostic("E319", f'"{name}" is a system column: it does not travel', span, "not data", hint)
    if name == scope.alias:
        hint = "name its columns, in jsonb_build_object() say"
        return Diagnostic("E311", f'"{name}" is the whole row, and this should be one value', span, "no column", hint)
    close = closest(name, scope.columns)
    quoted = f'did you mean "{close}", in double quotes?' if close and ident(close) != close else ""
    hint = quoted or known_here(name, scope.columns)
    return Diagnostic("E311", f'column "{name}" does not exist in {scope.what}', span, "unknown column", hint)


def _session(text: SqlText, called: list[Call], scope: Scope) -> Iterator[tuple[str, Span]]:
    for call in called:
        if call.known and call.known.kind == "session":
            yield str(call), text.span(call.token.start, call.token.end)
    for before, token, after in zip((None, *text.tokens), text.tokens, (*text.tokens[1:], None), strict=False):
        dotted = before is not None and before.token_type == TokenType.DOT
        called_so = after is not None and after.token_type == TokenType.L_PAREN
        word = word_of(text, token).lower()
        if word in SESSION_WORDS and word not in scope.columns and not (dotted or called_so):
            yield word, text.span(token.start, token.end)
