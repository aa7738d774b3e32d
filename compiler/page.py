"""PLAN.md: the page that a reviewer opens first. A new table adds lines of its own and changes none but the totals."""

import re
from collections.abc import Iterator

from compiler.plan import Plan, Planned, Step

MOST_DRAWN = 100  # tables; a larger drawing is not readable, and renderers refuse it
_MARKUP = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)")
_WEAK = frozenset(["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"])  # readers and writers go on


def page(plan: Plan) -> str:
    """The text of PLAN.md."""
    parts = (_head, _graph, _hazards, _accounting, _hierarchies, _left_behind, _steps)
    texts = ("".join(f"{line}\n" for line in part(plan)) for part in parts)
    return "\n".join(text for text in texts if text)


def cell(text: str) -> str:
    """`text` inside a line or a table of Markdown, meaning nothing but itself."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split())).replace("&", "&amp;")


def code(text: str) -> str:
    """`text` as code on one line, also inside a table."""
    text = " ".join(text.split())
    fence = "``" if "`" in text else "`"
    inner = f" {text} " if "`" in text else text
    return f"{fence}{inner}{fence}".replace("|", "\\|")


def _head(plan: Plan) -> Iterator[str]:
    rows = sum(table.rows for table in plan.tables)
    hazards = len(list(_all_hazards(plan)))
    yield f"# {cell(plan.project.name.text)}"
    yield ""
    if plan.project.about:
        yield cell(plan.project.about)
        yield ""
    yield (
        f"**{_count(len(plan.tables), 'table')}, about {_count(rows, 'row')}, {_count(len(plan.steps), 'step')}. "
        f"{_count(hazards, 'hazard') if hazards else 'No hazard'}. Every step can be undone.**"
    )
    yield ""
    source, target = plan.project.source, plan.project.target
    if plan.databases == 1:
        yield f"Inside one database, {code(source.env)}: from schema {code(source.schema)} to {code(target.schema)}."
    else:
        yield (
            f"From {code(source.env)}, schema {code(source.schema)}, "
            f"to {code(target.env)}, schema {code(target.schema)}."
        )
    limits = plan.project.limits
    whole = f"{cell(limits.rejected)} of all rows, or more than " if limits.rejected else ""
    yield (
        f"The window is {cell(limits.window)}. The run stops before more than {whole}what a table may lose, "
        f"as said below, is set aside. At a lock it gives way after {cell(limits.lock_timeout)}."
    )


def _graph(plan: Plan) -> Iterator[str]:
    yield "## What refers to what"
    yield ""
    if len(plan.tables) > MOST_DRAWN:
        yield f"{len(plan.tables)} tables are too many for a drawing; `transhume graph` prints them."
        return
    yield "```mermaid"
    yield "graph LR"
    for table in plan.tables:
        arrows = (f"; {_node(parent)} --> {_node(table.id)}" for parent in table.parents)
        yield f"  {_node(table.id)}[{_label(table.id)}]{''.join(arrows)}"
    yield "```"


def _hazards(plan: Plan) -> Iterator[str]:
    yield "## Hazards"
    yield ""
    hazards = dict.fromkeys(_all_hazards(plan))
    yield from (f"- {hazard}" for hazard in hazards)
    if not hazards:
        yield "None that the compiler knows of."


def _all_hazards(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        yield from (f"{code(step.id)}: {cell(risk)}" for risk in step.risks)
        for lock in step.locks:
            if lock.old and lock.level not in _WEAK:
                old = f"{cell(lock.on)}, which is there already"
                yield f"{code(step.id)}: {lock.level} on {old} ({cell(lock.statement)})"
    for warning in plan.warnings:
        place = f" ({code(str(warning.span))})" if warning.span else ""
        yield f"{warning.code}: {cell(warning.message)}{place}"


def _accounting(plan: Plan) -> Iterator[str]:
    yield "## Every row is accounted for"
    yield ""
    yield "rows of the source = loaded + filtered + rejected; rows of the target = loaded - reconciled."
    yield "Both are checked to the row."
    yield ""
    yield "| source | target | rows, about | filter | at most set aside | pages by |"
    yield "| --- | --- | ---: | --- | --- | --- |"
    for table in plan.tables:
        yield _row(
            code(table.source), code(table.target), f"{table.rows:,}", code(table.filter) if table.filter else "none",
            cell(table.rejected), ", ".join(map(code, table.keyset)) or "nothing: one transaction",
        )  # fmt: skip


def _hierarchies(plan: Plan) -> Iterator[str]:
    """Nothing where no table is a tree."""
    trees = [table for table in plan.tables if table.hierarchy]
    if not trees:
        return
    yield "## What hangs from what"
    yield ""
    yield "Whatever does not hang where the source says is listed by `transhume rejects`, with what was done to it."
    yield ""
    yield "| table | rows | what becomes of them |"
    yield "| --- | --- | --- |"
    for table in trees:
        yield from (_row(code(table.target), cell(sort), cell(rule)) for sort, rule in table.hierarchy)


def _left_behind(plan: Plan) -> Iterator[str]:
    yield "## What stays behind"
    yield ""
    lines = [f"- {code(f'{table.source}.{name}')}: {cell(why)}" for table in plan.tables for name, why in table.dropped]
    lines += [f"- {code(name)}: {cell(why)}" for name, why in plan.skipped]
    yield from lines or ["Nothing."]


def _steps(plan: Plan) -> Iterator[str]:
    tables = {table.id: table for table in plan.tables}
    yield "## Steps"
    yield ""
    yield "| step | what it does | locks | rows, about | undo |"
    yield "| --- | --- | --- | ---: | --- |"
    for step in plan.steps:
        locks = "; ".join(dict.fromkeys(f"{lock.level} on {lock.on}" for lock in step.locks))
        link = f"[{cell(step.id)}]({step.file.replace('%', '%25')})"
        yield _row(link, cell(step.what), cell(locks), _expected(step, tables.get(step.table)), cell(step.undo))


def _expected(step: Step, table: Planned | None) -> str:
    """How many rows a step moves; nothing for one that moves none."""
    return f"{table.rows:,}" if table and step.kind in ("map", "tree", "load") else ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _node(name: str) -> str:
    """A name as Mermaid's identifier: other characters than letters and digits as their number."""
    return "t_" + "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name)


def _label(name: str) -> str:
    escaped = (f"#{ord(char)};" if char in '"#&<>`\\' or not char.isprintable() else char for char in name)
    return f'"{"".join(escaped)}"'
