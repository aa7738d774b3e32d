"""A migration as people write it for one evening: pages by key, executemany. `python -m bench.by_hand FROM TO`."""

from __future__ import annotations

import sys
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from bench.clinic import TABLES, mapped

PAGE = 5_000
Session = psycopg.Connection[tuple[Any, ...]]


def main(source: str, target: str) -> None:
    """Move every table from one database to the other."""
    set_json_loads(lambda data: data.decode() if isinstance(data, bytes) else data)  # as floats, 12.50 would be 12.5
    with psycopg.connect(source) as reader, psycopg.connect(target) as writer:
        for table in TABLES:
            move(reader, writer, table)


def move(reader: Session, writer: Session, table: str) -> None:
    """One table. The mapping is left to the server, which is faster at it than Python."""
    query = f"{mapped(table)} WHERE s.id > %s ORDER BY s.id LIMIT {PAGE}".encode()
    last = 0
    while page := (found := reader.execute(query, (last,))).fetchall():
        columns = [column.name for column in found.description or ()]
        values = ", ".join(["%s"] * len(columns))
        writer.cursor().executemany(f"INSERT INTO app.{table} ({', '.join(columns)}) VALUES ({values})".encode(), page)
        writer.commit()
        last = page[-1][columns.index("legacy_id")]


if __name__ == "__main__":
    main(*sys.argv[1:])
