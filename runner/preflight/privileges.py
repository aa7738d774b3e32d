"""What the role may do, and what hides rows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.connect import Session
from runner.preflight.found import Found, split_name, split_names


def check_source(session: Session, schema: str, names: Sequence[str]) -> Iterator[Found]:
    """Schemas that are not there (`schema` where no relation is named), relations that cannot be read, or not whole."""
    schemas = sorted({split_name(name)[0] for name in names}) or [schema]
    for (missing,) in session.execute(MISSING, (schemas,)):
        yield Found("source", f"the source has no schema {missing}", "does the URL lead to the right database?")
    for what, advice in session.execute(READABLE, split_names(names)):
        yield Found("source", what, advice)


def check_target(session: Session, schemas: Sequence[str], names: Sequence[str]) -> Iterator[Found]:
    """What the role may not do in the target: its schemas, and the relations that are there and are to be filled."""
    for query, values in ((DATABASE, {"schemas": list(schemas)}), (WRITABLE, split_names(names))):
        for what, advice in session.execute(query, values):
            yield Found("target", what, advice)


MISSING = """
    SELECT wanted.name FROM unnest(%s::text[]) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = wanted.name)"""

DATABASE = """
    SELECT 'the role may not create schemas in the target', 'GRANT CREATE ON DATABASE ' || current_database()
    WHERE EXISTS (SELECT FROM unnest(ARRAY['transhume'] || %(schemas)s::text[]) AS wanted (name)
                  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = wanted.name))
      AND NOT pg_catalog.has_database_privilege(current_database(), 'CREATE')
    UNION ALL
    SELECT 'the role may not create temporary tables in the target',
           'GRANT TEMPORARY ON DATABASE ' || current_database()
    WHERE NOT pg_catalog.has_database_privilege(current_database(), 'TEMPORARY')
    UNION ALL
    (SELECT 'the role may not create tables in the schema ' || nspname, 'GRANT CREATE, USAGE ON SCHEMA ' || nspname
     FROM pg_catalog.pg_namespace
     WHERE (nspname = ANY (%(schemas)s) OR nspname = 'transhume')
       AND NOT (pg_catalog.has_schema_privilege(oid, 'CREATE') AND pg_catalog.has_schema_privilege(oid, 'USAGE'))
     ORDER BY nspname)
    UNION ALL
    SELECT 'the schema transhume in the target is somebody else''s',
           'the journal needs that name: rename the other schema'
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname = 'transhume'
      AND (EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid)
           OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid))
      AND 2 > (SELECT count(*) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
               WHERE c.relnamespace = n.oid
                 AND (c.relname, a.attname) IN (('journal', 'format'), ('event', 'hash')))"""

_GIVEN = """
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN unnest(%(names)s::text[], %(schemas)s::text[], %(relations)s::text[]) AS g (name, nspname, relname)
      ON g.nspname = n.nspname AND g.relname = c.relname"""

_HIDDEN = f"""
    SELECT 'policies hide rows of ' || g.name || ' from the role', 'use its owner, or BYPASSRLS'
    {_GIVEN}
    WHERE pg_catalog.row_security_active(c.oid)"""

READABLE = f"""
    SELECT 'the role may not read ' || g.name, 'GRANT SELECT, and USAGE on its schema'
    {_GIVEN}
    WHERE NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
    UNION ALL
    {_HIDDEN}"""

WRITABLE = f"""
    SELECT 'the role does not own ' || g.name || ', whose indexes are built after the load',
           'its owner can apply the plan'
    {_GIVEN}
    WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT 'the role does not own ' || f.conrelid::pg_catalog.regclass || ', whose foreign key to ' || g.name
           || ' is built after the load', 'its owner can apply the plan'
    {_GIVEN}
    JOIN pg_catalog.pg_constraint AS f ON f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid
    JOIN pg_catalog.pg_class AS r ON r.oid = f.conrelid
    WHERE NOT pg_catalog.pg_has_role(r.relowner, 'USAGE')
      AND NOT EXISTS (SELECT FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS o (nspname, relname)
                      WHERE o.relname = r.relname AND o.nspname = r.relnamespace::pg_catalog.regnamespace::text)
    UNION ALL
    {_HIDDEN}"""
