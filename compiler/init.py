"""Two catalogs -> the first draft of every table's spec. Pure: nothing is read, written or overwritten here."""

from collections.abc import Mapping
from urllib.parse import quote

from compiler.catalog import Catalog
from compiler.init_draft import Draft, Keys, Move, draft
from compiler.init_match import pairs, short
from compiler.init_text import text
from compiler.spec import Project


def drafts(project: Project, source: Catalog, target: Catalog, keys: Keys) -> tuple[Draft, ...]:
    """One draft for each source table that is moved, sorted by the source table's name.

    `keys` says what becomes of integer keys in new tables: `uuid` (derived, needs the project's `ids:`) or `same`.
    """
    found = pairs(project, source, target)
    move = Move(
        names={pair.source.qualified: short(pair.target, project.target.schema) for pair in found},
        sources={pair.source.qualified: pair.source for pair in found},
        schema=project.source.schema,
        keys=keys,
    )
    return tuple(draft(pair, move) for pair in found)


def scaffold(found: tuple[Draft, ...], schema: str) -> Mapping[str, str]:
    """The text of each spec by its file's name under `tables/`; `schema` is what editors check it against."""
    return {f"{quote(each.table, safe='')}.yaml": text(each, schema) for each in found}
