"""The sequences that number a target table's columns."""

from dataclasses import dataclass

from compiler.bound import BoundTable
from compiler.layout import relation_sql
from compiler.sql import Sql, ident, literal


@dataclass(frozen=True, slots=True)
class Sequence:
    """The sequence of the column `name`; `regclass` is an expression that finds it, `column` the column as SQL."""

    name: str
    column: Sql
    regclass: Sql


def sequences(table: BoundTable) -> tuple[Sequence, ...]:
    """Those of an existing table by name; those of created identity columns as the server named them."""
    found = [
        Sequence(name, ident(name), Sql(f"{literal(relation_sql(sequence))}::regclass"))
        for name, sequence in table.sequences
    ]
    named = {name for name, _ in table.sequences}
    for column in table.columns:
        if column.identity and table.create and column.name not in named:
            arguments = f"{literal(relation_sql(table.target))}, {literal(column.name)}"
            regclass = Sql(f"pg_get_serial_sequence({arguments})::regclass")
            found.append(Sequence(column.name, ident(column.name), regclass))
    return tuple(found)
