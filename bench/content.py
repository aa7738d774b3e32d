"""What is in a database after a run: so that nobody is fast because of leaving something out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.clinic import Clinic

COLUMNS = """SELECT a.attname FROM pg_attribute AS a
             WHERE a.attrelid = to_regclass('{table}') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1"""
OBJECTS = """SELECT 'index ' || indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'app'
             UNION ALL SELECT 'key ' || pg_get_constraintdef(oid) || ' on ' || conrelid::regclass::text
             FROM pg_constraint WHERE connamespace = to_regnamespace('app') AND contype IN ('f', 'p', 'u') ORDER BY 1"""

Content = Mapping[str, object]


def mapped(clinic: Clinic, database: str) -> Content:
    """Of each target table its rows and a sum of hashes a column; and all indexes and keys."""
    found: dict[str, object] = {}
    for table in clinic.rows:
        columns = [str(name) for (name,) in clinic.site.execute(database, COLUMNS.format(table=f"app.{table}"))]
        sums = ", ".join(f'sum(hashtextextended("{name}"::text, 0))' for name in columns)
        (row,) = clinic.site.execute(database, f"SELECT count(*), {sums} FROM app.{table}")
        found |= {f"{table}.{name}": value for name, value in zip(("rows", *columns), row, strict=True)}
    return found | {"objects": clinic.site.execute(database, OBJECTS)}


def copied(clinic: Clinic, database: str, tables: tuple[str, ...]) -> Content:
    """The rows of the source's own tables, where nothing was mapped."""
    return {table: clinic.site.execute(database, f"SELECT count(*) FROM public.{table}")[0][0] for table in tables}


def differences(expected: Content, found: Content) -> Iterator[str]:
    """What is not the same, one line each."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            yield f"{name}: {found.get(name)} in place of {expected.get(name)}"
