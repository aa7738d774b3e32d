"""What must be true before anything runs: asked of both databases at once, and refused with every reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.connect import Session
from runner.errors import Refused
from runner.journal import identity, scalar
from runner.manifest import Plan
from runner.sections import Side
from runner.snapshot import fingerprint, read_catalog

HINT = "nothing was changed"


@dataclass(frozen=True, slots=True)
class Preflight:
    """Looks before a run starts or goes on. `fresh`: nothing was done yet, so the target is as it was reviewed."""

    plan: Plan
    source: Session
    target: Session
    fresh: bool

    def check(self, env: Mapping[str, str] = os.environ) -> None:
        """Raise Refused with everything that is wrong; privileges first, because without them nothing can be read."""
        for found in (self._servers(env), self._privileges(), self._changes()):
            if problems := tuple(found):
                raise Refused(f"project {self.plan.project} cannot be applied here", HINT, notes=problems)

    def _servers(self, env: Mapping[str, str]) -> Iterator[str]:
        for side, session in (("source", self.source), ("target", self.target)):
            version = session.info.server_version // 10000
            if version < self.plan.requires.postgres:
                yield f"the {side} is PostgreSQL {version}, the plan needs {self.plan.requires.postgres}"
        if scalar(self.target, "SELECT pg_catalog.pg_is_in_recovery()"):
            yield "the target is a standby, which takes no writes"
        if self.plan.databases == 2 and identity(self.source) == identity(self.target):
            yield f"{self.plan.source.env} and {self.plan.target.env} lead to the same database"
        available = _names(self.target, "SELECT name FROM pg_catalog.pg_available_extensions")
        for name in sorted(set(self.plan.requires.extensions) - available):
            yield f"the target's server does not have the extension {name}"
        yield from (f"the environment variable {name} is not set" for name in self.plan.requires.env if name not in env)

    def _privileges(self) -> Iterator[str]:
        for (line,) in self.target.execute(TARGET_DATABASE, {"schema": self.plan.target.schema}):
            yield str(line)
        for side, query in (("source", READABLE), ("target", WRITABLE)):
            names = self._relations("source" if side == "source" else "target")
            schemas, relations = zip(*map(split_name, names), strict=True) if names else ((), ())
            session = self.source if side == "source" else self.target
            for (line,) in session.execute(query, {"schemas": list(schemas), "relations": list(relations)}):
                yield str(line)

    def _relations(self, side: Side) -> list[str]:
        """Relations to be read in the source, or to be filled in the target, that were there when it was reviewed."""
        names = [relation.relation for relation in self.plan.relations if relation.database == side]
        targets = {table.target for table in self.plan.tables}
        return [name for name in names if side == "source" or name in targets]

    def _changes(self) -> Iterator[str]:
        yield from self._changed("source", self.source)
        if self.fresh:
            yield from self._changed("target", self.target)

    def _changed(self, side: Side, session: Session) -> Iterator[str]:
        """The relations that are not what the plan was reviewed against."""
        reviewed = [relation for relation in self.plan.relations if relation.database == side]
        if not reviewed:
            return
        schemas = sorted({split_name(relation.relation)[0] for relation in reviewed})
        catalog = read_catalog(session, side, schemas)
        again = f"`transhume snapshot {self.plan.project}` writes down how, then plan again"
        for relation in reviewed:
            if relation.relation not in catalog["relations"]:
                yield f"{relation.relation} is not in the {side} any more"
            elif fingerprint(relation.relation, catalog) != relation.fingerprint:
                yield f"{relation.relation} in the {side} was changed since the plan was reviewed: {again}"


def split_name(name: str) -> Sequence[str]:
    """`schema.name` as two names; a part with a dot or a quote in it is in double quotes."""
    parts = re.findall(r'"((?:[^"]|"")*)"|([^".]+)', name)
    return [quoted.replace('""', '"') or plain for quoted, plain in parts]


def _names(session: Session, query: str) -> set[str]:
    return {str(name) for (name,) in session.execute(query.encode())}


TARGET_DATABASE = """
    SELECT 'the role may not create schemas in the target: GRANT CREATE ON DATABASE ' || current_database()
    WHERE pg_catalog.to_regnamespace('transhume') IS NULL
      AND NOT pg_catalog.has_database_privilege(current_database(), 'CREATE')
    UNION ALL
    SELECT 'the role may not create tables in the schema transhume: GRANT CREATE, USAGE ON SCHEMA transhume'
    FROM pg_catalog.pg_namespace
    WHERE nspname = 'transhume' AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE, USAGE')
    UNION ALL
    SELECT 'the role may not create temporary tables in the target: GRANT TEMPORARY ON DATABASE ' || current_database()
    WHERE NOT pg_catalog.has_database_privilege(current_database(), 'TEMPORARY')
    UNION ALL
    SELECT 'the role may not create tables in the schema ' || nspname || ': GRANT CREATE, USAGE ON SCHEMA ' || nspname
    FROM pg_catalog.pg_namespace
    WHERE nspname = %(schema)s AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE, USAGE')"""

_GIVEN = """
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN unnest(%(schemas)s::text[], %(relations)s::text[]) AS g(nspname, relname)
      ON g.nspname = n.nspname AND g.relname = c.relname"""

READABLE = f"""
    SELECT 'the role may not read ' || n.nspname || '.' || c.relname || ': GRANT SELECT, and USAGE on its schema'
    {_GIVEN}
    WHERE NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
    UNION ALL
    SELECT 'policies hide rows of ' || n.nspname || '.' || c.relname || ' from the role: use its owner, or BYPASSRLS'
    {_GIVEN}
    WHERE pg_catalog.row_security_active(c.oid)"""

WRITABLE = f"""
    SELECT 'the role does not own ' || n.nspname || '.' || c.relname || ', whose indexes are built after the load'
    {_GIVEN}
    WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT 'policies hide rows of ' || n.nspname || '.' || c.relname || ' from the role: use its owner, or BYPASSRLS'
    {_GIVEN}
    WHERE pg_catalog.row_security_active(c.oid)"""
