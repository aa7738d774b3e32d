"""A plan folder, read once and refused where it is not what was compiled and reviewed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from runner import names
from runner.errors import Place, Refused
from runner.sections import Side, StepFile, split
from runner.units import Budget, seconds, size

NAME = "plan.yaml"
PAGE = "PLAN.md"
CHUNK = (2_000, 50_000)
AGAIN = "run `transhume plan` again, and have the difference reviewed"


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is found: the environment variable with its URL, and the schema that names default to."""

    env: str
    schema: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run must keep to: seconds, bytes, rows set aside; None where there is no limit."""

    window: float | None = None
    rejected: Budget | None = None
    memory: int | None = None
    lock_timeout: float = 2.0

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Limits:
        return cls(
            seconds(data["window"]) if "window" in data else None,
            Budget.read(data["rejected"]) if "rejected" in data else None,
            size(data["memory"]) if "memory" in data else None,
            seconds(data.get("lock_timeout", "2s")),
        )


@dataclass(frozen=True, slots=True)
class Requires:
    """What must be there before anything runs."""

    postgres: int = 14
    extensions: tuple[str, ...] = ()
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation as it was when the plan was reviewed."""

    database: Side
    relation: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is accounted for. `rows` is an estimate; `chunk` the smallest and the greatest chunk in rows."""

    id: str
    source: str
    target: str
    keyset: tuple[str, ...]
    rows: int
    rejected: Budget | None
    chunk: tuple[int, int]

    @property
    def has_key(self) -> bool:
        """A row can be named, and found again in any view of the source."""
        return bool(self.keyset) and not self.by_place

    @property
    def by_place(self) -> bool:
        """Rows are told apart by where they are, in one view of the source: there is no key."""
        return self.keyset == ("ctid",)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Table:
        least, most = data.get("chunk", CHUNK)
        return cls(
            data["id"], data["source"], data["target"], tuple(data["keyset"]), data["rows"],
            Budget.read(data["rejected"]) if "rejected" in data else None, (least, max(least, most)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what carries it out is its `kind`; it starts once those under `after` are done.

    `transaction`: all of it runs in transactions; else some of its builds do not.
    """

    id: str
    kind: str
    database: Side
    file: str
    sha256: str
    after: tuple[str, ...]
    reversible: bool
    table: str
    spec: str
    transaction: bool = True

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Step:
        return cls(
            data["id"], data["kind"], data["database"], data["file"], data["sha256"].removeprefix("sha256:"),
            tuple(data["after"]), data["reversible"], data.get("table", ""), data.get("spec", ""),
            data.get("transaction", True),
        )  # fmt: skip


PHASES: Mapping[int, str] = {1: "1-deprecate", 2: "2-detach", 3: "3-drop", 4: "4-purge", 5: "restore"}
RESTORE = 5  # what stands for a phase's number, where the phase is the way back


@dataclass(frozen=True, slots=True)
class Removal:
    """Which phase of which removal a plan is; `on` says which of the project's databases it is about."""

    name: str
    phase: str
    on: Side
    table: str
    columns: tuple[str, ...]
    soak: float
    retain: float
    not_before: str

    @property
    def number(self) -> int:
        """1 to 4, or RESTORE."""
        return next(number for number, phase in PHASES.items() if phase == self.phase)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Removal:
        return cls(
            data["name"], data["phase"], data["on"], data["table"], tuple(data["columns"]), seconds(data["soak"]),
            seconds(data["retain"]), data.get("not_before", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A plan folder. `digest` is that of the manifest's bytes, which hold the digest of every other file."""

    folder: Path
    digest: str
    project: str
    about: str
    specs: str
    databases: int
    source: Database
    target: Database
    limits: Limits
    requires: Requires
    relations: tuple[Relation, ...]
    tables: tuple[Table, ...]
    steps: tuple[Step, ...]
    removal: Removal | None = None

    @property
    def run_name(self) -> str:
        """What its runs are called in the journal: the project, or `production/removals/users/1-deprecate`."""
        return self.project if self.removal is None else f"{self.lock_name}/{self.removal.phase}"

    @property
    def lock_name(self) -> str:
        """What one runner at a time is at work on: the project, or a removal in whichever phase."""
        return self.project if self.removal is None else f"{self.project}/removals/{self.removal.name}"

    @cached_property
    def table(self) -> Mapping[str, Table]:
        """The tables by id."""
        return {table.id: table for table in self.tables}

    @cached_property
    def schemas(self) -> tuple[str, ...]:
        """The schemas of the tables."""
        return tuple(dict.fromkeys(names.split(table.target)[0] for table in self.tables))

    @cached_property
    def load(self) -> Mapping[str, Step]:
        """The step that loads each table, by the table's id."""
        return {step.table: step for step in self.steps if step.kind == "load"}

    @cached_property
    def reader(self) -> Mapping[str, Step]:
        """The step that reads each table's source, by the table's id: of a hierarchy its `tree`, else its `load`."""
        return {step.table: step for kind in ("load", "tree") for step in self.steps if step.kind == kind}

    def open(self, step: Step) -> StepFile:
        """Read a step's file for execution; what is run are the bytes that were digested. Raises Refused."""
        path = self.folder / step.file
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}", AGAIN) from None
        if hashlib.sha256(data).hexdigest() != step.sha256:
            raise Refused(f"{path} was edited after it was compiled", AGAIN, place=Place(str(path), 1))
        return split(data.decode("utf-8"), str(path))

    def check(self) -> None:
        """Refuse a folder with a file that was edited, is missing, or is not in the manifest."""
        problems = [*self._missing(), *self._extra()]
        if problems:
            raise Refused(f"{self.folder} is not what was compiled", AGAIN, notes=tuple(problems))
        for step in self.steps:
            if (found := self.open(step)).all("probe") and step.transaction:
                message = f"{step.id} has builds outside of a transaction, and the manifest says that it has none"
                raise Refused(message, AGAIN, place=Place(found.file, 1))

    def _missing(self) -> Iterator[str]:
        for step in self.steps:
            if not (self.folder / step.file).is_file():
                yield f"{step.file} is missing"

    def _extra(self) -> Iterator[str]:
        known = {NAME, PAGE, *(step.file for step in self.steps)}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            inside = self.removal is None and name.startswith("removals/")  # plans of their own
            if not path.is_dir() and name not in known and not inside and not path.name.startswith("."):
                yield f"{name} is not in the manifest"


def read_plan(folder: Path) -> Plan:
    """Read and check a plan folder. Raises Refused."""
    path = folder / NAME
    try:
        data = path.read_bytes()
        manifest = yaml.load(data, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}", "a plan folder is written by `transhume plan`") from None
    except yaml.YAMLError as error:
        raise Refused(f"{path} cannot be read as YAML", AGAIN, place=_mark(path, error)) from None
    _validate(manifest, path)
    plan = _plan(folder, hashlib.sha256(data).hexdigest(), manifest)
    _consistent(plan)
    plan.check()
    return plan


def _plan(folder: Path, digest: str, data: Mapping[str, Any]) -> Plan:
    requires = data.get("requires", {})
    return Plan(
        folder, digest, data["project"], data.get("about", ""), data["specs"], data["databases"],
        Database(**data["source"]), Database(**data["target"]), Limits.read(data.get("limits", {})),
        Requires(requires.get("postgres", 14), tuple(requires.get("extensions", ())), tuple(requires.get("env", ()))),
        tuple(Relation(**relation) for relation in data.get("relations", ())),
        tuple(Table.read(table) for table in data["tables"]), tuple(Step.read(step) for step in data["steps"]),
        Removal.read(data["removal"]) if "removal" in data else None,
    )  # fmt: skip


def _validate(manifest: object, path: Path) -> None:
    schema = json.loads((files("runner") / "manifest.schema.json").read_text(encoding="utf-8"))
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(manifest))
    if error is not None:
        where = ".".join(str(part) for part in error.absolute_path) or "the top"
        raise Refused(f"{path} is not a manifest of this version: {where}: {error.message}", AGAIN)


def _consistent(plan: Plan) -> None:
    """Refuse a manifest that repeats a step, or a step that names a table or an earlier step that is not there."""
    seen: set[str] = set()
    for step in plan.steps:
        unknown = [name for name in step.after if name not in seen]
        if step.id in seen or unknown or (step.table and step.table not in plan.table):
            names = ", ".join(unknown) or step.table or step.id
            raise Refused(f"{plan.folder / NAME}: step {step.id} does not fit: {names}", AGAIN)
        seen.add(step.id)


def _mark(path: Path, error: yaml.YAMLError) -> Place | None:
    mark = getattr(error, "problem_mark", None)
    return Place(str(path), mark.line + 1, mark.column + 1) if mark else None
