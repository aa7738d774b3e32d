"""One step for whoever has to understand it: where it comes from, what it waits for, what it looks up, its SQL."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from compiler.bound import BoundColumn, BoundTable, BoundTree, Ordered
from compiler.folder import Folder
from compiler.layout import Layout
from compiler.plan import Plan, Step
from compiler.tree_classes import classes, counting

EXCERPT = 40  # lines of a spec; most are shorter
MISSING = {
    "reject": "sets the row aside",
    "null": "leaves the column empty",
    "fail": "stops the run",
}


def find(whole: Plan, text: str) -> tuple[Plan, Step] | None:
    """The step that `text` names, by its id or by its file, and the plan that has it: the whole, or a removal's."""
    path = f"/{Path(text).as_posix()}"
    for plan in (*whole.removals, whole):  # their files end like those of the whole
        folder = f"/{plan.removal.folder}" if plan.removal else ""
        for step in plan.steps:
            if path.endswith(f"{folder}/{step.file}"):
                return plan, step
    named = ((plan, step) for plan in (whole, *whole.removals) for step in plan.steps if step.id == text)
    return next(named, None)


def explanation(step: Step, plan: Plan, ordered: Ordered, files: Mapping[str, str], project: Path) -> str:
    """All of it as text, without a line end."""
    table = next((table for table in ordered.tables if table.id == step.table), None)
    parts = [_head(step, plan), _excerpt(step, project), _references(table) if table else []]
    if table and table.tree:
        parts.append(_hierarchy(table, table.tree, Layout(ordered)))
    parts.append([files[step.file]])
    return "\n\n".join("\n".join(part) for part in map(list, parts) if part).rstrip("\n")


def _head(step: Step, plan: Plan) -> Iterator[str]:
    followers = [other.id for other in plan.steps if step.id in other.after]
    yield f"{step.id}: {step.what}"
    yield f"waits for      {', '.join(step.after) or 'nothing'}"
    yield f"waited for by  {', '.join(followers) or 'nothing'}"


def _excerpt(step: Step, project: Path) -> Iterator[str]:
    """The lines of the spec from the step's place on."""
    file, first = step.span.file, step.span.line
    lines = (
        (Folder.at(project).root / file).read_text(encoding="utf-8-sig").splitlines()[first - 1 : first - 1 + EXCERPT]
    )
    width = len(str(first + len(lines)))
    yield f"from {file}:{first}"
    yield from (f"{number:>{width}} | {line}".rstrip() for number, line in enumerate(lines, first))


def _references(table: BoundTable) -> list[str]:
    return [line for column in table.columns for line in _reference(column)]


def _hierarchy(table: BoundTable, tree: BoundTree, layout: Layout) -> Iterator[str]:
    """The rule that each sort of rows falls under, and how to count them."""
    yield f"what hangs from what, of about {table.rows:,} rows as the catalog says"
    yield from (f"    {sort}: {rule}" for sort, rule in classes(tree))
    yield "    how many there are, the source says:"
    yield from (f"        {line}" for line in counting(table, tree, layout).splitlines())


def _reference(column: BoundColumn) -> Iterator[str]:
    for reference in column.references if column.node is None else ():
        by = ", ".join(reference.by)
        how = "is computed from" if reference.derived else f"is looked up in the map of {reference.table} by"
        yield f"{column.name}: the key of {reference.table}; it {how} {by}"
        yield f"    a {by} that leads nowhere {MISSING[reference.missing]}"
        if not reference.constrained:
            yield f"    no foreign key: {reference.why_not}"
