"""Two servers and what lies between them: versions, free connections, encodings, collations, time zones, ages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runner.connect import Session
from runner.manifest import Plan, Requires
from runner.preflight.facts import Facts
from runner.preflight.found import Found, listed
from runner.sections import Side

ZONE = re.compile(r"AT TIME ZONE '((?:[^']|'')+)'")
UTC = {"utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct"}  # what servers have that nobody gave a zone
FAILSAFE = 1.05  # the server takes no failsafe age nearer to the age at which it freezes anyway
LATE = 2  # times the age at which autovacuum freezes: it does not keep up


def check_server(side: Side, facts: Facts, requires: Requires) -> Iterator[Found]:
    """One server by itself."""
    if facts.version < requires.postgres:
        yield Found(side, f"the {side} is PostgreSQL {facts.version}, the plan needs {requires.postgres}")
    if facts.standby and side == "target":
        yield Found(side, "the target is a standby, which takes no writes")
    elif facts.standby and facts.settings.get("hot_standby_feedback") == "off":
        advice = "hot_standby_feedback = on spares the run from reading again"
        yield Found(side, "the source is a standby, which cancels reads that replay conflicts with", advice, False)
    yield from _wraparound(side, facts)
    there, then = facts.collation_version, facts.database.get("datcollversion")
    if there and then and there != then:
        advice = "REINDEX what orders texts, then ALTER DATABASE ... REFRESH COLLATION VERSION"
        what = f"the {side}'s collation {facts.locale} is of version {there}, its indexes were built under {then}"
        yield Found(side, what, advice, False)


def _wraparound(side: Side, facts: Facts) -> Iterator[Found]:
    """Whether transaction numbers run out: a load takes one a chunk, and its snapshot holds vacuum back."""
    ages = (
        ("transaction", facts.age, "autovacuum_freeze_max_age", "vacuum_failsafe_age"),
        ("multixact", facts.multixact_age, "autovacuum_multixact_freeze_max_age", "vacuum_multixact_failsafe_age"),
    )
    for name, age, freeze, failsafe in ages:
        usual = facts.number(freeze)
        refuses = age > max(facts.number(failsafe), FAILSAFE * usual)
        if refuses or age > LATE * usual:
            what = f"the oldest unfrozen {name} of the {side} is {age:,} {name}s old"
            advice = (
                "VACUUM FREEZE the database first"
                if refuses
                else "autovacuum does not keep up: look for what holds it back"
            )
            yield Found(side, what, advice, refuses)


def check_environment(requires: Requires, env: Mapping[str, str]) -> Iterator[Found]:
    """The environment variables that the plan needs."""
    for name in requires.env:
        if name not in env:
            yield Found("target", f"the environment variable {name} is not set")


def check_extensions(session: Session, requires: Requires) -> Iterator[Found]:
    """The extensions that the plan needs: on the server, and open to the role where they are not installed yet."""
    if not requires.extensions:
        return
    rows = session.execute(EXTENSIONS, {"names": list(requires.extensions)})
    found: dict[str, bool] = dict(rows.fetchall())
    for name in sorted(requires.extensions):
        if name not in found:
            yield Found("target", f"the target's server does not have the extension {name}")
        elif not found[name]:
            yield Found("target", f"the role may not create the extension {name}", "let a superuser create it")


def check_connections(facts: dict[Side, Facts], connections: int, shared: bool, one: bool) -> Iterator[Found]:
    """Whether a run may open so many sessions a side. `shared`: one server has both sides, `one`: one database."""
    same_role = shared and facts["source"].role == facts["target"].role
    for side, one_side in facts.items():
        doubled = {"server": shared, "role": same_role, "database": one}
        for kind, limit, free in _limits(one_side):
            need = connections * (2 if doubled[kind] else 1)
            told = doubled[kind] and side == "source"  # what both sides share is told once, of the target
            if free < need and not told:
                yield Found(
                    side, f"the {side} has {max(0, free)} free connections ({limit}), the run opens up to {need}",
                    "--connections lowers that",
                )  # fmt: skip


def _limits(facts: Facts) -> list[tuple[str, str, int]]:
    """Each limit that holds for the role: its kind, how it reads, how many sessions are left."""
    server, role, database = facts.used
    most = facts.number("max_connections")
    kept = 0 if facts.superuser else facts.number("superuser_reserved_connections")
    kept += 0 if facts.superuser or facts.reserved else facts.number("reserved_connections")
    limits = [("server", f"max_connections {most}, {kept} of them reserved", most - kept - server)]
    if facts.superuser:  # for whom the server looks at no other limit
        return limits
    if facts.role_limit >= 0:
        limits.append(("role", f"limit of the role {facts.role}: {facts.role_limit}", facts.role_limit - role))
    if (most := facts.database["datconnlimit"]) >= 0:
        limits.append(("database", f"limit of the database {facts.database['datname']}: {most}", most - database))
    return limits


def check_between(plan: Plan, source: Facts, target: Facts) -> Iterator[Found]:
    """Where the two sides differ in what texts and times mean. None of it refuses: what cannot move is set aside."""
    if source.encoding == "SQL_ASCII" != target.encoding:
        what = "the source's encoding is SQL_ASCII, which lets any byte in"
        yield Found("source", what, "rows with texts that are not UTF-8 are set aside", False)
    elif source.encoding != target.encoding:
        what = f"the source's encoding is {source.encoding}, the target's {target.encoding}"
        yield Found("target", what, "rows with characters that it lacks are set aside", False)
    if source.locale != target.locale:
        what = f"texts are ordered by {source.locale} in the source, by {target.locale} in the target"
        yield Found("target", what, "what is unique, or sorted, may differ", False)
    zones = _zones(plan)
    default = source.time_zone
    if zones and default.lower() not in {zone.lower() for zone in zones} | UTC:
        what = f"the plan takes times without a time zone as {listed(sorted(zones))}, the source's default is {default}"
        yield Found("source", what, "`time_zone:` in the spec says in which zone they were written", False)


def _zones(plan: Plan) -> set[str]:
    """The zones in which the loads read times that carry none."""
    sections = (section for step in plan.load.values() for section in plan.open(step).sections)
    return {zone.replace("''", "'") for section in sections for zone in ZONE.findall(section.text)}


EXTENSIONS = """
    SELECT e.name, e.installed_version IS NOT NULL OR NOT v.superuser OR v.trusted
           OR (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
    FROM pg_catalog.pg_available_extensions AS e
    JOIN pg_catalog.pg_available_extension_versions AS v ON v.name = e.name AND v.version = e.default_version
    WHERE e.name = ANY (%(names)s)"""
