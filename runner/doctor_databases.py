"""What a project needs of its two databases: reachable, new enough, and open to the role that connects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
import yaml

from runner.connect import Address, Session, address, open_session, unreachable
from runner.errors import RunnerError, describe

OLDEST_SERVER = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `status` is ok, warn or fail; `advice` says what to do about the last two."""

    check: str
    status: str
    found: str
    advice: str = ""


def projects(chosen: Path | None, folder: Path) -> list[Path]:
    """The files that name the databases: of the chosen project, or of every one under specs/ and plans/.

    A plan wins over the specs of the same project: it is what will run. Raises click.UsageError.
    """
    if chosen is None:
        names = {path.parent.name for path in (*folder.glob("plans/*/plan.yaml"), *folder.glob("specs/*/project.yaml"))}
        return [found for name in sorted(names) if (found := _file(folder, Path(name)))]
    if (file := _file(folder, chosen)) is None:
        raise click.UsageError(f'no project "{chosen}": neither plan.yaml nor project.yaml is there')
    return [file]


def _file(folder: Path, project: Path) -> Path | None:
    """plan.yaml or project.yaml, of a folder or of a name."""
    places = (project, folder / "plans" / project, folder / "specs" / project)
    files = (place / name for place in places for name in ("plan.yaml", "project.yaml"))
    return next((file for file in files if file.is_file()), None)


def check_project(file: Path, env: Mapping[str, str]) -> Iterator[Finding]:
    """The databases of one project, and the variables that it requires."""
    name = file.parent.name
    try:
        project = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        sides = {side: (project[side]["env"], project[side].get("schema", "public")) for side in ("source", "target")}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        yield Finding(name, "fail", f"{file} names no source and target", "transhume lint says what is wrong with it")
        return
    requires = project.get("requires") or {}
    if missing := [variable for variable in requires.get("env") or () if variable not in env]:
        yield Finding(f"{name}: environment", "fail", f"not set: {', '.join(missing)}", "the plan requires them")
    if len(variables := {variable for variable, _ in sides.values()}) == 2 and len(variables & env.keys()) == 1:
        yield Finding(f"{name}: environment", "fail", "only one of two database URLs is set", "set both, or neither")
    for side, (variable, schema) in sides.items():
        yield from check_database(f"{name}: {side}", side, env.get(variable), variable, schema, requires)


def check_database(
    check: str, side: str, url: str | None, variable: str, schema: str, requires: Mapping[str, Any]
) -> list[Finding]:
    """One database. What is found never holds the URL itself, which may hold a password."""
    if not url:
        return [Finding(check, "ok", f"{variable} is not set: the embedded server stands in")]
    try:
        with contextlib.closing(_open(address(variable, url))) as session:
            problems = list(_problems(session, check, side, schema, requires))
            return problems or [Finding(check, "ok", _place(session))]
    except RunnerError as error:
        return [Finding(check, "fail", error.message, error.hint)]
    except psycopg.Error as error:
        return [Finding(check, "fail", describe(error), "the server answered, but not to the end")]


def _open(where: Address) -> Session:
    try:
        return open_session(where, "transhume doctor", {})
    except psycopg.Error as error:
        raise unreachable(where, error) from None


def _place(session: Session) -> str:
    """What a session leads to, without its password."""
    info = session.info
    version = info.server_version // 10000
    return f"PostgreSQL {version} at {info.host}:{info.port}, database {info.dbname}, role {info.user}"


def _problems(session: Session, check: str, side: str, schema: str, requires: Mapping[str, Any]) -> Iterator[Finding]:
    """What stands in the way on a database that answers."""
    version, wanted = session.info.server_version // 10000, int(requires.get("postgres") or OLDEST_SERVER)
    if version < wanted:
        yield Finding(check, "fail", f"PostgreSQL {version}", f"the plan needs PostgreSQL {wanted} or later")
    checks = READ if side == "source" else WRITE
    for query, found, status, advice in checks:
        names = [str(name) for (name,) in session.execute(query, {"schema": schema})]
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            yield Finding(check, status, found.format(names=shown, schema=schema), advice.format(schema=schema))
    if side == "target":
        yield from _extensions(session, check, requires.get("extensions") or ())


def _extensions(session: Session, check: str, wanted: tuple[str, ...]) -> Iterator[Finding]:
    available = {name for (name,) in session.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
    if missing := [name for name in wanted if name not in available]:
        yield Finding(check, "fail", f"extensions not available: {', '.join(missing)}", "install them on the server")


# Each query returns names; any name is a finding: (query, what was found, status, advice).
READ = (
    (
        """SELECT %(schema)s::text
           WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s)""",
        "there is no schema {names}",
        "fail",
        "does the URL lead to the right database?",
    ),
    (
        """SELECT nspname FROM pg_catalog.pg_namespace
           WHERE nspname = %(schema)s AND NOT pg_catalog.has_schema_privilege(oid, 'USAGE')""",
        "the role may not look into schema {names}",
        "fail",
        "GRANT USAGE ON SCHEMA {schema} TO the role",
    ),
    (
        """SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
             AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') ORDER BY 1""",
        "the role may not read {names}",
        "fail",
        "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO the role",
    ),
    (
        """SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = %(schema)s AND pg_catalog.row_security_active(c.oid) ORDER BY 1""",
        "policies may hide rows of {names}",
        "fail",
        "connect as the owner, or as a role with BYPASSRLS: rows that are not seen are not moved",
    ),
)
WRITE = (
    (
        "SELECT 'standby' WHERE pg_catalog.pg_is_in_recovery()",
        "it is a {names}, which takes no writes",
        "fail",
        "name the primary server",
    ),
    (
        """SELECT pg_catalog.current_database()
           WHERE NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')""",
        "the role may not create schemas in {names}",
        "fail",
        "GRANT CREATE ON DATABASE to the role: the journal has a schema of its own",
    ),
    (
        """SELECT nspname FROM pg_catalog.pg_namespace
           WHERE nspname = %(schema)s AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE')""",
        "the role may not create tables in schema {names}",
        "fail",
        "GRANT CREATE ON SCHEMA {schema} TO the role",
    ),
)
