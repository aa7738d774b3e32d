"""Load: the rows of a table, range by range and chunk by chunk; each chunk one transaction. Map tables too."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial

from runner import budget, journal
from runner.chunks import Pace
from runner.connect import Session
from runner.errors import SnapshotLost
from runner.execute import execute
from runner.journal import Counts, Range
from runner.progress import Silent
from runner.schedule import Parts, in_turn
from runner.steps.sectioned import builds, gated
from runner.work import Work, demand_no_row

RANGES = 8  # for each job: enough that the lanes end together, although ranges take longer or shorter
SAMPLE = 10_000  # rows of each range that are looked at to split the source


def carry_out(work: Work) -> Parts | None:
    """Move what is not moved yet, in ranges that may be at work side by side; then build, and prove it.

    The rows of a hierarchy are kept in tables that a crash of the server empties: then all of it starts anew.
    """
    gated(work)
    return _parts(work) if _is_intact(work) else _anew(work)


@dataclass(slots=True)
class Loading:
    """A load at work. `view` is the view of the source that its ranges hold for, None where they always do."""

    work: Work
    size: int
    pace: Pace
    view: str | None
    counts: Counts
    lost: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def move(self, part: Range) -> None:
        """Move what is left of a range, wherever the executor does."""
        try:
            self.work.context.executor.move(self.work, part, self.pace, self.view, self.tell)
        except SnapshotLost:
            if self.view is None:
                raise
            self.lost = True  # what is a row's place in one view is another row's in the next

    def tell(self, counts: Counts) -> None:
        """Rows were committed."""
        with self.lock:
            self.counts += counts
            self.work.context.progress.moved(self.work.step, self.counts, self.size)

    def refresh(self, session: Session) -> None:
        """Ask the journal for what others have committed."""
        self.counts = journal.loaded(session, self.work.run, self.work.step.id)
        self.work.context.progress.moved(self.work.step, self.counts, self.size)

    def end(self) -> Parts | None:
        """What comes after the last range."""
        work = self.work
        if self.lost:
            work.context.progress.notice(f"{work.step.id}: the view of the source is gone; it starts anew")
            work.context.sessions.forget()  # this lane's is from before, perhaps
            return _parts(work)
        work.context.loading.pop(work.step.id)
        work.persist(lambda: budget.check(work.target(), work.context.plan, work.run, work.table, 0))
        return builds(work, work.file.all("build"), self._proved)

    def _proved(self) -> Parts | None:
        if not _is_intact(self.work):
            return _anew(self.work)
        for verify in self.work.file.all("verify"):
            demand_no_row(self.work, verify)
        return None


def _is_intact(work: Work) -> bool:
    """No crash of the server has emptied the working tables of a hierarchy, if there are any."""
    section = work.file.find("intact")
    return section is None or bool(work.ask(section).rows)


def _anew(work: Work) -> Parts | None:
    """Undo and forget what was kept, and what was loaded from it; then do it all again."""
    context = work.context
    context.progress.notice(f"{work.step.id}: a crash of the server has emptied the working tables; it starts anew")
    kept = context.plan.reader[work.table.id]
    works = [work]
    if kept != work.step:  # whoever watches has seen it end
        works.insert(0, Work(replace(context, progress=Silent()), kept, context.plan.open(kept)))

    def forget(session: Session) -> None:
        for each in reversed(works):
            _forget(each, session)

    work.record("started anew", forget)
    return in_turn([partial(carry_out, each) for each in works])


def _parts(work: Work) -> Parts:
    size, width = _size(work)
    ranges = _ranges(work, size)
    pace = Pace(*work.table.chunk)
    pace.expect(width)
    view = None
    if work.table.by_place:
        work.source()
        view = work.context.sessions.view
    counts = work.persist(lambda: journal.loaded(work.target(), work.run, work.step.id))
    loading = Loading(work, size, pace, view, counts)
    work.context.loading[work.step.id] = loading
    return Parts([partial(loading.move, part) for part in ranges], loading.end)


def _size(work: Work) -> tuple[int, float]:
    """The rows of the source, counted once for the whole run, and about how many bytes one has; 0: not known."""
    known = work.persist(lambda: journal.size(work.target(), work.run, work.step.id))
    if known is not None:
        return known, work.persist(lambda: journal.width(work.target(), work.run, work.step.id))
    rows, size = work.ask(work.file.need("size")).rows[0]
    found = int(rows or 0)
    work.record("counted", lambda session: journal.set_size(session, work.run, work.step.id, found), f"{found} rows")
    return found, int(size or 0) / max(found, 1)


def _ranges(work: Work, size: int) -> tuple[Range, ...]:
    """How the source is split: as the journal says, or now. Places of rows are good for one view only."""
    known = work.persist(lambda: journal.ranges(work.target(), work.run, work.step.id))
    first = 0
    if known and work.table.by_place:
        first = known[-1].number + 1
        work.record("started anew", lambda session: _forget(work, session))
    elif known:
        return known
    ranges = _split(work, size, first)
    work.record("split", lambda session: journal.add_ranges(session, work.run, work.step.id, ranges))
    return ranges


def _split(work: Work, size: int, first: int) -> tuple[Range, ...]:
    """As many ranges as keep every job busy to the end, none smaller than two chunks; numbered from `first` on."""
    section = work.file.find("split")
    number = min(size // (2 * work.table.chunk[1]), RANGES * work.context.jobs)
    if section is None or number < 2:
        return (Range(first),)
    share = min(100.0, 100 * SAMPLE * number / size)
    values = {"ranges": str(number), "share": f"{share:.4f}"}
    found = work.persist(lambda: execute(work.session(section), section, values)).rows
    ends = [tuple(value or "" for value in row) for row in found]
    bounds = zip([None, *ends], [*ends, None], strict=True)
    return tuple(Range(place, after, upto) for place, (after, upto) in enumerate(bounds, first))


def _forget(work: Work, session: Session) -> None:
    """Empty the table, and the journal of what this load has done."""
    journal.forget_load(session, work.run, work.step.id)
    execute(session, work.file.need("revert"), work.values)
