"""Steps that are a gate, statements, builds, and a proof: require, create, prepare, index, constrain, finish."""

from __future__ import annotations

from runner import budget
from runner.connect import Session
from runner.errors import DUPLICATES, SqlError
from runner.execute import execute
from runner.sections import Section
from runner.steps.outside import Outside
from runner.work import Work, demand_no_row

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
