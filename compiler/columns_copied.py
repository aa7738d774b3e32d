"""`total: total`, `same: [total]`, `{from: due, type: date, format: DD.MM.YYYY}`: a source column, cast where asked."""

from __future__ import annotations

from compiler import dates
from compiler.bound import Guard, SourceColumn
from compiler.casts import Condition, cast, text_of
from compiler.catalog import Column
from compiler.diagnostics import Diagnostic, SpecError
from compiler.spec import Copy, Mapping, Word
from compiler.sql import Sql, column
from compiler.types import TypeName, read_type
from compiler.world import Here, Made, accepted, moved, refuse

_DATE = read_type("date")
_TIMESTAMP = read_type("timestamp")
_READ_BY_FORMAT = ("date", "timestamp", "timestamptz", "time")


def copied(mapping: Mapping, how: Copy, here: Here) -> Made:
    """The source column under the target's name and type. Raises SpecError."""
    source = here.source.column(how.source)
    if how.format is not None:
        return _formatted(mapping, source, how.format, here)
    side = here.world.types.of_source(source.type)
    type = here.declared(mapping) or moved(mapping, here, source.type)
    target = here.world.types.of_target(type)
    found = cast(column("s", source.name), side, target, here.world.zone)
    made = accepted(mapping, f'column "{source.name}"', side, target, found)
    if made.warning:
        here.world.warn("W501", f'column "{source.name}" {made.warning}', mapping.span, "without a format", made.hint)
    return Made(
        value=made.value,
        type=type,
        null=source.null,
        present=there(source),
        reads=(source.name,),
        guards=tuple(guard(mapping, source, made.test)),
        copies=source.name if made.kept else "",
        identity=made.kept and _numbers_on(mapping, source, here, type),
        collation=_collation(mapping, source, here, type),
    )


def there(source: SourceColumn) -> Sql:
    """The column is not NULL."""
    return Sql(f"{column('s', source.name)} IS NOT NULL")


def guard(mapping: Mapping, source: SourceColumn, test: Condition | None) -> list[Guard]:
    """The test of a cast as a guard of the target's column."""
    if test is None:
        return []
    return [Guard(mapping.target.text, test.ok, f"{source.name} {test.reason}", test.sqlstate)]


def _numbers_on(mapping: Mapping, source: SourceColumn, here: Here, type: TypeName) -> bool:
    """A key that the source numbers goes on being numbered in a created table; an existing one knows by itself."""
    in_key = mapping.target.text in here.key
    return here.existing is None and in_key and type.family == "integer" and here.source.numbers(source.name)


def _collation(mapping: Mapping, source: SourceColumn, here: Here, type: TypeName) -> Sql | None:
    """PostgreSQL's own collations are there in the target too; others are not known to be."""
    found = here.source.relation.column(source.name) if here.source.relation else None
    if here.existing is not None or found is None or found.collation is None or not _has_collation(found, type):
        return None
    if found.collation.startswith("pg_catalog."):
        return Sql(found.collation)
    message = f'collation {found.collation} of column "{source.name}" is not carried over'
    here.world.warn("W304", message, mapping.span, "will have the default", "order and equality of texts may change")
    return None


def _has_collation(source: Column, type: TypeName) -> bool:
    return type.family == "text" and read_type(source.type).family == "text"


def _formatted(mapping: Mapping, source: SourceColumn, word: Word, here: Here) -> Made:
    format = _read(word)
    side = here.world.types.of_source(source.type)
    if side.type.family not in ("text", "integer") or side.opaque:
        message = f'a format reads texts, and column "{source.name}" is of type {side.shown}'
        raise SpecError([Diagnostic("E505", message, word.span, "nothing to read", "leave the format out")])
    type = here.declared(mapping) or (_TIMESTAMP if "HH24" in format.tokens else _DATE)
    target = here.world.types.of_target(type)
    if target.type.family not in _READ_BY_FORMAT:
        hint = "take date, time, timestamp or timestamptz, or leave the format out"
        refuse(mapping, "E505", f"a format makes dates and times, and {target.shown} is neither", "", hint)
    if problem := dates.missing(format, target.type):
        hint = "add what is missing, or take another type"
        raise SpecError([Diagnostic("E505", problem, word.span, "for " + target.shown, hint)])
    value = text_of(column("s", source.name), side.type)
    made, ok = dates.by_format(value, format, target.type, here.world.zone)
    if ok is None:
        message = f'nothing can test texts for the format "{word}": to_timestamp() takes what only resembles it'
        hint = "YYYY, MM, DD, HH24, MI, SS, MS and US are tested to the letter"
        here.world.warn("W502", message, word.span, "not tested", hint)
    test = Condition(ok, f"is no {target.shown} {word}", "22007") if ok is not None else None
    guards = tuple(guard(mapping, source, test))
    return Made(made, type, source.null, there(source), (source.name,), guards)


def _read(word: Word) -> dates.Format:
    try:
        return dates.read_format(word.text)
    except ValueError as error:
        hint = "such as YYYY-MM-DD, DD.MM.YYYY or YYYY-MM-DD HH24:MI:SS"
        raise SpecError([Diagnostic("E505", str(error), word.span, "no format", hint)]) from None
