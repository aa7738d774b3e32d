"""Plan -> Files: the manifest, the page to open first, and a file for each step; the same plan gives the same bytes."""

import hashlib
import json
from collections.abc import Iterator
from textwrap import wrap

from compiler.diagnostics import Diagnostic, SpecError
from compiler.manifest import manifest
from compiler.page import page
from compiler.plan import Plan, Section, Step
from compiler.removals.page import removal_page

MANIFEST, PAGE = "plan.yaml", "PLAN.md"
MARKER = "-- transhume:"
WIDTH = 120

Files = dict[str, str]


def emit(plan: Plan) -> Files:
    """The texts of the plan's files, by name. Raises SpecError where a text of the author's looks like a marker."""
    files = _emit(plan)
    for phase in plan.removals:
        folder = phase.removal.folder if phase.removal else ""
        files |= {f"{folder}/{name}": text for name, text in _emit(phase).items()}
    return files


def _emit(plan: Plan) -> Files:
    texts = {step.file: step_text(step) for step in plan.steps}
    found = [_marked(step) for step in plan.steps if not _splits(step, texts[step.file])]
    if found:
        raise SpecError(found)
    digests = {name: f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for name, text in texts.items()}
    first = removal_page(plan, plan.removal) if plan.removal else page(plan)
    return {MANIFEST: manifest(plan, digests), PAGE: first, **texts}


def step_text(step: Step) -> str:
    """A step's file: its header, then its sections, each below its marker."""
    parts = ["".join(f"-- {line}\n" for line in _header(step)), *map(_section_text, step.sections)]
    return "\n".join(parts)


def _section_text(section: Section) -> str:
    return f"{_marker(section)}\n{section.sql}\n"


def _marker(section: Section) -> str:
    of = f" of {_quoted(section.of)}" if section.of else ""
    binds = f" binds {' '.join(map(one_line, section.binds))}" if section.binds else ""
    prose = f" -- {one_line(section.prose)}" if section.prose else ""
    return f"{MARKER} {section.name}{of} on {section.side}{binds}{prose}"


def _quoted(text: str) -> str:
    """A JSON string on one line, readable where it can be."""
    return one_line(json.dumps(text, ensure_ascii=False))


def _header(step: Step) -> Iterator[str]:
    yield from _wrapped(f"{step.id}: {step.what}", "", "    ")
    if step.about:
        yield from _wrapped(" ".join(step.about.split()), "about  ", "       ")
    yield f"from   {one_line(str(step.span))}"
    if step.after:
        yield from _wrapped(", ".join(step.after), "after  ", "       ")
    for lock in step.locks:
        yield from _wrapped(str(lock), "locks  ", "       ")
    yield from _wrapped(step.undo, "undo   ", "       ")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    text = one_line(text)
    if len(first) + len(text) <= WIDTH - len("-- "):
        return [first + text]  # nearly all of them, and textwrap is slow
    return wrap(
        text, WIDTH - len("-- "), initial_indent=first, subsequent_indent=others, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def one_line(text: str) -> str:
    """`text` without what some reader may take for the end of a line: such characters are written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if not _breaks(char) else f"\\u{ord(char):04x}" for char in text)


def _breaks(char: str) -> bool:
    return char < " " or len(f"a{char}a".splitlines()) > 1


def _splits(step: Step, text: str) -> bool:
    """Whether a reader who splits the file at its marker lines finds exactly the sections that were written."""
    lines = text.splitlines(keepends=True)
    return sum(line.startswith(MARKER) for line in lines) == len(step.sections)


def _marked(step: Step) -> Diagnostic:
    message = f'an expression of "{step.table or step.name}" has a line that starts with "{MARKER}"'
    hint = "such lines part the sections of a plan's file; write it in another way"
    return Diagnostic("E801", message, step.span, hint=hint)
