"""How many rows a relation has, roughly: from the server's statistics, and from a sample where it has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

# Of a table that was never analysed, this many pages are counted: 0.5 MB, all of a small table.
SAMPLED_PAGES = 64
# Where not even that is allowed: rows of some 100 bytes.
ROWS_PER_PAGE = 80


def round_rows(n: float) -> int:
    """`n` with one significant digit, halves up: 64,999 is 60,000 and 65,000 is 70,000. Nothing is less than 0."""
    whole = max(0, round(n))
    unit = int(10 ** (len(str(whole)) - 1))
    return (whole + unit // 2) // unit * unit


def estimate_rows(cursor: psycopg.Cursor[dict[str, Any]], sizes: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Rounded rows by relation, with all its children.

    `sizes` are rows of the query of that name: a relation and one table of its tree (itself, for most) each. A relation
    is left out when one of its tables is foreign and was never analysed: nothing is known then.
    """
    tables = {size["member"]: size for size in sizes}
    sampled = _sample(cursor, [table for table in tables.values() if _unknown(table) and table["readable"]])
    rows = {member: sampled.get(member, _statistics(table)) for member, table in tables.items()}
    totals: dict[int, float] = defaultdict(float)
    for size in sizes:
        totals[size["relation"]] += rows[size["member"]]
    return {relation: round_rows(total) for relation, total in totals.items() if total >= 0}


def _unknown(table: Mapping[str, Any]) -> bool:
    """Whether the server's statistics say nothing of the pages that are there now."""
    never = table["analysed_rows"] < 0 or table["analysed_pages"] == 0
    return never and table["pages"] > 0 and not table["foreign_table"]


def _statistics(table: Mapping[str, Any]) -> float:
    """As the planner does it: the density at the last ANALYZE or VACUUM, times the pages of today."""
    if table["foreign_table"]:
        return table["analysed_rows"] if table["analysed_rows"] >= 0 else float("-inf")
    if table["analysed_rows"] < 0 or table["analysed_pages"] == 0:
        return float(table["pages"] * ROWS_PER_PAGE)
    return float(table["analysed_rows"] / table["analysed_pages"] * table["pages"])


def _sample(cursor: psycopg.Cursor[dict[str, Any]], tables: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """Rows by table, from up to SAMPLED_PAGES pages of each; the same pages every time."""
    counts = [_count(table) for table in tables]
    if not counts:
        return {}
    query = sql.SQL(" UNION ALL ").join(counts)
    return {row["member"]: row["rows"] for row in cursor.execute(query)}


def _count(table: Mapping[str, Any]) -> sql.Composed:
    share = min(1.0, SAMPLED_PAGES / table["pages"])
    sample = sql.SQL("" if share == 1 else " TABLESAMPLE SYSTEM ({}) REPEATABLE (0)").format(sql.Literal(100 * share))
    return sql.SQL("SELECT {}::bigint AS member, count(*) / {}::float8 AS rows FROM ONLY {}{}").format(
        sql.Literal(table["member"]),
        sql.Literal(share),
        sql.Identifier(table["schema"], table["name"]),
        sample,
    )
