"""What a removal's plan says of locks is what the server takes: each step's strongest, on each table and view."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.connect import Session
from runner.execute import Result, Values, execute
from runner.sections import Section
from runner.steps import keyed, sectioned
from tests.conftest import Databases
from tests.pg.removing import removing
from tests.pg.rich import FILES, SPEC, schema

LEVELS = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)  # fmt: skip
NAMES = """SELECT c.oid::bigint, n.nspname || '.' || c.relname
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'app' AND c.relkind IN ('r', 'p', 'v', 'm')"""
HELD = "SELECT relation::bigint, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL"
SAID = re.compile(r"-- locks  (?P<level>[A-Z ]+) on (?P<on>[\w., ]+?)(?P<each> and each of its partitions)? \(")


def strongest(found: dict[str, str], relation: str, level: str) -> None:
    """Keep the strongest of a relation's locks."""
    if LEVELS.index(level) > LEVELS.index(found.get(relation, LEVELS[0])):
        found[relation] = level


def level_of(mode: str) -> str:
    """`AccessShareLock` -> `ACCESS SHARE`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def said(header: str) -> Mapping[str, str]:
    """The locks that a step's header names on the application's relations."""
    found: dict[str, str] = {}
    for match in SAID.finditer(header.replace("\n--        ", " ")):
        for relation in match["on"].split(", "):
            if relation.startswith("app."):
                strongest(found, relation, match["level"])
    return found


@pytest.mark.both_servers
def test_each_step_takes_the_locks_that_it_says(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each transaction of each step the server holds what the header says, nothing else, and one table at most."""
    removal = removing(databases, tmp_path, schema(50), SPEC, FILES)
    held: dict[str, dict[str, str]] = {}
    crowds: list[tuple[str, list[str]]] = []
    known: dict[int, str] = {}

    def looked(session: Session, section: Section, values: Values | None = None) -> Result:
        known.update(session.execute(NAMES).fetchall())  # what is dropped has no name any more
        result = execute(session, section, values)
        known.update(session.execute(NAMES).fetchall())
        rows: list[tuple[Any, ...]] = session.execute(HELD).fetchall()
        locks = [(known[oid], level_of(mode)) for oid, mode in rows if oid in known]
        place = "/".join(Path(section.file).parts[-3:])
        for name, level in locks:
            strongest(held.setdefault(place, {}), name, level)
        exclusive = sorted({name for name, level in locks if level == "ACCESS EXCLUSIVE"})
        crowds.append((f"{place} {section.title}", exclusive))
        return result

    monkeypatch.setattr(sectioned, "execute", looked)
    monkeypatch.setattr(keyed, "execute", looked)
    for phase in (1, 2, 3):
        removal.apply(phase)
    removal.restore()

    for where, locks in held.items():
        folder, kind, name = where.split("/")
        header = said((removal.folder / folder / kind / name).read_text().partition("\n\n")[0])
        strong = {on: level for on, level in locks.items() if level not in ("ACCESS SHARE", "ROW SHARE")}
        assert strong == {on: level for on, level in header.items() if level not in ("ACCESS SHARE", "ROW SHARE")}, (
            where
        )
    tables = {"app.users", "app.plans"}
    crowded = [(place, names) for place, names in crowds if len(tables & set(names)) > 1]
    assert crowded == [('3-drop/unlink/users.sql build of "users_plan"', ["app.plans", "app.users"])]  # its two tables
