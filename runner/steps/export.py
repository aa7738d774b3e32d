"""Export: the backup of a removal as a file, with its rows counted and its checksum in the journal."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from runner import fence
from runner.connect import Session
from runner.errors import FAILED, RunnerError
from runner.execute import located
from runner.work import Work, demand_no_row

FOLDER = "TRANSHUME_EXPORTS"  # where files go; ./exports where it is not set


def carry_out(work: Work) -> None:
    """Ask the gates; write the file, and its record."""
    for gate in work.file.all("gate"):
        demand_no_row(work, gate)
    work.change("export", lambda session: _export(session, work))


def _export(session: Session, work: Work) -> int:
    removal = work.context.plan.removal
    assert removal is not None  # only removals have such a step
    folder = Path(os.environ.get(FOLDER) or "exports") / work.context.plan.project
    path = folder / f"{removal.name}-{work.run.run}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows, digest = _write(session, work, path)
    except OSError as error:
        message = f"cannot write {path}: {(error.strerror or str(error)).lower()}"
        raise RunnerError(message, f"{FOLDER} says where exports go", FAILED) from None
    query = """INSERT INTO transhume.removal_export (project, removal, run, file, rows, sha256)
               VALUES (%s, %s, %s, %s, %s, %s)"""
    values = (work.context.plan.project, removal.name, work.run.run, str(path.resolve()), rows, digest)
    session.execute(query, values)
    fence.hold(session, work.run)
    work.context.progress.notice(f"{rows:,} rows are in {path}, sha256 {digest}")
    return rows


def _write(session: Session, work: Work, path: Path) -> tuple[int, str]:
    """Write the file whole, under another name until it is on the disk; its rows and its digest."""
    section = work.file.need("export")
    partial = path.with_suffix(".part")
    digest = hashlib.sha256()
    with partial.open("wb") as file, located(section), session.cursor() as cursor:
        os.chmod(partial, 0o600)  # it may hold what nobody else should read
        with cursor.copy(section.text.encode()) as copy:
            for block in copy:
                digest.update(block)
                file.write(block)
        rows = cursor.rowcount
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    return rows, digest.hexdigest()
