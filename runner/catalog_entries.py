"""Rows of the queries of snapshot.sql -> entries of a catalog. Pure: what docs/catalog.md says, nothing else.

Each of FOLDS gives, by the relation's oid, the part of its entry that the query of the same name knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = dict[str, Any]
Entry = dict[str, Any]
Parts = Mapping[int, Entry]
Rows = Iterable[Row]

CONSTRAINTS = {"u": "unique", "x": "exclusions", "f": "foreign_keys", "c": "checks"}
VIEWS = {"v": "view", "m": "materialized view"}
ORDER = (
    *("kind", "rows", "definition", "columns", "primary_key", "unique", "exclusions", "foreign_keys", "checks"),
    *("indexes", "sequences", "partition_by", "partition_bound", "parents", "children", "triggers", "trigger_states"),
    *("row_security", "dependents", "uses"),
)


def qualified(schema: str, name: str) -> str:
    """`schema.name` as catalogs write it: a part that holds a dot or a double quote is quoted."""
    return f"{_part(schema)}.{_part(name)}"


def _part(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "." in name or '"' in name else name


def present(entry: Entry) -> Entry:
    """`entry` without what is not there: None, empty lists, empty maps."""
    return {key: value for key, value in entry.items() if value is not None and value != [] and value != {}}


def type_entry(row: Row) -> Entry:
    """An enum, a composite, a range or a domain."""
    match row["kind"]:
        case "e":
            return {"enum": row["labels"]}
        case "c":
            return {"composite": dict(row["attributes"] or [])}
        case "r":
            return {"range": row["subtype"], "multirange": row["multirange"]}
    return present(
        {
            "domain": row["base"],
            "null": False if row["not_null"] else None,
            "default": row["default_expression"],
            "collation": row["collation"],
            "checks": dict(sorted((row["checks"] or {}).items())),
        }
    )


def relation_entries(rows: Rows, sizes: Mapping[int, int], parts: Iterable[Parts]) -> dict[str, Entry]:
    """The whole entries by relation name, sorted, each put together from `parts` and with its keys in order."""
    parts = list(parts)
    entries: dict[str, Entry] = {}
    for row in rows:
        whole: Entry = {**row, "rows": sizes.get(row["relation"]), "row_security": row["row_security"] or None}
        for part in parts:
            whole |= part.get(row["relation"], {})
        entries[qualified(row["schema"], row["name"])] = present({key: whole.get(key) for key in ORDER})
    return dict(sorted(entries.items()))


def columns(rows: Rows) -> Parts:
    """Every column, in the table's order."""
    return _maps("columns", rows, _column)


def _column(row: Row) -> Entry:
    return present(
        {
            "type": row["type"],
            "null": False if row["not_null"] else None,
            "default": row["default_expression"],
            "identity": row["identity"],
            "generated": row["generated"],
            "virtual": row["virtual"] or None,
            "collation": row["collation"],
        }
    )


def constraints(rows: Rows) -> Parts:
    """The primary key, and unique, exclusion, foreign key and check constraints by name."""
    parts: dict[int, Entry] = defaultdict(dict)
    for row in _sorted(rows):
        if row["kind"] == "p":
            parts[row["relation"]]["primary_key"] = {"name": row["name"], **_constraint(row)}
        else:
            parts[row["relation"]].setdefault(CONSTRAINTS[row["kind"]], {})[row["name"]] = _constraint(row)
    return parts


def _constraint(row: Row) -> Entry:
    foreign, named = row["kind"] == "f", row["kind"] in "puf"
    return present(
        {
            "columns": row["columns"] if named else None,
            "references": qualified(row["referenced_schema"], row["referenced_name"]) if foreign else None,
            "to": row["referenced_columns"] if foreign else None,
            "definition": row["definition"],
            "valid": None if row["valid"] else False,
        }
    )


def indexes(rows: Rows) -> Parts:
    """The indexes that no constraint owns, by name."""
    return _maps("indexes", _sorted(rows), _index)


def _index(row: Row) -> Entry:
    return present(
        {
            "unique": row["is_unique"] or None,
            "columns": row["columns"],
            "definition": row["definition"],
            "valid": None if row["valid"] else False,
        }
    )


def sequences(rows: Rows) -> Parts:
    """The sequence that numbers a column, by column."""
    return _maps("sequences", rows, lambda row: qualified(row["schema"], row["sequence"]))


def inheritance(rows: Rows) -> Parts:
    """Parents, in the order the child names them; children by name."""
    parts: dict[int, Entry] = defaultdict(lambda: {"parents": [], "children": []})
    for row in rows:
        parts[row["child"]]["parents"].append(qualified(row["parent_schema"], row["parent_name"]))
        parts[row["parent"]]["children"].append(qualified(row["child_schema"], row["child_name"]))
    for part in parts.values():
        part["children"].sort()
    return parts


def triggers(rows: Rows) -> Parts:
    """The definitions of triggers, and the state of those that are not simply enabled."""
    ordered = _sorted(rows)
    parts = _maps("triggers", ordered, lambda row: row["definition"])
    states = _maps("trigger_states", (row for row in ordered if row["state"]), lambda row: row["state"])
    return {relation: part | states.get(relation, {}) for relation, part in parts.items()}


def dependents(rows: Rows) -> Parts:
    """The views, materialized views and rules that read a relation, as text, sorted."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        found[row["relation"]].add(_dependent(row))
    return {relation: {"dependents": sorted(names)} for relation, names in found.items()}


def _dependent(row: Row) -> str:
    where = qualified(row["schema"], row["name"])
    return f"{VIEWS[row['kind']]} {where}" if row["rule"] == "_RETURN" else f"rule {row['rule']} on {where}"


def _maps(key: str, rows: Rows, value: Callable[[Row], Any]) -> dict[int, Entry]:
    """`{key: {name: value}}` by relation."""
    parts: dict[int, Entry] = defaultdict(lambda: {key: {}})
    for row in rows:
        parts[row["relation"]][key][row["name"]] = value(row)
    return parts


def _sorted(rows: Rows) -> list[Row]:
    """By name, as Python compares them: the server's collation may be another tomorrow.

    A definition is missing where the object was dropped a moment ago.
    """
    return sorted((row for row in rows if row["definition"] is not None), key=lambda row: str(row["name"]))


FOLDS: Mapping[str, Callable[[Rows], Parts]] = {
    "columns": columns,
    "constraints": constraints,
    "indexes": indexes,
    "sequences": sequences,
    "inheritance": inheritance,
    "triggers": triggers,
    "dependents": dependents,
}
