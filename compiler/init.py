"""Two catalogs -> the first draft of every table's spec. Pure: nothing is read, written or overwritten here."""

from urllib.parse import quote

from compiler.catalog import Catalog
from compiler.init_draft import Draft, Keys, Move, draft
from compiler.init_existing import Existing
from compiler.init_match import pairs, short
from compiler.spec import Project

NOTHING = Existing({}, frozenset())


def drafts(
    project: Project, source: Catalog, target: Catalog, keys: Keys, existing: Existing = NOTHING
) -> tuple[Draft, ...]:
    """One draft for each source table that no existing spec reads, sorted by the source table's name.

    `keys` says what becomes of integer keys in new tables: `uuid` (derived, needs the project's `ids:`) or `same`.
    """
    found = pairs(project, source, target)
    move = Move(
        names={pair.source.qualified: short(pair.target, project.target.schema) for pair in found}
        | dict(existing.names),
        sources={pair.source.qualified: pair.source for pair in found},
        schema=project.source.schema,
        keys=keys,
    )
    return tuple(
        draft(pair, move)
        for pair in found
        if pair.source.qualified not in existing.names and pair.target not in existing.filled
    )


def file_name(found: Draft) -> str:
    """The name of the draft's file under `tables/`."""
    return f"{quote(found.table, safe='')}.yaml"
