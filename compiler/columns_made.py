"""Columns that are computed: expressions, constants, JSON objects, derived ids, and numbers that the target gives."""

from __future__ import annotations

from collections.abc import Sequence

from compiler import constants, ids
from compiler.bound import Guard, Lookup, SourceColumn, legacy_name
from compiler.casts import Cast, Condition, Side, cast
from compiler.columns_copied import there
from compiler.diagnostics import Diagnostic, SpecError
from compiler.expressions import Scalar, Scope, scalar
from compiler.functions import functions
from compiler.layout import EXTENSIONS
from compiler.spec import Constant, Derived, Expression, Identity, Ids, Json, Mapping, Word
from compiler.sql import Sql, column, fits, join, literal
from compiler.types import BIGINT, JSONB, UUID, TypeName
from compiler.world import Here, Made, World, accepted, refuse

_PAIRS = 50  # of jsonb_build_object(): a function takes 100 arguments
_NO_KEYS = ("float", "other")  # families whose values have no one text
_KEYS = ("inet", "cidr", "macaddr", "macaddr8", "oid")  # of the family "other", and still fine


def constant(mapping: Mapping, how: Constant, here: Here) -> Made:
    """The same value in every row. Raises SpecError."""
    type = here.declared(mapping) or constants.type_of([how.value])
    if type is None:
        refuse(mapping, "E502", "the type of nothing cannot be told", "of which type?", "say it: type: text")
    try:
        value = constants.constant(how.value, here.world.types.of_target(type))
    except ValueError as error:
        hint = "write another value, or give the column another type: type: text"
        raise SpecError([Diagnostic("E503", str(error), mapping.span, "does not fit", hint)]) from None
    return Made(value, type, how.value is None, None, ())


def packed(mapping: Mapping, how: Json, here: Here) -> Made:
    """A jsonb object of source columns. Raises SpecError."""
    found = [(key, here.source.column(word)) for key, word in how.entries]
    pairs = [Sql(f"{literal(key)}, {column('s', source.name)}") for key, source in found]
    parts = [pairs[at : at + _PAIRS] for at in range(0, len(pairs), _PAIRS)]
    value = join(" || ", [Sql(f"jsonb_build_object({join(', ', part)})") for part in parts])
    type = here.declared(mapping) or JSONB
    side, target = Side(JSONB, "jsonb"), here.world.types.of_target(type)
    made = accepted(
        mapping, "a JSON object", side, target, cast(_atom(value, len(parts)), side, target, here.world.zone)
    )
    return Made(value if made.value == _atom(value, len(parts)) else made.value, type, False, None, _names(found))


def _atom(value: Sql, parts: int) -> Sql:
    return value if parts == 1 else Sql(f"({value})")


def _names(found: Sequence[tuple[str, SourceColumn]]) -> tuple[str, ...]:
    return tuple(source.name for _, source in found)


def scope(here: Here) -> Scope:
    """What an expression over the row `s` may name; it runs on the target."""
    types = here.world.types
    columns: dict[str, TypeName | None] = {
        name: types.of_source(found.type).type if found.type else None for name, found in here.source.columns.items()
    }
    return Scope(here.source.what, columns, "s", here.world.target.server)


def expression(mapping: Mapping, how: Expression, here: Here) -> Made:
    """What the author computes. Raises SpecError."""
    found = scalar(how.sql, scope(here))
    for name in found.columns:
        here.source.column(Word(name, how.sql.span))
    type = here.declared(mapping) or _told(mapping, found)
    target = here.world.types.of_target(type)
    value, test = _as(mapping, found, target, here)
    for what, span in found.session:
        message = f"{what} gives another value in another run: it cannot be compared with the source"
        hint = "what is made of the row alone, as {uuid: id} is, is the same each time"
        here.world.warn("W401", message, span, "not repeatable", hint)
    return Made(
        value=value,
        type=type,
        null=True,
        present=Sql(f"{found.atom} IS NOT NULL") if found.total else None,
        reads=found.columns,
        guards=(Guard(mapping.target.text, test.ok, f"the value {test.reason}", test.sqlstate),) if test else (),
        differs=_differs(found, here.world),
        steady=not found.session,
        local=_sure(found, target.type) if value == found.sql else None,
        written=True,
    )


def _told(mapping: Mapping, found: Scalar) -> TypeName:
    if found.type is None or found.type.user is not None:
        hint = "say it: type: text, or cast it: (...)::text"
        refuse(mapping, "E502", "the type of the expression cannot be told", "of which type?", hint)
    return found.type


def _as(mapping: Mapping, found: Scalar, target: Side, here: Here) -> tuple[Sql, Condition | None]:
    """The expression as a value of the target's type.

    Where casts know how, they keep it from losing anything. Otherwise the cast is the author's: but for a text that may
    be too long, which an explicit cast would cut. The insert itself refuses it.
    """
    if found.type is not None and found.type.user is None:
        made = cast(found.atom, Side(found.type, str(found.type)), target, here.world.zone)
        if isinstance(made, Cast) and (made.test is None or found.total):
            return (found.sql if made.value == found.atom else made.value), made.test
    if target.type.length is not None and target.shown != str(target.type):
        message = f"a value too long for {target.shown} would be cut"
        refuse(mapping, "E501", message, "may be too long", f"cast it as it is meant: (...)::{target.type}")
    if target.labels is not None or target.opaque or target.type.length is not None:
        return Sql(f"{found.atom}::text"), None
    return Sql(f"{found.atom}::{target.type}"), None


def _sure(found: Scalar, type: TypeName) -> Sql:
    """An expression whose type was told from its text, as surely of that type: COPY takes bytes as they come.

    Without a length: a cast would cut what is longer, where an insert refuses it. An array with a length is one of a
    column, or of a cast that its author wrote, and is sure already.
    """
    if type.array and type.args:
        return found.sql
    if type.family == "text" and type.base != "name":
        return Sql(f"{found.atom}::text")
    return Sql(f"{found.atom}::{'bit varying' if type.base in ('bit', 'bit varying') and not type.array else type}")


def _differs(found: Scalar, world: World) -> str:
    """Why the source cannot compute the expression; "" where it can."""
    if found.session:
        return f"{found.session[0][0]} gives another value each time"
    if world.one_database:
        return ""
    if found.foreign:
        return f"{found.foreign[0]} need not be the same in the source"
    late = [known for name in found.calls if (known := functions().get(name)) and known.since > world.source.server]
    return f"{late[0].name}() is not there in the source's PostgreSQL {world.source.server}" if late else ""


def derived(mapping: Mapping, how: Derived, here: Here) -> Made:
    """The id of the row, derived from its source key. Raises SpecError."""
    found = tuple(here.source.column(word) for word in how.sources)
    types = [key_type(word, source, here) for word, source in zip(how.sources, found, strict=True)]
    key = [(column("s", source.name), type) for source, type in zip(found, types, strict=True)]
    return derived_id(mapping, here.table.name.text, key, found, here)


def derived_id(
    mapping: Mapping,
    table: str,
    key: Sequence[tuple[Sql, TypeName]],
    found: Sequence[SourceColumn],
    here: Here,
) -> Made:
    """The id of the row of `table` whose key is `key`, made of the columns `found`. Raises SpecError."""
    given, world = here.world.project.ids, here.world
    assert given is not None  # validate: who derives keys has ids
    schema = _id_schema(mapping, given, world)
    value = ids.derived(given, table, key, schema)
    type = here.declared(mapping) or UUID
    side, target = Side(UUID, "uuid"), world.types.of_target(type)
    made = accepted(mapping, "a derived id", side, target, cast(value, side, target, world.zone))
    local, differs = made.value, ""
    if given.version == 5 and not world.one_database:
        there_schema = world.source.extensions.get(ids.EXTENSION, "")
        differs = "" if there_schema else f"the source has no {ids.EXTENSION}"
        other = cast(ids.derived(given, table, key, there_schema or schema), side, target, world.zone)
        local = other.value if isinstance(other, Cast) else local
    null = any(source.null for source in found)
    present = join(" AND ", [there(source) for source in found])
    names = tuple(source.name for source in found)
    raw = ids.derived_bytes(given, table, key) if made.value == value else None
    return Made(made.value, type, null, present, names, differs=differs, local=local, raw=raw)


def _id_schema(mapping: Mapping, given: Ids, world: World) -> str:
    """The schema of uuid-ossp in the target."""
    if given.version == 3:
        return ""
    if ids.EXTENSION in world.target.extensions:
        return world.target.extensions[ids.EXTENSION]
    if any(word.text == ids.EXTENSION for word in world.project.extensions):
        return EXTENSIONS
    message = f'ids of version 5 need the extension "{ids.EXTENSION}", which the target does not have'
    hint = f"name it under requires: {{extensions: [{ids.EXTENSION}]}}, or take version 3"
    raise SpecError([Diagnostic("E317", message, given.span, "version 5", hint)])


def key_type(word: Word, source: SourceColumn, here: Here) -> TypeName:
    """The type of a column that ids are derived from: each value has one text. Raises SpecError."""
    side = here.world.types.of_source(source.type)
    if side.type.family in _NO_KEYS and side.type.base not in _KEYS:
        message = f'no id can be derived from column "{source.name}" of type {side.shown}'
        hint = "take another column, or cast it in a query: from: {sql: ...}"
        raise SpecError([Diagnostic("E504", message, word.span, "one value may have several texts", hint)])
    return side.type


def numbered(mapping: Mapping, how: Identity, here: Here) -> Made:
    """A number that the target gives: the table's map has it before the row is loaded. Raises SpecError."""
    del how  # it says nothing more
    type = here.declared(mapping) or BIGINT
    if here.world.types.of_target(type).type.family != "integer":
        message, hint = f"the target numbers with whole numbers, not with {type}", "take integer or bigint"
        refuse(mapping, "E504", message, "of another type", hint)
    if not here.source.keyset:
        hint = "name the key of the query, or take another key"
        refuse(mapping, "E507", f"{here.source.what} has no key to remember which row got which number", "", hint)
    name = mapping.target.text
    alias = fits(f"m_{name}")
    value = column(alias, name)
    match = tuple((legacy_name(source.name), column("s", source.name)) for source in here.source.keyset)
    return Made(
        value=value,
        type=type,
        null=True,
        present=Sql(f"{value} IS NOT NULL"),
        reads=tuple(source.name for source in here.source.keyset),
        differs="the target gave the number",
        lookup=Lookup(alias, here.id, match),
        identity=here.existing is None,
    )
