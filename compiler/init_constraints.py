"""The indexes and checks of a source table, as a spec can say them; and those that it cannot."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from compiler.catalog import Constraint, IndexEntry, Key, Relation
from compiler.sql import names

_INDEX = re.compile(r".* USING (\w+) \((.*)\)")
_CHECK = re.compile(r"CHECK \((.*)\)", re.DOTALL)

Index = Mapping[str, str | bool | list[str]]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a spec's `indexes:` and `checks:` say; `left` names and defines what they cannot."""

    indexes: tuple[Index, ...]
    checks: Mapping[str, str]
    left: tuple[str, ...]


def constraints(relation: Relation, recoded: set[str]) -> Constraints:
    """Of a table whose columns keep their names; `recoded` ones get other values, so that no check on them holds."""
    said = [(entry, _index(entry)) for entry in relation.indexes]
    unique: list[Index] = [{"columns": [*key.columns], "unique": True} for key in relation.unique]
    checks = {check.name: _check(check, recoded) for check in relation.checks}
    left = [
        *(f"unique {key.name}: {key.definition}" for key in relation.unique if not _plain(key)),
        *(f"index {entry.name}: {entry.definition}" for entry, index in said if index is None),
        *(f"check {check.name}: {check.definition}" for check in relation.checks if checks[check.name] is None),
        *(f"exclusion {each.name}: {each.definition}" for each in relation.exclusions),
        *([f"partitions: PARTITION BY {relation.partition_by}"] if relation.partition_by else []),
    ]
    return Constraints(
        tuple(_distinct([*unique, *(index for _, index in said if index)])),
        {name: text for name, text in checks.items() if text is not None},
        tuple(left),
    )


def _plain(key: Key) -> bool:
    """Not deferrable, and NULL is not equal to NULL: all that `unique: true` says."""
    return key.definition == f"UNIQUE ({names(key.columns)})"


def _index(entry: IndexEntry) -> Index | None:
    """None for expressions, predicates, operator classes and orders: a spec's index is columns and a method."""
    found = _INDEX.fullmatch(entry.definition)
    if not entry.columns or found is None or found[2] != names(entry.columns):
        return None
    index: Index = {"columns": [*entry.columns]}
    using: Index = {} if found[1] == "btree" else {"using": found[1]}
    return {**index, **using, **({"unique": True} if entry.unique else {})}


def _distinct(indexes: list[Index]) -> Iterator[Index]:
    """Each once: a second index on the same columns, under another name, serves nothing."""
    for at, index in enumerate(indexes):
        if index not in indexes[:at]:
            yield index


def _check(check: Constraint, recoded: set[str]) -> str | None:
    found = _CHECK.fullmatch(check.definition)
    if found is None:
        return None
    try:
        condition = sqlglot.parse_one(found[1], into=exp.Condition, dialect="postgres")
    except sqlglot.ParseError:
        return None
    touched = {column.name for column in condition.find_all(exp.Column)}
    return None if touched & recoded else found[1]
