"""squawk over every SQL file that is emitted here: what it finds is waived by name, with a reason, or is an error.

templates/waived.toml holds for all kinds of steps, templates/<kind>/waived.toml for one kind, by section;
templates/removal/waived.toml for those of removals, by kind and section.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
SQUAWK = Path(sys.executable).parent / "squawk"
EVERY = "*"


class Finding(NamedTuple):
    """What squawk says, of which kind of step and which section; `place` is for people."""

    kind: str
    section: str
    rule: str
    place: str


class Waiver(NamedTuple):
    """A rule that does not hold for a section; kind or section may be any."""

    kind: str
    section: str
    rule: str


def plans() -> list[Path]:
    """Every emitted SQL file: those of the committed plans, and those that golden specs compile to."""
    folders = [ROOT / "plans", *(ROOT / "tests" / "golden" / "plans").glob("*/expected")]
    return sorted(path for folder in folders for path in folder.rglob("*.sql"))


def findings(paths: Sequence[Path]) -> Iterator[Finding]:
    """What squawk says of the files."""
    command = [str(SQUAWK), "--reporter", "json", "--pg-version", "14.0", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    for one in json.loads(done.stdout):
        path, line = Path(one["file"]), one["line"] + 1
        place = f"{path}:{line}: {one['rule_name']}: {one['message']}"
        yield Finding(_kind(path), _section(path, line), one["rule_name"], place)


def _kind(path: Path) -> str:
    """The kind of the step; all of removals' plans, which are plans/<project>/removals/<name>/<phase>, are one."""
    folder = path.parents[3]  # of a checkout that is called so, too
    return "removal" if folder.name == "removals" and folder != ROOT else path.parent.name


def _section(path: Path, line: int) -> str:
    """The section in which a line stands; of a removal, with the kind of the step before it."""
    above = path.read_text("utf-8").splitlines()[:line]
    section = next((each.split()[2] for each in reversed(above) if each.startswith("-- transhume: ")), "")
    return f"{path.parent.name}.{section}" if _kind(path) == "removal" else section


@cache
def waivers() -> Mapping[Waiver, str]:
    """Every waiver with its reason."""
    folder = ROOT / "templates"
    found: dict[Waiver, str] = {}
    for path in sorted(folder.rglob("waived.toml")):
        kind = path.parent.name if path.parent != folder else EVERY
        for section, rules in tomllib.loads(path.read_text("utf-8")).items():
            found |= {Waiver(kind, section, rule): why for rule, why in rules.items()}
    return found


def waiver(finding: Finding) -> Waiver | None:
    """What waives it."""
    kinds, sections = (finding.kind, EVERY), (finding.section, EVERY)
    tried = (Waiver(kind, section, finding.rule) for kind in kinds for section in sections)
    return next((one for one in tried if one in waivers()), None)


def test_every_finding_is_waived_and_every_waiver_needed() -> None:
    """No rule is broken without a reason, and no reason is given for what nothing does."""
    found = list(findings(plans()))
    used = {one for finding in found if (one := waiver(finding))}

    assert [finding.place for finding in found if waiver(finding) is None] == []
    kinds = {EVERY, *map(_kind, plans())}
    assert {one for one in waivers() if one.kind in kinds} - used == set()
    assert all(reason.strip() for reason in waivers().values())


def test_squawk_reads_all_of_it() -> None:
    """Plans of every kind of step are there, and none is SQL that squawk's parser, PostgreSQL's grammar, refuses."""
    paths = plans()
    kinds = {_kind(path) for path in paths}

    assert len(paths) > 300
    assert {"create", "load", "map", "index", "constrain", "prepare", "require", "reconcile", "finish"} <= kinds
    assert not [one.place for one in findings(paths) if one.rule == "syntax-error"]


@pytest.mark.parametrize(
    "sql, rule",
    [
        ("ALTER TABLE app.t DROP COLUMN c;", "ban-drop-column"),
        ("ALTER TABLE app.t ALTER COLUMN c SET NOT NULL;", "adding-not-nullable-field"),
        ("CREATE TABL app.t (id bigint);", "syntax-error"),
    ],
)
def test_what_is_not_waived_is_found(tmp_path: Path, sql: str, rule: str) -> None:
    """A dangerous statement in a step's file is not passed over."""
    path = tmp_path / "create" / "t.sql"
    path.parent.mkdir()
    path.write_text(f"-- create.t\n\n-- transhume: apply on target\n{sql}\n")

    found = [one for one in findings([path]) if waiver(one) is None]

    assert (found[0].kind, found[0].section, found[0].rule) == ("create", "apply", rule)
