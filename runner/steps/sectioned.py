"""Steps that are a gate, statements, builds, and a proof: require, create, prepare, index, constrain, finish."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from runner import budget, journal
from runner.connect import Session
from runner.errors import DUPLICATES, SqlError
from runner.execute import execute
from runner.schedule import Act, Parts
from runner.sections import Section
from runner.steps.outside import Outside
from runner.work import Work, demand_no_row

MOST_PARTS = 4  # of a build: each hashes all rows of a hierarchy, a quarter of its time with two
NO_REPAIR = (
    "the plan does not say which of the rows that are equal go: roll back, then leave them out by `where:` in the "
    "spec, or make them different in the source"
)


def carry_out(work: Work) -> None:
    """Do what of the step is not done yet, section by section."""
    gated(work)
    for section in work.file.all("build"):
        build(work, section)
    for section in work.file.all("vacuum"):
        work.ask(section)
    for verify in work.file.all("verify"):
        demand_no_row(work, verify)


def gated(work: Work) -> None:
    """The gates, then the statements that they let through. Once anything is committed a gate has nothing to say."""
    if not work.begun():
        for gate in work.file.all("gate"):
            demand_no_row(work, gate)
    if (apply := work.file.find("apply")) is not None:
        work.change("apply", lambda session: _run(session, work, apply))


def builds(work: Work, sections: Sequence[Section], end: Act) -> Parts | None:
    """Build one after the other, then end; a build that has parts has them side by side, as many as there are jobs."""
    for place, section in enumerate(sections, 1):
        if "parts" in section.binds:
            count = _parts_of(work, section)
            parts = [partial(_part, work, section, number, count) for number in range(count)]
            return Parts(parts, lambda place=place: builds(work, sections[place:], end))  # type: ignore[misc]
        build(work, section)
    return end()


def _parts_of(work: Work, section: Section) -> int:
    """How many parts a build has: as many as when it was begun."""
    known = work.persist(lambda: journal.parts(work.target(), work.run, work.step.id))
    begun = [part for part in known if part.startswith(f"{section.title}, ")]
    return int(begun[0].rpartition(" ")[2]) if begun else min(work.context.jobs, MOST_PARTS)


def _part(work: Work, section: Section, number: int, count: int) -> None:
    values = {**work.values, "part": str(number), "parts": str(count)}
    title = f"{section.title}, {number + 1} of {count}"
    work.change(title, lambda session: execute(session, section, values).touched)


def build(work: Work, section: Section) -> None:
    """Build one object; where duplicates prevent it, set them aside and build it once more."""
    repair = work.file.find("repair", of=section.of)
    try:
        _built(work, section)
    except SqlError as error:
        if error.sqlstate != DUPLICATES:
            raise
        if repair is None:
            error.hint = NO_REPAIR
            raise
        work.context.progress.notice(f"{work.step.id}: {error.message}; setting the duplicates aside")
        work.change(repair.title, lambda session: _repair(session, work, repair))
        _built(work, section)


def _built(work: Work, section: Section) -> None:
    if (probe := work.file.find("probe", of=section.of)) is not None:
        Outside(work, section, probe).build()
    else:
        work.change(section.title, lambda session: _run(session, work, section))


def _repair(session: Session, work: Work, section: Section) -> int:
    touched = _run(session, work, section)
    budget.check(session, work.context.plan, work.run, work.table)
    return touched


def _run(session: Session, work: Work, section: Section) -> int:
    return execute(session, section, work.values).touched
