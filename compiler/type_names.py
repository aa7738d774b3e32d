"""Names of types, such as `dispatch.patient`: what Django's own table in the source calls the number in a column.

The numbers are dealt out when an application is installed, and differ from one installation to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from compiler.bound import Naming, SourceColumn
from compiler.casts import Side
from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.names import Name
from compiler.spec import Scalar, Word
from compiler.sql import Sql, column, join, literal
from compiler.world import Here

DJANGO = "django_content_type"
_NAME = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
_MADE_OF = frozenset(["app_label", "model"])

Listed = Iterable[tuple[Scalar, Span]]


def are_names(side: Side, listed: Listed) -> bool:
    """Some of the values that a spec lists for a column of whole numbers are names of types."""
    return side.type.family == "integer" and any(_is_name(value) for value, _ in listed)


def named(word: Word, source: SourceColumn, listed: Listed, here: Here) -> SourceColumn:
    """A column with the names of the types in `source`, which the spec calls `word`. Raises SpecError."""
    check_names(listed)
    found = SourceColumn(f"{source.name}.name", "text", "text", True, _naming(word, source, here))
    return here.named.setdefault(found.name, found)


def check_names(listed: Listed) -> None:
    """Either all are names or none is. Raises SpecError."""
    hint = "app_label.model, the model in lower case; in one list either all are names or all are ids"
    wrong = [(value, span) for value, span in listed if not _is_name(value) or not _is_lower(str(value))]
    if wrong:
        raise SpecError(
            [Diagnostic("E205", f'"{value}" is no name of a type', span, "not a name", hint) for value, span in wrong]
        )


def unlisted(source: SourceColumn, names: SourceColumn | None, what: str) -> Sql:
    """What is said of a row whose type is not listed: `content_type_id 17 (dispatch.visit) has no mapping`."""
    parts = [literal(f"{source.name} "), Sql(f"{column('s', source.name)}::text")]
    if names is not None:
        name = Sql(f"coalesce({column('s', names.name)}, {literal(f'not in {DJANGO}')})")
        return join(" || ", [*parts, literal(" ("), name, literal(f") {what}")])
    return join(" || ", [*parts, literal(f" {what}")])


def _is_name(value: Scalar) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_lower(value: str) -> bool:
    model = value.split(".")[1]
    return model == model.lower()


def _naming(word: Word, source: SourceColumn, here: Here) -> Naming:
    """The table that the column refers to, else Django's own in the source's schema."""
    relation, catalog = here.source.relation, here.world.source
    keys = relation.foreign_keys if relation else ()
    own = [(key.references, key.to[0]) for key in keys if key.columns == (source.name,)]
    for name, key in [*own, (Name(here.world.project.source.schema, DJANGO), "id")]:
        found = catalog.find(name.schema, name.name)
        if found is not None and {*_MADE_OF, key} <= {each.name for each in found.columns}:
            return Naming(name, key, source.name)
    message = f'nothing in the source says what the types in "{word}" are called: it has no {DJANGO}'
    raise SpecError([Diagnostic("E310", message, word.span, "types by name", "list the ids: {12: ..., 15: ...}")])
