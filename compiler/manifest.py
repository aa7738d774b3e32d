"""plan.yaml: a line for each step, table and relation, so that a diff shows what came and went."""

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from json import dumps

from compiler.plan import Plan, Planned, PlannedRemoval, Step
from compiler.spec import Database

FORMAT = 1
OLDEST = 14  # the major version of PostgreSQL that every plan can run on
OLDEST_FOR_REMOVALS = 15  # has_parameter_privilege(), publications of columns
Value = str | int | bool | Iterable["Value"] | Mapping[str, "Value"]

# A word that no version of YAML reads as anything but text, in flow style too.
_PLAIN = re.compile(r"(?!(?i:true|false|yes|no|on|off|null|y|n)$)[A-Za-z_][A-Za-z0-9_./+%-]*")
_SHARE = re.compile(r"[0-9]+(\.[0-9]+)?[A-Za-z%]+")


def manifest(plan: Plan, digests: Mapping[str, str]) -> str:
    """The text of plan.yaml; `digests` are those of the steps' files."""
    return "".join(f"{line}\n" for line in _lines(plan, digests))


def flow(value: Value) -> str:
    """A value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return value if _PLAIN.fullmatch(value) or _SHARE.fullmatch(value) else _escaped(value)
        case Mapping():
            return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(flow, value)) + "]"


def _escaped(text: str) -> str:
    """A JSON string is a YAML string; what YAML reads as a line end, or not at all, is escaped as YAML has it."""
    quoted = dumps(text, ensure_ascii=False)
    if quoted.isprintable():
        return quoted
    return "".join(char if char.isprintable() else _escape(ord(char)) for char in quoted)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _lines(plan: Plan, digests: Mapping[str, str]) -> Iterator[str]:
    project = plan.project
    yield "# Written by `transhume plan`. The runner refuses a step whose file is not the one digested here."
    facts: dict[str, Value] = {
        "format": FORMAT, "compiler": version("transhume"), "project": project.name.text, "about": project.about,
        "specs": plan.specs, "databases": plan.databases, "source": _database(project.source),
        "target": _database(project.target), "limits": _limits(plan), "requires": _requires(plan),
    }  # fmt: skip
    if plan.removal:
        facts["removal"] = _removal(plan.removal)
    yield from (f"{name}: {flow(value)}" for name, value in facts.items())
    yield from _block("relations", (
        {"database": one.database, "relation": one.relation, "fingerprint": one.fingerprint} for one in plan.relations
    ))  # fmt: skip
    yield from _block("tables", map(_table, plan.tables))
    yield from _block("steps", (_step(step, digests[step.file]) for step in plan.steps))


def _block(name: str, entries: Iterable[dict[str, Value]]) -> Iterator[str]:
    lines = [f"  - {flow(entry)}" for entry in entries]
    yield f"{name}:" if lines else f"{name}: []"
    yield from lines


def _database(database: Database) -> Value:
    return {"env": database.env, "schema": database.schema}


def _removal(removal: PlannedRemoval) -> Value:
    return {
        "name": removal.name, "phase": removal.phase, "on": removal.on, "table": removal.table,
        "columns": removal.columns, "soak": removal.soak, "retain": removal.retain,
        **({"not_before": removal.not_before} if removal.not_before else {}),
    }  # fmt: skip


def _limits(plan: Plan) -> Value:
    limits = plan.project.limits
    rejected = {"rejected": _budget(limits.rejected)} if limits.rejected else {}
    return {"window": limits.window, **rejected, "memory": limits.memory, "lock_timeout": limits.lock_timeout}


def _requires(plan: Plan) -> Value:
    extensions, env = ([word.text for word in words] for words in (plan.project.extensions, plan.project.env))
    oldest = OLDEST if plan.removal is None else OLDEST_FOR_REMOVALS
    return {"postgres": oldest, "extensions": extensions, "env": env}


def _budget(text: str) -> str | int:
    """A share stays a text, a count becomes a number."""
    return int(text) if text.isdigit() else text


def _table(table: Planned) -> dict[str, Value]:
    return {
        "id": table.id, "source": table.source, "target": table.target, "keyset": table.keyset, "rows": table.rows,
        "rejected": _budget(table.rejected), "chunk": table.chunk,
    }  # fmt: skip


def _step(step: Step, digest: str) -> dict[str, Value]:
    """Every kind of step that there is runs on the target; a removal's database is both source and target."""
    about: dict[str, Value] = {"table": step.table} if step.table else {}
    return {
        "id": step.id, "kind": step.kind, "database": "target", "file": step.file, "sha256": digest,
        "after": step.after, "transaction": step.transaction, "reversible": step.reversible, **about,
        "spec": str(step.span),
    }  # fmt: skip
