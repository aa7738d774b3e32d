"""The triggers of an existing table that must not fire while its rows are loaded."""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTable
from compiler.catalog import Relation
from compiler.layout import Layout, relation_sql
from compiler.names import Name
from compiler.sql import Sql, ident

_ENABLE = {"": "ENABLE TRIGGER", "replica": "ENABLE REPLICA TRIGGER", "always": "ENABLE ALWAYS TRIGGER"}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger; `state` is "" for one that fires as usual, or `replica` or `always`."""

    table: Name
    name: str
    state: str

    @property
    def disable(self) -> Sql:
        """The statement that keeps it from firing."""
        return Sql(f"ALTER TABLE {relation_sql(self.table)} DISABLE TRIGGER {ident(self.name)};")

    @property
    def enable(self) -> Sql:
        """The statement that lets it fire as it did before."""
        return Sql(f"ALTER TABLE {relation_sql(self.table)} {_ENABLE[self.state]} {ident(self.name)};")


def user_triggers(table: BoundTable, layout: Layout) -> tuple[Trigger, ...]:
    """The triggers of the table and of its partitions and children that are not disabled already."""
    if table.existing is None:
        return ()
    return tuple(
        Trigger(relation.qualified, name, dict(relation.trigger_states).get(name, ""))
        for relation in _tree(table.existing, layout)
        for name, _ in relation.triggers if dict(relation.trigger_states).get(name) != "disabled"
    )  # fmt: skip


def _tree(relation: Relation, layout: Layout) -> Iterator[Relation]:
    yield relation
    for name in relation.children:
        child = layout.ordered.resolved.target.find(name.schema, name.name)
        if child is not None:
            yield from _tree(child, layout)
