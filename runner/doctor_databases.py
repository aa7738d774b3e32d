"""What a project needs of its two databases: reachable, new enough, and open to the role that connects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click
import psycopg
import yaml

from runner import runs
from runner.connect import Address, Session, address, open_session, unreachable
from runner.databases import SIDES
from runner.errors import RunnerError, describe
from runner.manifest import NAME, Database, Limits, Plan, Relation, Requires, read_plan
from runner.preflight import Preflight
from runner.preflight.found import Found
from runner.preflight.servers import check_environment
from runner.sections import Side
from runner.snapshot import qualified

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
    """The databases of one project: what the preflight of its plan finds, or of its specs, as far as those can say."""
    name = file.parent.name
    try:
        plan = read_plan(file.parent) if file.name == NAME else _unplanned(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        yield Finding(name, "fail", f"{file} names no source and target", "transhume lint says what is wrong with it")
        return
    except RunnerError as error:
        yield Finding(name, "fail", error.message, error.hint)
        return
    variables: Mapping[Side, str] = {"source": plan.source.env, "target": plan.target.env}
    if len(set(variables.values())) == 2 and len(set(variables.values()) & env.keys()) == 1:
        yield Finding(f"{name}: environment", "fail", "only one of two database URLs is set", "set both, or neither")
    for found in check_environment(plan.requires, env):
        yield Finding(f"{name}: environment", "fail", found.what, "the plan requires it")
    with contextlib.ExitStack() as stack:
        sessions: dict[Side, Session] = {}
        for side, variable in variables.items():
            if finding := _reach(stack, sessions, f"{name}: {side}", side, variable, env.get(variable)):
                yield finding
        try:
            yield from _preflight(name, plan, sessions, env)
        except RunnerError as error:
            yield Finding(name, "fail", error.message, error.hint)
        except psycopg.Error as error:
            yield Finding(name, "fail", describe(error), "a server answered, but not to the end")


def _unplanned(file: Path) -> Plan:
    """What project.yaml says of the databases, as a plan without tables."""
    project = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    source, target = (Database(project[side]["env"], project[side].get("schema", "public")) for side in SIDES)
    requires = project.get("requires") or {}
    return Plan(
        file.parent, "", str(project.get("project", file.parent.name)), "", "", 1 if source.env == target.env else 2,
        source, target, Limits(),
        Requires(
            int(requires.get("postgres") or OLDEST_SERVER), tuple(requires.get("extensions") or ()),
            tuple(requires.get("env") or ()),
        ), (), (), (),
    )  # fmt: skip


def _reach(
    stack: contextlib.ExitStack, sessions: dict[Side, Session], check: str, side: Side, variable: str, url: str | None
) -> Finding | None:
    """Open a session on one side; what is found never holds the URL itself, which may hold a password."""
    if not url:
        return Finding(check, "ok", f"{variable} is not set: the embedded server stands in")
    try:
        sessions[side] = stack.enter_context(contextlib.closing(_open(address(variable, url))))
    except RunnerError as error:
        return Finding(check, "fail", error.message, error.hint)
    return None


def _preflight(name: str, plan: Plan, sessions: Mapping[Side, Session], env: Mapping[str, str]) -> Iterator[Finding]:
    """What the preflight finds on the sides that answer; a side where it finds nothing is well."""
    found: list[Found] = []
    if "source" in sessions and not plan.relations:
        plan = replace(plan, relations=tuple(_every_table(sessions["source"], plan.source.schema)))
    if len(sessions) == 2:
        fresh = (run := runs.latest(sessions["target"], plan)) is None or run.state == "rolled back"
        found += Preflight(plan, sessions["source"], sessions["target"], fresh).findings(env)
    for side in sessions if len(sessions) == 1 else ():
        found += Preflight(plan, sessions[side], sessions[side], fresh=False).alone(side)
    for side, session in sessions.items():
        here = [one for one in dict.fromkeys(found) if one.side == side]
        if not any(one.refuses for one in here):
            yield Finding(f"{name}: {side}", "ok", _place(session))
        for one in here:
            yield Finding(f"{name}: {side}", "fail" if one.refuses else "warn", one.what, one.advice)


def _every_table(session: Session, schema: str) -> Iterator[Relation]:
    """Whatever the source's schema holds: which of it the plan will read, nobody knows yet."""
    query = """SELECT c.relname
               FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY 1"""
    for (name,) in session.execute(query, (schema,)):
        yield Relation("source", qualified(schema, name), "")


def _open(where: Address) -> Session:
    try:
        return open_session(where, "transhume doctor", {"default_transaction_read_only": "on"})
    except psycopg.Error as error:
        raise unreachable(where, error) from None


def _place(session: Session) -> str:
    """What a session leads to, without its password."""
    info = session.info
    version = info.server_version // 10000
    return f"PostgreSQL {version} at {info.host}:{info.port}, database {info.dbname}, role {info.user}"
