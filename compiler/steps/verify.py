"""verify: every row is accounted for, and every column has the same checksum on both sides of the mapping."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.checksums import hash_text, row_checksum
from compiler.compared import Compared, compared, incomparable
from compiler.layout import unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import is_none_of, reading, source_key, source_sql, text_key, where
from compiler.shape import Shape
from compiler.sql import Sql, column, ident, join, literal
from compiler.steps.base import TableStep

SEED = Sql("h.seed")
_TO_ARRIVE = "of the rows that arrived, as they were to arrive"
_ARRIVED = "as they arrived"
_WHICH = "of each column, asked for where the rows' sums differ"


@dataclass(frozen=True)
class VerifyTable(TableStep):
    """Compare a table with its source, as it was to become."""

    kind: ClassVar[str] = "verify"
    undo: ClassVar[str] = "nothing to undo"

    @property
    def what(self) -> str:
        left_out = [f"{name} ({why})" for name, why in incomparable(self.table)]
        return f"{self.table.target} against its source" + (f", but for {', '.join(left_out)}" if left_out else "")

    def after(self) -> tuple[str, ...]:
        """The table is finished, and so are those that its own queries name."""
        texts = [comparison.target for comparison in self.table.verify]
        others = (
            self.layout.finished(other) for other in self.layout.ordered.tables
            if any(_names(text, other.target.name) for text in texts)
        ) if texts else ()  # fmt: skip
        return unique((self.layout.finished(self.table), *others))

    def locks(self) -> Iterator[Lock]:
        yield self.lock("ACCESS SHARE", "SELECT")

    def risks(self) -> Iterator[str]:
        for name, why in incomparable(self.table):
            yield f"{self.table.target}.{name} is not compared: {why}"

    def forward(self) -> Iterator[Section]:
        relation = source_sql(self.table)
        yield Section("count", "source", render("verify/count", relation=relation), prose="before the filter")
        if not self._keyed:  # elsewhere the checksum counts them
            yield Section("count", "target", render("verify/count", relation=self.target))
        yield from self._sums()
        if self.table.tree is not None:
            yield from Shape(self.table, self.table.tree, self.layout).sections()
        for comparison in self.table.verify:
            # The query stands on lines of its own: it may end in a comment.
            yield Section("query", "source", Sql(f"{comparison.source}\n;"), of=comparison.name)
            yield Section("query", "target", Sql(f"{comparison.target}\n;"), of=comparison.name)

    def verify(self) -> Iterator[Section]:
        table = literal(self.target)
        constraints = [Sql(f"k.conrelid = to_regclass({table})"), Sql("NOT k.convalidated")]
        indexes = [Sql(f"i.indrelid = to_regclass({table})"), Sql("NOT i.indisvalid")]
        if self.table.existing is not None:
            old = self.table.existing
            unchecked = [key.name for key in old.foreign_keys if not key.valid]
            unchecked += [check.name for check in old.checks if not check.valid]
            constraints += _but(Sql("k.conname"), unchecked)
            indexes += _but(Sql("c.relname"), [entry.name for entry in old.indexes if not entry.valid])
        sql = render("verify/verify", constraints=constraints, indexes=indexes)
        yield Section("verify", "target", sql)
        if self.table.tree is not None:
            yield Shape(self.table, self.table.tree, self.layout).rules()

    @cached_property
    def _compared(self) -> tuple[Compared, ...]:
        return compared(self.table, self.layout)

    @property
    def _keyed(self) -> bool:
        return bool(self.table.keyset)

    @property
    def _seed(self) -> Sql:
        return hash_text(Sql("key.text"), Sql("0"), self.layout.same_encoding)

    def _sums(self) -> Iterator[Section]:
        """One sum over whole rows; beside it, to say what differs, one a column. Without a key only the latter."""
        if not self._keyed:
            yield from self._column_sums("checksum", (self._whole(Sql("count(*)"), "rows"),))
            return
        nulled = {name: Sql(f"{self._key} = ANY (${place}::text[])") for name, place in self._nulled.items()}
        source = (each.of_source(nulled.get(each.name)) for each in self._compared)
        rows, conditions = reading(self.table, self.layout).whole
        sql = self._row_sum((*self._tie(self._key), *source), rows, (*conditions, is_none_of(self._key, 1)))
        yield Section("checksum", "source", sql, binds=self._binds, prose=_TO_ARRIVE)
        key = source_key(self.table, "t")
        target = (each.of_target() for each in self._compared)
        joined = (Sql(f"{self.target} AS t"), *key.joins, *self._joins)
        sql = self._row_sum((*self._tie(text_key(key.values)), *target), join("\n", joined), ())
        yield Section("checksum", "target", sql, prose=_ARRIVED)
        yield from self._column_sums("columns", ())

    def _tie(self, key: Sql) -> tuple[Sql, ...]:
        """The key, where the columns that are compared do not hold it."""
        names = {each.name for each in self._compared}
        return () if self.table.legacy_key and names.issuperset(self.table.legacy_key) else (key,)

    def _row_sum(self, values: tuple[Sql, ...], rows: Sql, conditions: tuple[Sql, ...]) -> Sql:
        return render("verify/checksum", checksum=row_checksum(values), rows=rows, conditions=conditions)

    def _column_sums(self, name: str, first: tuple[Sql, ...]) -> Iterator[Section]:
        """$1 is the keys of the rows that did not arrive, $2 and on the keys of rows that lost a reference."""
        lost = self._nulled.items() if self._keyed else ()
        nulled = {column: Sql(f"h.text = ANY (${place}::text[])") for column, place in lost}
        source, target = [*first], [*first]
        for each in self._compared:
            source.append(self._whole(each.sum(each.source, self._salt, nulled.get(each.name)), each.name))
            target.append(self._whole(each.sum(each.target, self._salt, None), each.name))
        read = reading(self.table, self.layout)
        rows = render(
            "rows/chunk", columns=read.selected, relation=read.relation, conditions=where(self.table), order=None
        )
        own = self._key if self._keyed else None
        sql = render("verify/columns_source", sums=source, rows=rows, key=own, seed=self._seed)
        yield Section(name, "source", sql, binds=self._binds, prose=_WHICH if self._keyed else _TO_ARRIVE)
        key = source_key(self.table, "t")
        joins = (*(key.joins if self._keyed else ()), *self._joins)
        there = text_key(key.values) if self._keyed else None
        sql = render("verify/columns_target", sums=target, target=self.target, joins=joins, key=there, seed=self._seed)
        binds = () if self._keyed else self._binds
        yield Section(name, "target", sql, binds=binds, prose="" if self._keyed else _ARRIVED)

    @property
    def _key(self) -> Sql:
        """The key of a row of the source, as text."""
        return text_key([column("s", source.name) for source in self.table.keyset])

    @property
    def _joins(self) -> tuple[Sql, ...]:
        """What the target's values need."""
        return tuple(joined for each in self._compared for joined in each.joins)

    @property
    def _salt(self) -> Sql:
        return SEED if self._keyed else Sql("0")

    @cached_property
    def _nulled(self) -> dict[str, int]:
        """Which parameter holds the keys of the rows that lost a reference, by its column."""
        return {each.name: place for place, each in enumerate((each for each in self._compared if each.nullable), 2)}

    @property
    def _binds(self) -> tuple[str, ...]:
        return ("rejected", *(f"nulled.{json.dumps(name, ensure_ascii=False)}" for name in self._nulled))

    def _whole(self, value: Sql, name: str) -> Sql:
        """A sum; none where rows that cannot be told apart were set aside, or lost the reference that is summed."""
        if not self._keyed:
            places = (1, self._nulled[name]) if name in self._nulled else (1,)
            none = join(" AND ", (Sql(f"cardinality(${place}::text[]) = 0") for place in places))
            value = Sql(f"CASE WHEN {none} THEN {value} END")
        return Sql(f"{value} AS {ident(name)}")


def _but(name: Sql, known: list[str]) -> list[Sql]:
    """A condition that leaves out what was so before."""
    return [Sql(f"{name} NOT IN ({join(', ', map(literal, known))})")] if known else []


def _names(text: str, name: str) -> bool:
    """A query can only read a table that it names."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None
