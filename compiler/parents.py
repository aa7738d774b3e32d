"""Where the parents of a hierarchy's rows come from: a column, a table beside the rows, paths, or nested sets.

A column and a table name the parent's key, and the source gives it with the row. Paths and nested sets do not: the
parents are found in the target, among all rows that are kept, once; the source finds them again for the proof.
"""

from __future__ import annotations

from collections.abc import Iterable

from compiler.bound import Links, SourceColumn
from compiler.catalog import Relation
from compiler.diagnostics import Diagnostic, SpecError, known_here
from compiler.layout import relation_sql
from compiler.names import qualify
from compiler.references import matches
from compiler.render import render
from compiler.spec import Adjacency, Intervals, Parents, Paths, Replies, Word
from compiler.sql import Sql, cast, column, ident, join, literal
from compiler.tree_walk import ordered
from compiler.type_space import shown
from compiler.types import read_type
from compiler.world import Here

ALIAS = "above"  # of what is joined to a row of the source to find its parent


def links_of(here: Here, parents: Parents, key: SourceColumn) -> tuple[Links, str, frozenset[str]]:
    """The links, what keys are compared as, and the columns of the row that are read for them. Raises SpecError."""
    match parents:
        case Adjacency(column=word):
            source = here.source.column(word)
            types = here.world.types
            matches(word, types.of_source(source.type), types.of_source(key.type), key.name, here)
            type = _common(key, source)
            return Links(typed(column("s", source.name), source, type), source.name), type, frozenset([source.name])
        case Replies():
            return *_replies(here, parents, key), frozenset()
        case Paths():
            links, read = _paths(here, parents, key, _common(key, key))
        case Intervals():
            links, read = _intervals(here, parents, key, _common(key, key))
    return links, _common(key, key), read


def _common(key: SourceColumn, parent: SourceColumn) -> str:
    """What both a key and a parent become without loss, and compare as by an index."""
    families = {read_type(each.wire).family for each in (key, parent)}
    if families == {"integer"}:
        return key.wire if key.wire == parent.wire else "bigint"
    return "numeric" if "numeric" in families else "text" if "text" in families else key.wire


def typed(value: Sql, source: SourceColumn, type: str) -> Sql:
    """A column of the source as `type`."""
    return value if source.type == type else cast(value, type)


# A table of replies.


def _replies(here: Here, how: Replies, key: SourceColumn) -> tuple[Links, str]:
    relation = reply_table(here, how)
    child, parent = (_reply_column(here, relation, word, key) for word in (how.child, how.parent))
    type, to = _common(key, parent), column("r", parent.name)
    lowest = Sql(f"min({to})")
    if read_type(type).family not in ("integer", "numeric"):  # not every type has a least value
        lowest = Sql(f"(array_agg({to} ORDER BY {ordered(to, parent.wire)}))[1]")
    joined = render(
        "tree/replies", table=relation_sql(relation.qualified), child=column("r", child.name), parent=to,
        lowest=lowest, own=column("s", key.name), by_index=_has_index(relation, child.name), alias=ident(ALIAS),
    )  # fmt: skip
    parents = ("parents", column(ALIAS, "parents"), "bigint")
    links = Links(
        typed(column(ALIAS, "parent"), parent, type),
        ", ".join(how.names),
        (joined,),
        raw=(parents,),
        several=how.several,
    )
    return links, type


def reply_table(here: Here, how: Replies) -> Relation:
    """The table beside the rows. Raises SpecError."""
    schema, catalog = here.world.project.source.schema, here.world.source
    name = qualify(how.table.text, schema)
    found = catalog.find(name.schema, name.name)
    if found is None:
        hint = known_here(how.table.text, (shown(each.qualified, schema) for each in catalog.relations))
        message = f'table "{how.table}" does not exist in the source'
        raise SpecError([Diagnostic("E310", message, how.table.span, "unknown table", hint)])
    return found


def _reply_column(here: Here, relation: Relation, word: Word, key: SourceColumn) -> SourceColumn:
    found = relation.column(word.text)
    if found is None:
        hint = known_here(word.text, (each.name for each in relation.columns))
        message = f'column "{word}" does not exist in source "{relation.name}"'
        raise SpecError([Diagnostic("E311", message, word.span, "unknown column", hint)])
    types = here.world.types
    side = types.of_source(found.type)
    matches(word, side, types.of_source(key.type), key.name, here)
    return SourceColumn(found.name, side.shown, str(side.type), found.null)


def _has_index(relation: Relation, name: str) -> bool:
    """Rows are found by the column without reading all of them."""
    keys = [relation.primary_key] if relation.primary_key else []
    indexes = [each.columns for each in relation.indexes if each.valid]
    return any(columns[:1] == (name,) for columns in (*(each.columns for each in (*keys, *relation.unique)), *indexes))


# Paths.


def _paths(here: Here, how: Paths, key: SourceColumn, type: str) -> tuple[Links, frozenset[str]]:
    source = here.source.column(how.column)
    side = here.world.types.of_source(source.type)
    if side.type.family != "text" or side.labels is not None:
        message = f'a path is a text, and "{source.name}" is of type {side.shown}'
        hint = "a column that holds the key of the parent is named by itself: from: parent_id"
        raise SpecError([Diagnostic("E504", message, how.column.span, "no path", hint)])
    own, theirs = (_path(column(alias, source.name), source, how) for alias in ("s", "p"))
    joined = render(
        "tree/above_by_path", table=_all_rows(here), key=typed(column("p", key.name), key, type), path=theirs,
        prefix=_prefix(own, how), alias=ident(ALIAS), order=ordered(Sql("p.key"), type),
    )  # fmt: skip
    raw = (("path", own, "text"),)
    prefix = _prefix(Sql("l.path"), how)
    nowhere = Sql(f"{_prefix(own, how)} IS NOT NULL AND {column(ALIAS, 'key')} IS NULL")
    links = Links(column(ALIAS, "key"), source.name, (joined,), raw, "path", prefix, nowhere)
    return links, frozenset([source.name])


def _path(value: Sql, source: SourceColumn, how: Paths) -> Sql:
    """The path without separators at its ends."""
    text = value if source.type == "text" else cast(value, "text")
    return Sql(f"btrim({text}, {literal(how.separator)})") if how.separator else text


def _prefix(path: Sql, how: Paths) -> Sql:
    """The path of the parent; NULL for a root."""
    if how.steps:
        return Sql(f"nullif(left({path}, -{how.steps}), '')")
    last = f"strpos(reverse({path}), {literal(how.separator)})"
    return Sql(f"CASE WHEN {last} > 0 THEN left({path}, -{last}) END")


def _all_rows(here: Here) -> Sql:
    """All rows of the source, as a FROM item `p`."""
    if here.source.query is not None:
        return Sql(f"(\n{here.source.query}\n) AS p")
    assert here.source.relation is not None  # a table has a source or a query
    return Sql(f"{relation_sql(here.source.relation.qualified)} AS p")


# Nested sets.


def _intervals(here: Here, how: Intervals, key: SourceColumn, type: str) -> tuple[Links, frozenset[str]]:
    ends = [_number(here, word) for word in (how.left, how.right)]
    tree = here.source.column(how.tree) if how.tree else None
    raw = _ends("s", ends, tree)
    rows = render(
        "tree/intervals", table=_all_rows(here), key=typed(column("p", key.name), key, type),
        columns=join(", ", (Sql(f"{value} AS {name}") for name, value, _ in _ends("p", ends, tree))),
    )  # fmt: skip
    joined = render(
        "tree/above_by_interval", enclosing=render("tree/enclosing", rows=rows),
        own=typed(column("s", key.name), key, type), alias=ident(ALIAS),
    )  # fmt: skip
    name = ", ".join(how.names)
    lft, rght = (value for name, value, _ in raw if name != "tree")
    ends_wrong = f"({lft} < {rght}) IS NOT TRUE AND ({lft} IS NOT NULL OR {rght} IS NOT NULL)"
    nowhere = Sql(f"{column(ALIAS, 'crosses')} IS TRUE OR ({ends_wrong})")
    links = Links(column(ALIAS, "parent"), name, (joined,), raw, "interval", nowhere=nowhere)
    return links, frozenset(each.name for each in (*ends, *([tree] if tree else [])))


def _number(here: Here, word: Word) -> SourceColumn:
    source = here.source.column(word)
    side = here.world.types.of_source(source.type)
    if side.type.family != "integer":
        message = f'the ends of a nested set are whole numbers, and "{source.name}" is of type {side.shown}'
        hint = "left, right and tree are the columns of nested sets: lft, rght and tree_id of django-mptt"
        raise SpecError([Diagnostic("E504", message, word.span, "no number", hint)])
    return source


def _ends(alias: str, ends: Iterable[SourceColumn], tree: SourceColumn | None) -> tuple[tuple[str, Sql, str], ...]:
    """Where a row begins and ends, and in which tree."""
    found = [
        (name, typed(column(alias, source.name), source, "bigint"), "bigint")
        for name, source in zip(("lft", "rght"), ends, strict=True)
    ]
    if tree is None:
        return (*found, ("tree", Sql("0"), "integer"))
    return (*found, ("tree", typed(column(alias, tree.name), tree, tree.wire), tree.wire))
