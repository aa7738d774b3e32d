"""What a text of SQL calls and casts to: PostgreSQL's own functions by their names, others under a schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from compiler.diagnostics import did_you_mean
from compiler.functions import Function, functions
from compiler.infer import cast_type
from compiler.sql_text import SqlText, folded, word_of
from compiler.types import read_type

# Words before a parenthesis that are syntax, not the names of functions.
_WORDS = """
all and any array as between by case cast coalesce collate distinct else end escape exists extract filter for from group
grouping greatest having ilike in intersect interval is join lateral least like limit materialized not nullif offset on
operator or order over overlay partition position recursive row select similar some substring then to trim union except
using values varying when where with within zone
"""
_SYNTAX = frozenset(_WORDS.split())
_WORD = re.compile(r"[^\W\d][\w$]*")
_VALUES = """
current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime
localtimestamp session_user system_user user
"""
_ELSEWHERE = {  # names that other databases have
    "charindex": "strpos()",
    "getdate": "now()",
    "if": "CASE WHEN ... THEN ... ELSE ... END",
    "iif": "CASE WHEN ... THEN ... ELSE ... END",
    "ifnull": "coalesce()",
    "instr": "strpos()",
    "isnull": "coalesce()",
    "len": "length()",
    "nvl": "coalesce()",
    "sysdate": "now()",
}
_CASTS = (TokenType.DCOLON, TokenType.ALIAS)  # `::` and AS, before the name of a type
SESSION_WORDS = frozenset(_VALUES.split())  # values without parentheses


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is called; `schema` is "" where none is written, `known` None where it is somebody's own."""

    name: str
    schema: str
    token: Token
    known: Function | None

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}()" if self.schema else f"{self.name}()"


def calls(text: SqlText) -> Iterator[Call]:
    """Every call in the text. Raises SpecError for a function that PostgreSQL lacks and no schema is given for."""
    tokens = text.tokens
    for at, token in enumerate(tokens[:-1]):
        if tokens[at + 1].token_type != TokenType.L_PAREN or not _is_name(text, token):
            continue
        before = tokens[at - 1].token_type if at else None
        schema = folded(text, tokens[at - 2]) if before == TokenType.DOT and at > 1 else ""
        name = folded(text, token)
        if schema not in ("", "pg_catalog"):
            yield Call(name, schema, token, None)
        elif not (before in _CASTS or _is_syntax(text, token, schema)):
            yield Call(name, schema, token, _known(text, token, name))


def check_types(text: SqlText, tree: exp.Expr) -> Iterator[str]:
    """The types that are not PostgreSQL's own. Raises SpecError for one without its schema."""
    for node in tree.find_all(exp.Cast):
        type = cast_type(node)
        if type is None or type.user is None:
            continue
        if not type.user.schema:
            at = _after_cast(text, type.user.name)
            hint = f'write its schema: "app.{type.user.name}"'
            text.refuse("E407", f'type "{type.user.name}" is none of PostgreSQL\'s own', at, "whose type?", hint)
        yield str(type)


def _after_cast(text: SqlText, name: str) -> Token | None:
    pairs = pairwise(text.tokens)
    return next((token for cast, token in pairs if cast.token_type in _CASTS and folded(text, token) == name), None)


def _is_name(text: SqlText, token: Token) -> bool:
    return token.token_type == TokenType.IDENTIFIER or _WORD.fullmatch(word_of(text, token)) is not None


def _is_syntax(text: SqlText, token: Token, schema: str) -> bool:
    if schema or token.token_type == TokenType.IDENTIFIER:
        return False
    word = word_of(text, token).lower()
    return word in _SYNTAX or (word not in functions() and (word in SESSION_WORDS or _is_type(word)))


def _is_type(word: str) -> bool:
    """A cast written as a call, or the modifiers of a type: `date(...)`, `numeric(12,2)`."""
    return read_type(word).user is None


def _known(text: SqlText, token: Token, name: str) -> Function:
    if known := functions().get(name):
        return known
    own = f'write the schema of a function of your own: "app.{name}(...)"'
    hint = f"PostgreSQL has {_ELSEWHERE[name]}" if name in _ELSEWHERE else did_you_mean(name, functions()) or own
    text.refuse("E406", f'"{name}" is no function of PostgreSQL that may be called here', token, "unknown", hint)
