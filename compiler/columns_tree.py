"""What a hierarchy says of a row: the keys of its parent and its root, its depth, its position, its path.

Each is read from the tree table's row `node` of the same key, which is computed before the rows are loaded.
"""

from __future__ import annotations

import re
from dataclasses import replace

from compiler.bound import Guard, Lookup, SourceColumn
from compiler.casts import Side, cast
from compiler.diagnostics import Diagnostic, SpecError
from compiler.references import MISSING, KeyType, referred
from compiler.spec import Filled, Mapping, Node, Reference, Word
from compiler.sql import Sql, column
from compiler.types import INTEGER, TEXT, TypeName
from compiler.world import Here, Made, accepted, refuse

NODE = "node"  # the alias of the tree table's row
LTREE = "ltree"
_SMALLINT, _SMALL = TypeName("smallint"), 2**15 - 1
_DIFFERS = "the hierarchy is computed in the target"
NODE_KEYS: dict[Filled | None, Sql] = {"parent": column(NODE, "parent"), "root": column(NODE, "root")}


def hung(mapping: Mapping, how: Node, here: Here, key_type_of: KeyType) -> Made:
    """The value of a column that the tree fills. Raises SpecError."""
    if how.what in NODE_KEYS:
        return _key(mapping, how, here, key_type_of)
    side = Side(TEXT, "text") if how.what == "path" else Side(INTEGER, "integer")
    type = _declared(mapping, here) or side.type
    target = here.world.types.of_target(type)
    if how.what == "path" and target.type != type and not is_ltree(type):
        refuse(mapping, "E504", f"a path is a text or an ltree, not {type}", "of another type", "take type: text")
    value = column(NODE, how.what)
    if how.what == "depth" and here.table.tree and 0 < here.table.tree.max_depth <= _SMALL:
        side, value = (Side(_SMALLINT, "smallint"), Sql(f"{value}::smallint")) if type == _SMALLINT else (side, value)
    found = cast(value, side, Side(TEXT, "text") if is_ltree(type) else target, here.world.zone)
    made = accepted(mapping, f"the {how.what}", side, target, found)
    tests = (
        (Guard(mapping.target.text, made.test.ok, f"the {how.what} {made.test.reason}", made.test.sqlstate),)
        if made.test
        else ()
    )
    return Made(made.value, type, False, None, (), tests, _DIFFERS)


def is_ltree(type: TypeName) -> bool:
    """The type of labels separated by dots, of the extension of the same name."""
    return type.user is not None and type.user.name == LTREE and not type.array


def tree_key(here: Here) -> SourceColumn:
    """The one column that tells the source's rows apart. Raises SpecError."""
    assert here.table.tree is not None  # who asks has one
    keyset = here.source.keyset
    if len(keyset) != 1:
        found = f"one of {len(keyset)} columns" if keyset else "no key"
        message = f"a tree needs a source whose key is one column, and {here.source.what} has {found}"
        hint = "name one in a query: from: {sql: ..., key: id}"
        raise SpecError([Diagnostic("E507", message, here.table.tree.span, "parents are told by it", hint)])
    return keyset[0]


def _key(mapping: Mapping, how: Node, here: Here, key_type_of: KeyType) -> Made:
    """The migrated key of another row: as a reference to the row itself would have it, with that row in its place."""
    assert here.table.tree is not None  # it fills the column
    source = tree_key(here)
    itself = Reference(here.table.name, (Word(source.name, mapping.span),))
    made = referred(mapping, itself, here, key_type_of)
    there = here.existing.column(mapping.target.text) if here.existing else None
    if how.what == "parent" and there is not None and not there.null:
        message, hint = f'"{mapping.target}" is NOT NULL, and a root has no parent', "let the column be empty"
        refuse(mapping, "E506", message, "cannot be empty", hint)
    node, own = NODE_KEYS[how.what], column("s", source.name)
    lookup = made.lookup
    if lookup is not None:
        match = tuple((name, _instead(value, own, node)) for name, value in lookup.match)
        lookup = Lookup(lookup.alias, lookup.map_of, match)
    reference = made.reference and replace(made.reference, by=here.table.tree.parents.names)
    return replace(
        made,
        reference=reference,
        value=at_node(made.value, how.what, source),
        null=how.what == "parent",
        present=None,
        reads=(),
        guards=_found(mapping, made, node, here),
        differs=_DIFFERS,
        local=None,
        copies="",
        lookup=lookup,
    )


def at_node(value: Sql, what: Filled | None, key: SourceColumn) -> Sql:
    """`value` of the row that is the parent, or the root, in place of the row itself, which `key` tells."""
    return _instead(value, column("s", key.name), Sql(f"{NODE_KEYS[what]}::{key.wire}"))


def _instead(value: Sql, own: Sql, other: Sql) -> Sql:
    """`other` in the place of the row's own key."""
    return Sql(re.sub(rf'(?<![\w".]){re.escape(own)}(?![\w"])', lambda _: str(other), value))


def _found(mapping: Mapping, made: Made, node: Sql, here: Here) -> tuple[Guard, ...]:
    """The row that is meant has a new key, where that is looked up."""
    if made.lookup is None or made.reference is None:
        return ()
    ok = Sql(f"{node} IS NULL OR {column(made.lookup.alias, made.reference.column)} IS NOT NULL")
    return (Guard(mapping.target.text, ok, f"the row it hangs from has no key in {here.id}", MISSING),)


def _declared(mapping: Mapping, here: Here) -> TypeName | None:
    """The type that is asked for. Raises SpecError, for ltree with what to do."""
    try:
        return here.declared(mapping)
    except SpecError:
        if mapping.type is None or mapping.type.text.rpartition(".")[2] != LTREE:
            raise
    message = f'a path of type {LTREE} needs the extension "{LTREE}", which the target does not have'
    hint = f"name it under requires: {{extensions: [{LTREE}]}}, or take a text"
    raise SpecError([Diagnostic("E317", message, mapping.type.span, "not there", hint)])
