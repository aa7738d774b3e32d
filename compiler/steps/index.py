"""index: builds the primary key and the indexes of a table after the load, and sets duplicates aside."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundIndex, MapTable, legacy_name
from compiler.layout import map_sql
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import array_key, identity_of, reject_columns, source_key
from compiler.sql import Sql, column, ident, join, literal, qname
from compiler.steps.base import TableStep


@dataclass(frozen=True)
class BuildIndexes(TableStep):
    """Build every index of a table but those that stayed during the load; one transaction each.

    Those that are built concurrently are outside of any: the catalog is asked what became of them, by `probe`.
    """

    kind: ClassVar[str] = "index"
    undo: ClassVar[str] = "drops them; rows that were set aside come back with a new load"

    @property
    def what(self) -> str:
        return f"{self.table.target}: {', '.join(index.name for index in self._indexes)}"

    def after(self) -> tuple[str, ...]:
        return (f"load.{self.table.id}",)

    def locks(self) -> Iterator[Lock]:
        constraints = any(index.definition.startswith("ALTER TABLE") for index in self._indexes)
        if constraints:
            yield self.lock("ACCESS EXCLUSIVE", "ADD CONSTRAINT")
        outside = [index for index in self._indexes if index.concurrently]
        if any(not index.definition.startswith("ALTER TABLE") for index in self._indexes if index not in outside):
            yield self.lock("SHARE", "CREATE INDEX")
        if outside:
            yield self.lock("SHARE UPDATE EXCLUSIVE", "CREATE INDEX CONCURRENTLY, outside of a transaction")
        yield self.lock("SHARE UPDATE EXCLUSIVE", "VACUUM, ANALYZE, outside of a transaction")

    def risks(self) -> Iterator[str]:
        for index in self._indexes:
            if index.unique and index.duplicates == "first":
                yield f"{index.name} keeps the first of rows that are equal, in the order of the source's key"
            if index.unique and not index.columns:
                yield f"{index.name} has a condition or an expression: rows that are equal under it stop the run"
            if index.concurrently:
                yield (
                    f"{index.name} is built outside of a transaction: it waits until all older ones have ended, the "
                    "application's too, and a crash leaves an invalid index, which the next apply drops and builds anew"
                )

    def forward(self) -> Iterator[Section]:
        outside = [index for index in self._indexes if index.concurrently]
        if outside:
            found = tuple(Sql(f"({literal(index.name)}, {literal(self._qualified(index))})") for index in outside)
            yield Section("gate", "target", render("index/gate", indexes=found))
        for index in self._indexes:
            if index.concurrently:
                yield Section("probe", "target", self._probe(index), of=index.name)
                yield Section("clear", "target", Sql(f"{index.clearing};"), of=index.name)
            yield Section("build", "target", Sql(f"{index.building};"), of=index.name)
            repair = self._repair(index)
            if repair is not None:
                prose = _PROSE[index.duplicates]
                yield Section("repair", "target", repair, of=index.name, binds=("run", "step"), prose=prose)
        # Foreign keys are checked by the index alone where every row is known to be visible: 0.5 s instead of 2.9 s.
        # The planner of these checks, and of the reconciliation before, has statistics then.
        vacuum = Sql(f"VACUUM (ANALYZE, TRUNCATE false) {self.target};")
        yield Section("vacuum", "target", vacuum, prose="statistics; references are then looked up in indexes alone")

    def verify(self) -> Iterator[Section]:
        expected = tuple(self._expected(index) for index in self._indexes)
        sql = render("index/verify", table=literal(self.target), indexes=expected)
        yield Section("verify", "target", sql)

    def revert(self) -> Iterator[Section]:
        statements = (Sql(f"{index.drop};") for index in reversed(self._indexes))
        yield Section("revert", "target", join("\n", statements))

    @cached_property
    def _indexes(self) -> tuple[BoundIndex, ...]:
        return self.layout.rebuilt(self.table)

    @cached_property
    def _definitions(self) -> dict[str, str]:
        """What the server says of an existing table's indexes, by name."""
        old = self.table.existing
        if old is None:
            return {}
        keys = (*((old.primary_key,) if old.primary_key else ()), *old.unique)
        return {each.name: each.definition for each in (*keys, *old.exclusions, *old.indexes)}

    def _expected(self, index: BoundIndex) -> Sql:
        definition = self._definitions.get(index.name)
        return Sql(f"({literal(index.name)}, {literal(definition)})")

    def _qualified(self, index: BoundIndex) -> Sql:
        return qname(self.table.target.schema, index.name)

    def _probe(self, index: BoundIndex) -> Sql:
        definition = self._definitions.get(index.name)
        alike = [Sql(f"i.indrelid = to_regclass({literal(self.target)})")]
        if definition is None:
            keys = join(", ", (literal(ident(name)) for name in index.columns))
            alike += [
                Sql("i.indisunique" if index.unique else "NOT i.indisunique"),
                Sql("i.indpred IS NOT NULL" if index.where else "i.indpred IS NULL"),
                Sql(f"{_KEYS} = ARRAY[{keys}]"),
            ]
        else:
            alike.append(Sql(f"pg_get_indexdef(i.indexrelid) = {literal(definition)}"))
        name, other = literal(self._qualified(index)), literal(f"{index.name} is there, and is another index")
        return render("index/probe", name=name, alike=tuple(alike), other=other)

    def _repair(self, index: BoundIndex) -> Sql | None:
        """None where the spec says to stop, where rows that are equal cannot be told, and where there can be none."""
        if not index.unique or not index.columns or index.duplicates == "fail":
            return None
        kept = self.table.map_table
        if kept is None or self.table.legacy_key or set(index.columns) != set(kept.key):
            return self._repair_by_row(index)
        return self._repair_by_pair(index, kept) if index.duplicates == "reject" and not kept.numbered else None

    def _repair_by_row(self, index: BoundIndex) -> Sql:
        columns = join(", ", (column("t", name) for name in index.columns))
        key = source_key(self.table, "t").inlined  # an index's predicate names columns without `t`
        # NULLs make no duplicates, unless the index says so.
        filled = (Sql(f"{column('t', name)} IS NOT NULL") for name in index.columns) if index.nulls_distinct else ()
        where = (Sql(f"({index.where})"),) if index.where is not None else ()
        return render(
            "index/repair", target=self.target, key=key.array, order=join(", ", key.values), columns=columns,
            conditions=(*where, *filled), first=index.duplicates == "first", identity=identity_of(self.table),
            reject=reject_columns(), reason=literal(f"{index.name}: the same {_shown(index)} as row "),
        )  # fmt: skip

    def _repair_by_pair(self, index: BoundIndex, kept: MapTable) -> Sql:
        legacy = tuple(column("k", legacy_name(source.name)) for source in self.table.keyset)
        return render(
            "index/repair_key", target=self.target, map=map_sql(self.table.id), table=literal(self.table.id),
            mapped=tuple(column("k", name) for name in kept.key), key=array_key(legacy), order=join(", ", legacy),
            columns=tuple(column("t", name) for name in kept.key), identity=identity_of(self.table),
            match=tuple(Sql(f"{column('e', name)} = {column('d', name)}") for name in kept.key),
            reject=reject_columns(), reason=literal(f"{index.name}: the same {_shown(index)} as row "),
        )  # fmt: skip


_KEYS = "ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnatts) AS n)"
_PROSE = {
    "reject": "sets aside all rows that are equal: none of them is the right one",
    "first": "keeps the first of rows that are equal",
}


def _shown(index: BoundIndex) -> str:
    return f"({', '.join(index.columns)})"
