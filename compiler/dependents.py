"""What uses a column, by the query that the runner's snapshot asks too: as a catalog keeps it, and as SQL for a plan.

The query (templates/analyse/dependents.sql.j2, the same bytes as runner/dependents.sql) gives rows of

    column     text     one of the columns asked for
    effect     text     refuses   the server refuses to drop the column while it is there
                        rebuilt   built on something that refuses: dropped and made again with it
                        vanishes  dropped with the column, without a word
                        breaks    stays, names the column in its text (HIGH), and fails when it next runs
                        changes   stays, and changes its shape or its meaning: whole rows, row types
                        perhaps   names a column so called, of another table for all that is known (LOW)
                        lost      the column's own: default, comment, grants ...
                        forbids   the server never drops the column here: inherited, partition key, typed table
    dependent  text     "view app.active_users", "trigger touch on app.users", "function app.f(integer)"; of lost and
                        forbids: what it is. Names as catalogs write them
    level      integer  of refuses and rebuilt: what has the greatest is dropped first, and made again last; else 0
    digest     text     16 hexadecimal digits of its definition; NULL where it has none
    detail     text     for people
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.names import Name
from compiler.render import render
from compiler.sql import Sql, join, literal, typed

BY_NUMBER = {"schema": Sql("$1::text"), "relation": Sql("$2::text"), "columns": Sql("$3::text[]")}


def dependents_query(relation: Name, columns: Sequence[str]) -> Sql:
    """The query for these columns of a relation: it stands in a FROM, in parentheses, or by itself."""
    cols = Sql(f"ARRAY[{join(', ', map(literal, columns))}]::text[]")
    return render(
        "analyse/dependents", schema=typed(relation.schema, "text"), relation=typed(relation.name, "text"), columns=cols
    )


def dependents_body() -> Sql:
    """The query over $1 (schema), $2 (relation) and $3 (columns): the body of a function (text, text, text[])."""
    return render("analyse/dependents", **BY_NUMBER)
