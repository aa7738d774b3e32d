"""The type that PostgreSQL gives an expression, where the compiler can tell; None where it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate

from sqlglot import exp

from compiler.functions import functions
from compiler.types import BIGINT, BOOLEAN, INTEGER, NUMERIC, TEXT, TypeName, read_type

Lookup = Callable[[exp.Column], TypeName | None]

_QUOTED = re.compile("'(?:[^']|'')*'" + '|"(?:[^"]|"")*"')
_WHOLE = (read_type("smallint"), INTEGER, BIGINT)
_TIMESTAMP = read_type("timestamp")
_TIMESTAMPTZ = read_type("timestamptz")
_SAME_AS_ARGUMENT = frozenset(
    ["abs", "date_bin", "array_remove", "array_replace", "array_reverse", "array_sort", "mod"]
)
_TEXT_OF_TEXT = frozenset(
    ["btrim", "lower", "ltrim", "overlay", "reverse", "rtrim", "substr", "substring", "trim", "upper"]
)
_NUMERIC_OF_NUMERIC = frozenset(["ceil", "ceiling", "exp", "floor", "power", "round", "sign", "sqrt", "trunc"])
_SESSION: dict[type[exp.Expr], TypeName] = {
    exp.CurrentDate: read_type("date"),
    exp.CurrentTimestamp: _TIMESTAMPTZ,
    exp.Localtimestamp: _TIMESTAMP,
}


def infer(node: exp.Expr | None, column: Lookup) -> TypeName | None:
    """The type of an expression; `column` gives those of the columns in it."""
    match node:
        case exp.Column():
            return column(node)
        case exp.Paren() | exp.Neg() | exp.Window() | exp.Filter() | exp.WithinGroup() | exp.Collate():
            return infer(node.this, column)
        case exp.Distinct(expressions=[only]):
            return infer(only, column)
        case exp.Cast():
            return cast_type(node)
        case exp.Literal():
            return TEXT if node.is_string else _number(node.name)
        case exp.Predicate() | exp.Connector() | exp.Not() | exp.Boolean():
            return BOOLEAN
        case exp.Coalesce() | exp.Greatest() | exp.Least():
            return common([node.this, *node.expressions], column)
        case exp.Case():
            return common([*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")], column)
        case exp.Nullif():
            return infer(node.this, column)
        case exp.DPipe():
            return _joined(infer(node.left, column), infer(node.right, column))
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
            return _calculated(infer(node.left, column), infer(node.right, column))
        case exp.AtTimeZone():
            return _moved(infer(node.this, column))
        case exp.JSONExtractScalar():
            return TEXT
        case exp.JSONExtract():
            return infer(node.this, column)
        case exp.Array() if node.expressions:
            element = common(node.expressions, column)
            return replace(element, array=True) if element else None
        case exp.Bracket():
            array = infer(node.this, column)
            return array.element if array and array.array and len(node.expressions) == 1 else None
    if node is not None and type(node) in _SESSION:
        return _SESSION[type(node)]
    return _called(node, column) if isinstance(node, exp.Func) else None


def cast_type(node: exp.Cast) -> TypeName | None:
    """The type that a cast names."""
    try:
        return read_type(node.to.sql(dialect="postgres"))
    except ValueError:
        return None


def common(nodes: Iterable[exp.Expr | None], column: Lookup) -> TypeName | None:
    """The type of COALESCE, CASE and UNION: that of all branches. Literals take the type of the others."""
    present = [node for node in nodes if node is not None and not isinstance(node, exp.Null)]
    known = [infer(node, column) for node in present if not isinstance(node, exp.Literal) or not node.is_string]
    return alike(known) if known else TEXT if present else None


def alike(types: Iterable[TypeName | None]) -> TypeName | None:
    """The one type among these, without its modifiers where they differ; the widest of whole numbers."""
    found = list(dict.fromkeys(types))
    known = [type for type in found if type is not None]
    if not known or len(known) < len(found):
        return None
    if len(known) == 1:
        return known[0]
    if all(type in _WHOLE for type in known):
        return max(known, key=_WHOLE.index)
    bare = [replace(type, args=(), modifier="") for type in known]
    if all(type == NUMERIC or type in _WHOLE for type in bare):
        return NUMERIC
    same = len(set(bare)) == 1 or all(type.family == "text" for type in bare)
    return bare[0] if same else None


def _number(text: str) -> TypeName:
    if not text.isdigit():
        return NUMERIC
    return INTEGER if int(text) < 2**31 else BIGINT if int(text) < 2**63 else NUMERIC


def _joined(left: TypeName | None, right: TypeName | None) -> TypeName | None:
    if left is None or right is None:
        return None
    sides = (left, right)
    if any(
        side.array or side.base in ("jsonb", "bytea", "tsvector", "tsquery", "bit", "bit varying") for side in sides
    ):
        return left if left == right else None
    return TEXT if any(side.family == "text" for side in sides) else None


def _calculated(left: TypeName | None, right: TypeName | None) -> TypeName | None:
    """Whole numbers and numerics only: dates and floats have rules of their own."""
    if left is None or right is None or {left.family, right.family} - {"integer", "numeric"}:
        return None
    found = alike([left, right])
    return NUMERIC if found and found.family == "numeric" else found


def _moved(type: TypeName | None) -> TypeName | None:
    family = type.family if type else ""
    return {"timestamp": _TIMESTAMPTZ, "timestamptz": _TIMESTAMP}.get(family)


def _called(node: exp.Func, column: Lookup) -> TypeName | None:
    """By the name that the function has in PostgreSQL: the tree knows many under another."""
    if isinstance(node, exp.Extract):
        return None  # date_part(), a double, is the same to the tree
    name = _name(node)
    known = functions().get(name)
    if known is not None and known.returns:
        return read_type(known.returns)
    arguments = [arg for arg in node.iter_expressions() if not isinstance(arg, exp.Var | exp.Order)]
    types = [infer(arg, column) for arg in arguments[:2]]
    return _overloaded(name, types[0] if types else None, types[-1] if types else None)


def _name(node: exp.Func) -> str:
    """The function's name in PostgreSQL; "" where the node is written as an operator."""
    text = _QUOTED.sub("", node.sql(dialect="postgres"))
    name, opened, rest = text.partition("(")
    depth = list(accumulate((char == "(") - (char == ")") for char in opened + rest))
    return name.lower() if depth and 0 not in depth[:-1] and depth[-1] == 0 else ""


def _overloaded(name: str, first: TypeName | None, second: TypeName | None) -> TypeName | None:
    if first is None:
        return None
    bare = replace(first, args=(), modifier="")
    match name:
        case "length" if first.family == "text":
            return INTEGER
        case "sum" if first.family in ("integer", "numeric"):
            return BIGINT if first in _WHOLE[:2] else NUMERIC
        case "avg" if first.family in ("integer", "numeric"):
            return NUMERIC
        case "min" | "max" | "any_value" | "first_value" | "last_value" | "lag" | "lead" | "mode":
            return TEXT if first.family == "text" else bare
        case "array_agg":
            return replace(bare, array=True)
        case "string_agg" if first.family == "text":
            return TEXT
        case "date_trunc":
            stamp = second if first.family == "text" else first
            return stamp if stamp and stamp.family in ("timestamp", "timestamptz") else None
    if name in _TEXT_OF_TEXT and first.family == "text":
        return TEXT
    if name in _NUMERIC_OF_NUMERIC and first.family == "numeric":
        return NUMERIC
    return bare if name in _SAME_AS_ARGUMENT else None
