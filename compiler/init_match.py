"""Which target table a source table becomes: by name, by name without a Django app's prefix, or a new one."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compiler.catalog import Catalog, Relation
from compiler.names import Name, join
from compiler.spec import Project

TABLES = ("table", "partitioned table", "foreign table")


@dataclass(frozen=True, slots=True)
class Pair:
    """A source table and what it becomes; `existing` is the target's table where it is there already.

    `only`: without the rows of the tables that inherit from it, which are moved on their own.
    """

    source: Relation
    target: Name
    existing: Relation | None
    only: bool = False


def pairs(project: Project, source: Catalog, target: Catalog) -> tuple[Pair, ...]:
    """Every source table that is to be moved, sorted by its name, with its counterpart.

    Left out are tables under the project's `skip:`, and those whose rows are read through their parent.
    """
    found = {relation.qualified: relation for relation in source.relations if relation.kind in TABLES}
    alone = _on_their_own(found)
    moved = [
        relation
        for name, relation in found.items()
        if not _skipped(project, name) and (name in alone or not relation.parents)
    ]
    there = {relation.qualified: relation for relation in target.relations if relation.kind in TABLES}
    names = _targets(project, moved, there)
    return tuple(
        Pair(relation, names[relation.qualified], there.get(names[relation.qualified]), relation.qualified in alone)
        for relation in moved
    )


def short(name: Name, schema: str) -> str:
    """The name as a spec has it: without the schema where that is the project's."""
    return join((name.name,)) if name.schema == schema else str(name)


def _skipped(project: Project, name: Name) -> bool:
    """Whether `skip:` names the table, by its beginning perhaps: `payment_p*`."""
    names = {short(name, project.source.schema), str(name)}
    return any(
        text in names or (text.endswith("*") and any(each.startswith(text[:-1]) for each in names))
        for text in (reason.name.text for reason in project.skip)
    )


def _on_their_own(relations: Mapping[Name, Relation]) -> set[Name]:
    """Tables of INHERITS trees in which a child has columns that its parent lacks: reading the parent loses them."""
    alone: set[Name] = set()
    for name, relation in relations.items():
        if relation.kind == "table" and not relation.parents and relation.children:
            tree = _tree(name, relations)
            if any(len(relations[member].columns) > len(relation.columns) for member in tree):
                alone |= tree
    return alone


def _tree(root: Name, relations: Mapping[Name, Relation]) -> set[Name]:
    seen, open_ = {root}, [root]
    while open_:
        for child in relations[open_.pop()].children:
            if child in relations and child not in seen:
                seen.add(child)
                open_.append(child)
    return seen


def _targets(project: Project, moved: Iterable[Relation], there: Mapping[Name, Relation]) -> dict[Name, Name]:
    """The target table's name by the source table's; no two source tables get one target table."""
    home = project.source.schema, project.target.schema
    same = {
        relation.qualified: Name(home[1] if relation.schema == home[0] else relation.schema, relation.name)
        for relation in moved
    }
    taken = {name for name in same.values() if name in there}
    bare = {
        source: found
        for source, name in same.items()
        if name not in there and (found := _without_prefix(name, there)) and found not in taken
    }
    often = Counter(bare.values())
    return same | {source: name for source, name in bare.items() if often[name] == 1}


def _without_prefix(name: Name, there: Mapping[Name, Relation]) -> Name | None:
    """`dispatch_order` -> `order` or `orders`, where exactly one of the two is there."""
    _, _, rest = name.name.partition("_")
    found = [Name(name.schema, each) for each in (rest, f"{rest}s") if rest and Name(name.schema, each) in there]
    return found[0] if len(found) == 1 else None
