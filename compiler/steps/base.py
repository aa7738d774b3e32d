"""What the steps about one table have in common."""

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTable
from compiler.diagnostics import Span
from compiler.layout import Layout, relation_sql
from compiler.plan import Lock, Section
from compiler.sql import Sql


@dataclass(frozen=True)
class TableStep:
    """A step about `table`; `layout` knows the others. What a kind does not say of itself, it does not do or need."""

    table: BoundTable
    layout: Layout

    @property
    def name(self) -> str:
        return self.table.id

    @property
    def about(self) -> str:
        return self.table.about

    @property
    def table_id(self) -> str:
        return self.table.id

    @property
    def span(self) -> Span:
        return self.table.span

    @property
    def target(self) -> Sql:
        """The target table, as SQL."""
        return relation_sql(self.table.target)

    @property
    def is_old(self) -> bool:
        """The table was there before the plan."""
        return not self.table.create

    def lock(self, level: str, statement: str) -> Lock:
        """A lock on the target table."""
        return Lock(level, str(self.table.target), statement, self.is_old)

    def source_lock(self) -> Iterator[Lock]:
        """What reading the source takes; the relations that a query reads are not listed."""
        if self.table.source is not None:
            where = "" if self.layout.one_database else " in the source"
            yield Lock("ACCESS SHARE", f"{self.table.source}{where}", "SELECT", old=True)

    def locks(self) -> Iterator[Lock]:
        yield from ()

    def risks(self) -> Iterator[str]:
        yield from ()

    def verify(self) -> Iterator[Section]:
        yield from ()

    def revert(self) -> Iterator[Section]:
        yield from ()
