"""`tree:` -> BoundTree: what the hierarchy is made of means something in the source; placeholders get their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compiler import constants
from compiler.bound import BoundColumn, BoundTree, Derived, Links, Lookup, SourceColumn
from compiler.casts import Side
from compiler.columns_tree import NODE, NODE_KEYS, at_node, is_ltree, tree_key
from compiler.diagnostics import Diagnostic, Span, SpecError, known_here
from compiler.expressions import Scope, scalar
from compiler.parents import links_of
from compiler.spec import Placeholder, Scalar, Tree, Word
from compiler.sql import Sql, column
from compiler.tree_walk import WHOLE
from compiler.types import BOOLEAN, read_type
from compiler.world import Here, noting


@dataclass(frozen=True, slots=True)
class Grown:
    """A tree, the source columns that it reads, and the columns of its table with the values of placeholders."""

    tree: BoundTree
    reads: frozenset[str]
    staged: frozenset[str]
    columns: tuple[BoundColumn, ...]


def grow(here: Here, tree: Tree, columns: tuple[BoundColumn, ...]) -> Grown:
    """Resolve the tree of a table. Raises SpecError with everything that is wrong in it."""
    problems: list[Diagnostic] = []
    key = tree_key(here)
    links, type, read = Links(Sql("NULL"), ""), key.wire, frozenset[str]()
    with noting(problems):
        links, type, read = links_of(here, tree.parents, key)
    order = [found for word in tree.order if (found := _ordering(here, word, problems)) is not None]
    gone, tested = None, frozenset[str]()
    if tree.placeholder is not None:
        with noting(problems):
            gone, tested = _condition(here, tree.placeholder.when)
        with noting(problems):
            columns = _set(here, tree.placeholder, gone or Sql("false"), columns)
    if tree.under is not None:
        problems += _not_a_key(here, tree.under, type)
    if problems:
        raise SpecError(problems)
    fills = frozenset(bound.node for bound in columns if bound.node is not None)
    columns, id = _carried(columns, key)
    bound = BoundTree(
        links, key, type, tuple(each for each in order if each != key), tree.orphan, str(tree.under or ""), tree.cycle,
        tree.max_depth, tree.deeper, gone, fills,
        "." if any(_is_ltree_path(each) for each in columns) else "/", id, frozenset(_kin(columns)),
    )  # fmt: skip
    reads = read | tested | frozenset(each.name for each in order)
    return Grown(bound, reads, read | tested, columns)


def _carried(columns: tuple[BoundColumn, ...], key: SourceColumn) -> tuple[tuple[BoundColumn, ...], Derived | None]:
    """The columns that hold keys of other rows, read from the tree table if keys are derived; and the derived key.

    To make a uuid takes 0.7 us in the target; parent and root would each be made once more for every row.
    """
    made = {each.name: each for each in columns}
    found, ids = list[BoundColumn](), set[Derived]()
    for each in columns:
        own = made.get(each.reference.column) if each.reference else None
        if each.node in NODE_KEYS and own and own.raw and each.value == at_node(own.value, each.node, key):
            found.append(replace(each, value=column(NODE, f"{each.node}_id")))
            ids.add(Derived(own.value, own.raw, own.wire))
        else:
            found.append(each)
    return (tuple(found), ids.pop()) if len(ids) == 1 else (columns, None)


def _kin(columns: tuple[BoundColumn, ...]) -> Iterator[str]:
    """What is read of a row of the hierarchy to tell its parent and its root, beside the parent's own key."""
    for each in columns:
        if each.node in NODE_KEYS:
            new = f"{each.node}_id"
            yield new if each.value == column(NODE, new) else str(each.node)


def _ordering(here: Here, word: Word, problems: list[Diagnostic]) -> SourceColumn | None:
    """A column that siblings are ordered by: one whose order is the same in both databases."""
    with noting(problems):
        found = here.source.column(word)
        if found.wire == "text" and read_type(found.type).family != "text":
            message = f'"{word}" is of type {found.type}, which travels as text: its order would be another'
            hint = "order by a number, a date, a time or a text; the key decides between equals"
            raise SpecError([Diagnostic("E504", message, word.span, "not by this", hint)])
        return found
    return None


def _condition(here: Here, word: Word) -> tuple[Sql, frozenset[str]]:
    """`when`, which both databases evaluate, as a condition that is true or false, and what it reads."""
    found = scalar(word, Scope(here.source.what, here.source.real, "s", here.world.source.server))
    if found.type is not None and found.type != BOOLEAN:
        message = f'"when" is to be true or false, and this is of type {found.type}'
        raise SpecError([Diagnostic("E509", message, word.span, "no condition", "compare it with something")])
    for what, span in found.session:
        here.world.warn("W401", f"{what} makes other rows placeholders in another run", span, "not repeatable")
    return Sql(f"{found.atom} IS TRUE"), frozenset(found.columns)


def _set(here: Here, placeholder: Placeholder, gone: Sql, columns: tuple[BoundColumn, ...]) -> tuple[BoundColumn, ...]:
    """The columns, with what placeholders hold in place of what was there."""
    made, problems = {each.name: each for each in columns}, list[Diagnostic]()
    for word, value, span in placeholder.sets:
        with noting(problems):
            if word.text not in made:
                message = f'column "{word}" of target table "{here.id}" is mapped by nothing'
                raise SpecError([Diagnostic("E313", message, word.span, "unknown", known_here(word.text, made))])
            made[word.text] = _instead(made[word.text], value, gone, here, span)
    if problems:
        raise SpecError(problems)
    return tuple(made.values())


def _instead(bound: BoundColumn, value: Scalar, gone: Sql, here: Here, span: Span) -> BoundColumn:
    """A column that holds `value` in placeholders. Raises SpecError."""
    if bound.name in here.key or bound.node is not None:
        message = f'"{bound.name}" says which row it is, and where it hangs: a placeholder has its own'
        raise SpecError([Diagnostic("E206", message, span, "cannot be replaced", "leave it out")])
    if value is None and not bound.null:
        message = f'"{bound.name}" is NOT NULL, and is to be empty'
        raise SpecError([Diagnostic("E506", message, span, "cannot be empty", "write what it holds instead")])
    if value is not None and bound.references:
        tables = " or ".join(reference.table for reference in bound.references)
        message = f'"{bound.name}" refers to {tables}: a placeholder keeps it, or has none'
        raise SpecError([Diagnostic("E206", message, span, "no key", "null, or leave it out")])
    side = here.world.types.of_target(read_type(bound.type))
    guards = tuple(replace(each, ok=Sql(f"{gone} OR {each.ok}")) for each in bound.guards)
    if bound.lookup is not None:
        return replace(bound, lookup=_unless(gone, bound.lookup), guards=guards, copies="")
    constant = _constant(value, side, span)
    return replace(
        bound,
        value=_case(gone, constant, bound.value),
        comparable=None if bound.comparable is None else _case(gone, constant, bound.comparable),
        guards=guards,
        copies="",
        choices=tuple(
            replace(each, when=Sql(f"NOT {gone} AND {each.when}"), lookup=each.lookup and _unless(gone, each.lookup))
            for each in bound.choices
        ),
    )


def _unless(gone: Sql, lookup: Lookup) -> Lookup:
    """The lookup, which finds nothing for a placeholder."""
    return replace(lookup, match=tuple((name, _case(gone, Sql("NULL"), found)) for name, found in lookup.match))


def _case(gone: Sql, value: Sql, otherwise: Sql) -> Sql:
    return Sql(f"CASE WHEN {gone} THEN {value} ELSE {otherwise} END")


def _constant(value: Scalar, side: Side, span: Span) -> Sql:
    try:
        return Sql("NULL") if value is None else constants.constant(value, side)
    except ValueError as error:
        hint = f"write a value of type {side.shown}"
        raise SpecError([Diagnostic("E503", str(error), span, "does not fit", hint)]) from None


def _not_a_key(here: Here, under: Word, type: str) -> list[Diagnostic]:
    """A constant that is no key of this source's."""
    digits, bits = under.text.removeprefix("-"), WHOLE.get(type, 0)
    if not bits:
        return []
    kind = "" if digits.isascii() and digits.isdigit() else "whole numbers"
    if not kind and not -(2 ** (bits - 1)) <= int(under.text) < 2 ** (bits - 1):
        kind = f"of type {type}"
    message = f'"{under}" is no key of {here.source.what}, whose keys are {kind}'
    hint = "write the key of the row that orphans are to hang from"
    return [Diagnostic("E503", message, under.span, "does not fit", hint)] if kind else []


def _is_ltree_path(bound: BoundColumn) -> bool:
    return bound.node == "path" and is_ltree(read_type(bound.type))
