"""The locks that each step of a removal holds, beside those that its header says."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.connect import Session
from runner.execute import Result, Values, execute
from runner.sections import Section
from runner.steps import keyed, sectioned

LEVELS = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)  # fmt: skip
NAMES = """SELECT c.oid::bigint, n.nspname || '.' || c.relname
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
           WHERE n.nspname = 'app' AND c.relkind IN ('r', 'p', 'v', 'm')"""
HELD = "SELECT relation::bigint, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation IS NOT NULL"
SAID = re.compile(
    r"-- locks  (?P<level>[A-Z ]+) on (?P<on>[\w., ]+?)(?P<each> and each of its \w+)? \((?P<statement>[^)]*)"
)

Held = dict[str, dict[str, str]]  # by step, by relation
Crowds = list[tuple[str, list[str]]]  # by section, what it has for itself


def strongest(found: dict[str, str], relation: str, level: str) -> None:
    """Keep the strongest of a relation's locks."""
    if LEVELS.index(level) > LEVELS.index(found.get(relation, LEVELS[0])):
        found[relation] = level


def level_of(mode: str) -> str:
    """`AccessShareLock` -> `ACCESS SHARE`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", mode.removesuffix("Lock")).upper()


def said_by(folder: Path, step: str, below: Mapping[str, Collection[str]] | None = None) -> dict[str, str]:
    """The locks that a step's header names on the application's relations; `below` are the children of a table."""
    header = (folder / step).read_text().partition("\n\n")[0].replace("\n--        ", " ")
    found: dict[str, str] = {}
    inside = (match for match in SAID.finditer(header) if "outside of a transaction" not in match["statement"])
    for match in inside:
        for relation in match["on"].split(", "):
            children = (below or {}).get(relation, ()) if match["each"] else ()
            for name in (relation, *children):
                if name.startswith("app."):
                    strongest(found, name, match["level"])
    return found


def held_by_each_step(monkeypatch: pytest.MonkeyPatch, carry_out: Callable[[], None]) -> tuple[Held, Crowds]:
    """What each step's transactions hold, and which relations a section has for itself."""
    held: Held = {}
    crowds: Crowds = []
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
    carry_out()
    return held, crowds
