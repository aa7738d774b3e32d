"""A live database -> its catalog, as docs/catalog.md has it: the same for the same database, whoever connects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from runner.catalog_entries import FOLDS, Entry, Row, qualified, relation_entries, type_entry
from runner.catalog_file import catalog_text, fingerprint, used_types, write_catalog
from runner.row_estimates import estimate_rows, round_rows

__all__ = ["catalog_text", "fingerprint", "qualified", "read_catalog", "round_rows", "write_catalog"]

Ask = Callable[..., list[Row]]

# what the text of expressions depends on, and jit, which would take longer than any of these queries
SETTINGS = {
    "search_path": "",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "row_security": "off",
    "jit": "off",
}


def read_catalog(
    conn: psycopg.Connection[Any], database: Literal["source", "target"], schemas: Sequence[str] | None = None
) -> dict[str, Any]:
    """What `schemas` hold (None: all of them), read in one read-only transaction. Raises psycopg.Error.

    No table is read, but for a sample of those that were never analysed. A schema that does not exist is left out of
    the catalog's `schemas`. A transaction that is open already is used as it is.
    """
    idle = conn.info.transaction_status == TransactionStatus.IDLE
    with conn.transaction(), psycopg.RawCursor(conn, row_factory=dict_row) as cursor:
        if idle:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for setting in SETTINGS.items():
            cursor.execute("SELECT set_config($1, $2, true)", setting)

        def ask(query: str, *params: object) -> list[Row]:
            return cursor.execute(_queries()[query], params).fetchall()

        return _catalog(ask, cursor, database, schemas)


def _catalog(ask: Ask, cursor: psycopg.RawCursor[Row], database: str, schemas: Sequence[str] | None) -> dict[str, Any]:
    found = sorted(row["name"] for row in ask("schemas", list(schemas) if schemas is not None else None))
    relations = _relations(ask, cursor, found)
    return {
        "format": 1,
        "database": database,
        **ask("database")[0],
        "schemas": found,
        "extensions": dict(sorted((row["name"], row["schema"]) for row in ask("extensions"))),
        "types": _types(ask("types"), found, relations.values()),
        "relations": relations,
    }


def _relations(ask: Ask, cursor: psycopg.RawCursor[Row], schemas: list[str]) -> dict[str, Entry]:
    rows = ask("relations", schemas)
    oids = [row["relation"] for row in rows]
    sizes = estimate_rows(cursor, ask("sizes", oids))
    parts = [fold(ask(query, oids)) for query, fold in FOLDS.items()]
    return relation_entries(rows, sizes, parts)


def _types(rows: list[Row], schemas: list[str], relations: Iterable[Entry]) -> dict[str, Entry]:
    """The types of the schemas that are read, and those of other schemas that they or a column use."""
    every = {row["name"]: type_entry(row) for row in rows}
    names = [row["name"] for row in rows if row["schema"] in schemas]
    names += [column["type"] for relation in relations for column in relation.get("columns", {}).values()]
    return dict(sorted(used_types(names, every).items()))


@cache
def _queries() -> dict[str, str]:
    """The queries of snapshot.sql by name."""
    text = (files("runner") / "snapshot.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- query: (\w+).*\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))
