"""PLAN.md of one phase of a removal: what it takes, which locks, and how it is undone."""

from collections.abc import Iterator

from compiler.page import cell, code
from compiler.plan import Plan, PlannedRemoval

TITLES = {
    "1-deprecate": "phase 1, deprecate: described and backed up",
    "2-detach": "phase 2, detach: not written any more, and hidden",
    "3-drop": "phase 3, drop: gone, with a backup that stays exact",
    "4-purge": "phase 4, purge: gone for good",
    "restore": "restore, after phase 3: back as it was",
}


def removal_page(plan: Plan, removal: PlannedRemoval) -> str:
    """The text of PLAN.md."""
    parts = (_head, _hazards, _steps)
    return "\n".join("".join(f"{line}\n" for line in part(plan, removal)) for part in parts)


def _head(plan: Plan, removal: PlannedRemoval) -> Iterator[str]:
    what = ", ".join(map(code, removal.columns)) or "the table"
    yield f"# {cell(removal.name)}: {TITLES[removal.phase]}"
    yield ""
    place = f"{what} of {code(removal.table)} in the {removal.on} ({code(plan.project.target.env)})"
    yield f"{place}: {cell(removal.because)}."
    yield ""
    undone = (
        "Every step can be undone." if all(step.reversible for step in plan.steps) else "Not every step can be undone."
    )
    steps = len(plan.steps)
    yield f"**About {removal.rows:,} rows, {steps} step{'' if steps == 1 else 's'}. {undone}**"
    yield ""
    yield from _when(removal)


def _when(removal: PlannedRemoval) -> Iterator[str]:
    day = f", and not before {removal.not_before}" if removal.not_before else ""
    if removal.phase == "3-drop":
        yield f"It starts {removal.soak} after phase 2 at the earliest{day}."
    elif removal.phase == "4-purge":
        yield f"It starts {removal.retain} after phase 3 at the earliest. The removal's name is typed to confirm it."
    elif removal.phase == "restore" and not removal.columns:
        yield "A table's phases are undone, up to the third, one after the other: `transhume restore` does it."
    elif removal.phase == "restore":
        yield "`transhume restore` carries it out; before phase 3 it undoes phases 2 and 1 instead."
    else:
        yield "Nothing is lost by it: `transhume restore` leads back."


def _hazards(plan: Plan, removal: PlannedRemoval) -> Iterator[str]:
    yield "## Hazards"
    yield ""
    hazards = [f"- {code(step.id)}: {cell(risk)}" for step in plan.steps for risk in step.risks]
    yield from hazards or ["None that the compiler knows of."]


def _steps(plan: Plan, removal: PlannedRemoval) -> Iterator[str]:
    yield "## Steps"
    yield ""
    yield "| step | what it does | locks | undo |"
    yield "| --- | --- | --- | --- |"
    for step in plan.steps:
        locks = "; ".join(dict.fromkeys(f"{lock.level} on {lock.on} ({lock.statement})" for lock in step.locks))
        link = f"[{cell(step.id)}]({step.file.replace('%', '%25')})"
        yield f"| {link} | {cell(step.what)} | {cell(locks)} | {cell(step.undo)} |"
