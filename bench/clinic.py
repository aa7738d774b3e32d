"""The workload: a clinic's database of 4.6 million rows at scale 1, its specs, and its mapping as people write it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

from bench.mapping import expanded
from bench.site import Site, run
from runner.manifest import Plan, read_plan

WORKLOAD = Path(__file__).parent / "workload"
COUNTS = {"users": 50_000, "doctors": 5_000, "patients": 500_000, "orders": 2_000_000, "comments": 1_000_000,
          "messages": 1_000_000}  # fmt: skip
OFFICES = 200
TABLES = ("offices", "users", "profiles", "doctors", "patients", "orders", "comments", "messages")
SOURCES = ("core_office", "accounts_user", "accounts_profile", "care_doctor", "care_patient", "care_order",
           "care_comment", "inbox_message")  # fmt: skip
ENUMS = ("user_role", "sex", "order_status")
BLANK = "blank"  # the database that every target is a copy of


@dataclass(frozen=True)
class Clinic:
    """The workload on a server: the database `source`, filled, and the plan that moves it."""

    site: Site
    source: str
    scale: float

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows each target table gets, the biggest first."""
        counts = counted(self.scale)
        rows = {**counts, "profiles": counts["users"], "offices": OFFICES}
        return {table: rows[table] for table in sorted(rows, key=lambda table: -rows[table])}

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @cached_property
    def folder(self) -> Path:
        """The plan, compiled from the specs."""
        out = self.site.home / f"plans-{self.source}"
        self.site.transhume(self.source, BLANK, "plan", "clinic", "--out", str(out), cwd=WORKLOAD)
        return out / "clinic"

    @cached_property
    def unverified(self) -> Path:
        """The same plan without its verify steps: nothing comes after them, and each is a line of the manifest."""
        folder = self.folder.with_name("unverified")
        shutil.copytree(self.folder, folder)
        shutil.rmtree(folder / "verify")
        manifest = folder / "plan.yaml"
        lines = manifest.read_text().splitlines(keepends=True)
        manifest.write_text("".join(line for line in lines if ", kind: verify, " not in line))
        return folder

    @cached_property
    def plan(self) -> Plan:
        return read_plan(self.folder)

    def sections(self, kind: str, name: str) -> dict[str, tuple[str, ...]]:
        """The statements of the sections of that name, a table, biggest first: what is built is the same for all."""
        found = {
            step.table: tuple(section.text.strip() for section in self.plan.open(step).all(name))
            for step in self.plan.steps if step.kind == kind
        }  # fmt: skip
        return {table: found[table] for table in self.rows if found.get(table)}

    def create_tables(self, database: str) -> None:
        """The target's tables, without an index or a key."""
        self.site.execute(database, *(text for texts in self.sections("create", "apply").values() for text in texts))

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of the mapped SELECT, in its order."""
        with psycopg.connect(self.site.server.conninfo(self.source)) as session:
            found = session.execute(f"{mapped(table)} LIMIT 0".encode())
            return tuple(column.name for column in found.description or ())


def clinic(site: Site, scale: float, source: str = "source") -> Clinic:
    """Fill the source at a scale, and make the blank target."""
    site.fresh(source)
    variables = [word for name, count in counted(scale).items() for word in ("-v", f"{name}={count}")]
    run(site.psql(source, *variables, "-f", str(WORKLOAD / "source.sql")))
    site.fresh(BLANK)
    run(site.psql(BLANK, "-f", str(WORKLOAD / "target.sql")))
    return Clinic(site, source, scale)


def mapped(table: str, *, inside: bool = False) -> str:
    """The mapping of a table as one SELECT over `s`. `inside` the target's database its enums are cast to."""
    return expanded((WORKLOAD / "mapped" / f"{table}.sql").read_text(), inside=inside)


def counted(scale: float) -> dict[str, int]:
    """How many rows of each; the smallest scale still has a doctor."""
    return {name: max(1, round(count * scale)) for name, count in COUNTS.items()}
