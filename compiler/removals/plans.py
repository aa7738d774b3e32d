"""BoundRemoval -> Plans: one for each phase, and the restore's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from compiler.plan import Kind, Plan, PlannedRemoval, Step
from compiler.removals.base import RemovalStep
from compiler.removals.bound import BoundRemoval
from compiler.removals.deprecate import Backfill, Backup, Capture, Describe
from compiler.removals.detach import Enforce, Guard, Hide, Rebuild, Relax, changed
from compiler.removals.drop import Drop, Gate, Measure, Unlink
from compiler.removals.purge import Export, Purge
from compiler.removals.restore import Add, Discard, Recreate, Refill, Release
from compiler.removals.restore_indexes import Constrain, Index, Narrow, rebuilt, strict
from compiler.removals.tables import (
    DescribeTable,
    ExportTable,
    GateTable,
    PurgeTable,
    Quarantine,
    RebuildTable,
    Seal,
)

PHASES = ("1-deprecate", "2-detach", "3-drop", "4-purge", "restore")  # folders below removals/<name>

Make = Callable[[BoundRemoval, str], RemovalStep]


def removal_plans(removal: BoundRemoval) -> tuple[Plan, ...]:
    """The plans of one removal, in the order of its phases."""
    kinds = (deprecate, detach, drop, purge, restore) if removal.columns else TABLE
    return tuple(
        _plan(removal, phase, kind(removal)) for phase, kind in zip(PHASES, kinds, strict=True)
    )  # fmt: skip


def deprecate_table(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 1 of a table: written down."""
    return (DescribeTable,)


def detach_table(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 2 of a table: not used, and out of sight."""
    rebuild: tuple[Make, ...] = (RebuildTable,) if changed(removal) else ()
    return (*rebuild, Quarantine)


def drop_table(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 3 of a table: it refers to nothing any more, and waits."""
    return (GateTable, Seal)


def purge_table(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 4 of a table: gone for good."""
    return (ExportTable, PurgeTable)


def restore_table(removal: BoundRemoval) -> tuple[Make, ...]:
    """Up to phase 3 each step is undone: there is nothing to bring back."""
    return ()


TABLE = (deprecate_table, detach_table, drop_table, purge_table, restore_table)


def deprecate(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 1: written down, and backed up."""
    return (Describe, Backup, Capture, Backfill)


def detach(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 2: not written any more, and not seen."""
    rebuild: tuple[Make, ...] = (Rebuild,) if changed(removal) else ()
    hide: tuple[Make, ...] = (Hide,) if removal.spec.hide != "nothing" else ()
    return (Relax, *rebuild, Guard, Enforce, *hide)


def drop(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 3: gone, with a backup that stays exact."""
    unlink: tuple[Make, ...] = (Unlink,) if Unlink(removal).needed else ()
    return (Gate, Measure, *unlink, Drop)


def purge(removal: BoundRemoval) -> tuple[Make, ...]:
    """Phase 4: gone for good."""
    return (Export, Purge)


def restore(removal: BoundRemoval) -> tuple[Make, ...]:
    """From phase 3 back."""
    narrow: tuple[Make, ...] = (Narrow, _rest) if any(map(strict, removal.members)) else ()
    index: tuple[Make, ...] = (Index,) if removal.lone or any(map(rebuilt, removal.members)) else ()
    return (Add, Refill, *narrow, *index, Constrain, Recreate, Release, Discard)


def _rest(removal: BoundRemoval, before: str) -> RemovalStep:
    return Refill(removal, before, rest=True)


def _steps(removal: BoundRemoval, kinds: Sequence[Make]) -> Iterator[Step]:
    before = ""
    for make in kinds:
        step = Step.of(_kind(make(removal, before)))
        before = step.id
        yield step


def _kind(step: RemovalStep) -> Kind:
    return step  # type: ignore[return-value]  # every kind of RemovalStep says what it does and is called


def _plan(removal: BoundRemoval, phase: str, kinds: Sequence[Make]) -> Plan:
    project = removal.project
    database = project.source if removal.database == "source" else project.target
    spec = removal.spec
    about = PlannedRemoval(
        removal.name, phase, removal.database, str(removal.relation.qualified),
        tuple(gone.name for gone in removal.columns), spec.because, removal.relation.rows, spec.phases.soak,
        spec.phases.retain, spec.phases.not_before,
    )  # fmt: skip
    return Plan(
        project=replace(project, source=database, target=database, extensions=(), env=()),
        specs=spec.digest,
        databases=1,
        relations=(),
        tables=(),
        skipped=(),
        steps=tuple(_steps(removal, kinds)),
        warnings=(),
        removal=about,
    )
