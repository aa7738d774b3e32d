"""The plan as a whole, as one step sees it: where things are, what is built when, and what has to be done before."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from compiler.bound import BoundIndex, BoundTable, Ordered
from compiler.catalog import ForeignKey, Relation, type_name
from compiler.names import Name
from compiler.sql import Sql, fits, ident, qname

_T = TypeVar("_T", bound=Hashable)
MOST_NAMED = 3  # tables of a circle
EXTENSIONS = "public"  # the schema of extensions that the plan creates
RUNNER = "transhume"  # the runner's schema in the target: the journal, the rejects, the map tables


@dataclass(frozen=True, slots=True)
class AddedKey:
    """A foreign key to add to `table`; `definition` is what stands after ADD CONSTRAINT name, without NOT VALID.

    `valid`: it is validated, as the catalog or the spec has it. `whole`: added and checked at once, since before
    PostgreSQL 18 a partitioned table takes no key that is NOT VALID.
    """

    name: str
    columns: tuple[str, ...]
    references: Name
    definition: Sql
    valid: bool
    whole: bool


@dataclass(frozen=True)
class Layout:
    """All tables of a plan, and what one of them means for another."""

    ordered: Ordered

    @cached_property
    def tables(self) -> Mapping[str, BoundTable]:
        """The tables by id."""
        return {table.id: table for table in self.ordered.tables}

    @cached_property
    def migrated(self) -> Mapping[Name, BoundTable]:
        """The tables by their name in the target."""
        return {table.target: table for table in self.ordered.tables}

    @property
    def one_database(self) -> bool:
        """Source and target are one database."""
        return self.ordered.resolved.databases == 1

    @cached_property
    def same_encoding(self) -> bool:
        """Both databases keep texts as the same bytes."""
        return self.ordered.resolved.source.encoding == self.ordered.resolved.target.encoding

    # What existing tables (create: false) lose before the load, and keep.

    @cached_property
    def _incoming(self) -> Mapping[Name, list[tuple[Relation, ForeignKey]]]:
        found: dict[Name, list[tuple[Relation, ForeignKey]]] = defaultdict(list)
        for relation in self.ordered.resolved.target.relations:
            for key in relation.foreign_keys:
                found[key.references].append((relation, key))
        return found

    def incoming(self, table: BoundTable) -> Iterator[tuple[Relation, ForeignKey]]:
        """The foreign keys of existing relations that refer to the table, its own among them."""
        for relation, key in self._incoming.get(table.target, ()):
            if not relation.parents or key.name not in _inherited(relation, self.ordered):
                yield relation, key

    def is_migrated(self, relation: Relation) -> bool:
        """The relation is a target table of this plan."""
        return relation.qualified in self.migrated

    def kept(self, table: BoundTable) -> Mapping[str, str]:
        """The indexes of an existing table that stay during the load, and why."""
        if table.existing is None:
            return {}
        if table.existing.kind == "partitioned table":
            return {index.name: "those of a partitioned table stay" for index in table.indexes}
        return {
            index.name: f"{relation.qualified} refers to it"
            for relation, key in self.incoming(table) if not self.is_migrated(relation)
            for index in table.indexes if index.unique and set(index.columns) == set(key.to)
        }  # fmt: skip

    def rebuilt(self, table: BoundTable) -> tuple[BoundIndex, ...]:
        """The indexes that are built after the load."""
        kept = self.kept(table)
        return tuple(index for index in table.indexes if index.name not in kept)

    # Foreign keys.

    def added_keys(self, table: BoundTable) -> Iterator[AddedKey]:
        """The foreign keys that the table has in the end."""
        if table.existing is not None:
            partitioned = table.existing.kind == "partitioned table"
            for key in table.existing.foreign_keys:
                whole = partitioned and key.valid
                yield AddedKey(key.name, key.columns, key.references, Sql(key.definition), key.valid, whole)
            return
        for column in table.columns:
            if column.reference and column.reference.constrained:
                other = self.tables[column.reference.table]
                name = fits(f"{table.target.name}_{column.name}_fkey")
                to = f"{relation_sql(other.target)} ({ident(column.reference.column)})"
                text = Sql(f"FOREIGN KEY ({ident(column.name)}) REFERENCES {to}")
                yield AddedKey(name, (column.name,), other.target, text, True, table.partition is not None)

    def has_keys(self, table: BoundTable) -> bool:
        """The table has a foreign key in the end."""
        return next(self.added_keys(table), None) is not None

    # What comes after what.

    def made(self, table: BoundTable) -> str:
        """The step after which the table can be loaded."""
        return f"{'create' if table.create else 'prepare'}.{table.id}"

    def freed_by(self, table: BoundTable) -> Iterator[str]:
        """The steps that take away those foreign keys of the table that refer to other existing tables."""
        for key in table.existing.foreign_keys if table.existing else ():
            other = self.migrated.get(key.references)
            if other is not None and other.existing is not None:
                yield self.made(other)

    def mapped(self, table_id: str) -> str:
        """The step after which the table's map table can be looked up in."""
        return f"map.{table_id}"

    def hung(self, table_id: str) -> str:
        """The step after which the place of each row in the hierarchy is known."""
        return f"tree.{table_id}"

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """The tables whose loads look up in a table's map."""
        pairs = dict.fromkeys(
            (found.map_of, table.id)
            for table in self.ordered.tables
            for bound in table.columns
            for found in bound.lookups
        )
        found: dict[str, tuple[str, ...]] = {}
        for map_of, reader in pairs:
            found[map_of] = (*found.get(map_of, ()), reader)
        return found

    def indexed(self, table: BoundTable) -> str:
        """The step after which the table's indexes stand and its duplicates are gone."""
        return f"index.{table.id}" if self.rebuilt(table) else f"load.{table.id}"

    def settled(self, table: BoundTable) -> str:
        """The step after which the table loses no row any more."""
        return f"reconcile.{self.circle_name(table)}" if self.reconciles(table) else self.indexed(table)

    def finished(self, table: BoundTable) -> str:
        """The step after which the table is as the application will find it."""
        return f"finish.{table.id}" if self.finishes(table) else self.constrained(table)

    def finishes(self, table: BoundTable) -> bool:
        """Something is left to do when the foreign keys hold: sequences, triggers, a tree table, or the statistics."""
        numbered = table.sequences or any(column.identity for column in table.columns)
        return bool(numbered or table.tree or not table.create or not self.rebuilt(table))

    def constrained(self, table: BoundTable) -> str:
        """The step after which the table's foreign keys hold."""
        return f"constrain.{table.id}" if self.has_keys(table) else self.settled(table)

    def reconciles(self, table: BoundTable) -> bool:
        """Rows of the table can be found to refer to nothing, or its map table outlives rows."""
        return any(self.reconciles_alone(self.tables[member]) for member in self.circle(table))

    def reconciles_alone(self, table: BoundTable) -> bool:
        """The same, of the table by itself."""
        return table.map_table is not None or any(column.references for column in table.columns)

    @cached_property
    def _circles(self) -> Mapping[str, tuple[str, ...]]:
        return {member: circle for circle in self.ordered.circles for member in circle}

    def circle(self, table: BoundTable) -> tuple[str, ...]:
        """The tables that refer to each other in a circle with this one, itself among them, in load order."""
        return self._circles.get(table.id, (table.id,))

    def circle_name(self, table: BoundTable) -> str:
        """`stores+staff`, or `stores+17` where there are too many to name: the circle in step ids."""
        first, *others = self.circle(table)
        return "+".join((first, *others)) if len(others) < MOST_NAMED else f"{first}+{len(others)}"

    def required(self, table: BoundTable) -> Iterator[str]:
        """The steps that make the schema, the types and the extensions that the table needs."""
        resolved = self.ordered.resolved
        if table.target.schema in resolved.schemas:
            yield f"require.schema-{table.target.schema}"
        for extension in resolved.project.extensions:
            yield f"require.extension-{extension}"
        used = {type_name(column.type) for column in table.columns}
        yield from (f"require.type-{new.name}" for new in resolved.types if new.name in used)


def relation_sql(name: Name) -> Sql:
    """A relation under its schema."""
    return qname(name.schema, name.name)


def map_sql(table_id: str) -> Sql:
    """The map table of a table."""
    return qname(RUNNER, fits(f"map_{table_id}"))


def rows_sql(table_id: str) -> Sql:
    """The rows of a hierarchy, kept until they are loaded."""
    return qname(RUNNER, fits(f"rows_{table_id}"))


def intact_sql(table_id: str) -> Sql:
    """The table whose one row says that no crash of the server has emptied a hierarchy's working tables."""
    return qname(RUNNER, fits(f"intact_{table_id}"))


def links_sql(table_id: str) -> Sql:
    """What a hierarchy is computed of: keys, parents, what siblings are ordered by."""
    return qname(RUNNER, fits(f"links_{table_id}"))


def tree_sql(table_id: str) -> Sql:
    """The hierarchy of a table's rows, as it is computed."""
    return qname(RUNNER, fits(f"tree_{table_id}"))


def unique(items: Iterable[_T]) -> tuple[_T, ...]:
    """The items without repetition, in the order given."""
    return tuple(dict.fromkeys(items))


def _inherited(relation: Relation, ordered: Ordered) -> frozenset[str]:
    """The names of a partition's foreign keys that its parents have: they come and go with the parent's."""
    parents = (ordered.resolved.target.find(name.schema, name.name) for name in relation.parents)
    return frozenset(key.name for parent in parents if parent for key in parent.foreign_keys)
