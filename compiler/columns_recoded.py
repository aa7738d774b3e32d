"""`{from: status, map: {0: draft, 1: submitted}, otherwise: reject}`: one value for another."""

from __future__ import annotations

from collections.abc import Iterator

from compiler import constants
from compiler.bound import Guard, SourceColumn
from compiler.casts import Cast, Side, cast
from compiler.columns_copied import there
from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.spec import Mapping, Recode, Scalar
from compiler.sql import Sql, column, join, literal
from compiler.type_names import are_names, named, unlisted
from compiler.types import TEXT, TypeName
from compiler.world import Here, Made, accepted, moved, refuse

_FITS = "a value before the colon is one of the source, behind it one of the target"
NO_MAPPING = "22000"  # data_exception: a value that the map does not list


def recoded(mapping: Mapping, how: Recode, here: Here) -> Made:
    """The value that the map has for the source's. NULL stays NULL. Raises SpecError."""
    own = here.source.column(how.source)
    source = _by_name(how, own, here)
    side = here.world.types.of_source(source.type)
    type = here.declared(mapping) or _type(mapping, how, source, here)
    target = here.world.types.of_target(type)
    keys = tuple(_checked(how, side, target))
    kept = _kept(mapping, source, side, target, here) if how.otherwise == "keep" else None
    value = _case(source, how, keys, target, kept)
    becomes_null = how.otherwise == "null" or any(made is None for _, made, _ in how.values)
    return Made(
        value=value,
        type=type,
        null=own.null or becomes_null or (how.otherwise == "constant" and how.constant is None),
        present=_present(source, value, becomes_null, kept),
        reads=tuple(dict.fromkeys((own.name, source.name))),
        guards=tuple(_guards(mapping, how, own, source, keys, kept)),
    )


def _by_name(how: Recode, source: SourceColumn, here: Here) -> SourceColumn:
    """The column that the values are looked for in: of types that are listed by name, that of their names."""
    listed = [(value, span) for value, _, span in how.values]
    if are_names(here.world.types.of_source(source.type), listed):
        return named(how.source, source, listed, here)
    return source


def _type(mapping: Mapping, how: Recode, source: SourceColumn, here: Here) -> TypeName:
    if how.otherwise == "keep":
        return moved(mapping, here, source.type)
    found = constants.type_of([*(made for _, made, _ in how.values), how.constant])
    if found is None:
        refuse(mapping, "E502", "the values of the map are of several kinds", "of which type?", "say it: type: text")
    return found


def _checked(how: Recode, side: Side, target: Side) -> Iterator[Sql]:
    """The listed values as the source's; those that they become are looked at too. Raises SpecError."""
    problems: list[Diagnostic] = []
    seen: dict[Sql, Span] = {}
    for listed, made, span in how.values:
        try:
            key = key_of(listed, side)
            constants.constant(made, target)
        except ValueError as error:
            problems.append(Diagnostic("E503", str(error), span, "does not fit", _FITS))
            continue
        if key in seen:
            message, label = f'value "{listed}" is listed twice', f"line {seen[key].line} too"
            problems.append(Diagnostic("E207", message, span, label, "take one of the two out"))
        seen.setdefault(key, span)
    if problems:
        raise SpecError(problems)
    yield from seen


def key_of(listed: Scalar, side: Side) -> Sql:
    """A listed value as one of the source's. Raises ValueError where that has no such value."""
    made = constants.constant(listed, side)
    if side.type.family == "integer":
        return literal(int(str(listed)))
    return literal(listed if isinstance(listed, str) else str(listed).lower()) if side.type.family == "text" else made


def _kept(mapping: Mapping, source: SourceColumn, side: Side, target: Side, here: Here) -> Cast:
    found = cast(column("s", source.name), side, target, here.world.zone)
    return accepted(mapping, f'column "{source.name}"', side, target, found)


def _case(source: SourceColumn, how: Recode, keys: tuple[Sql, ...], target: Side, kept: Cast | None) -> Sql:
    value = column("s", source.name)
    pairs = zip(keys, how.values, strict=True)
    branches = " ".join(f"WHEN {key} THEN {_shown(made, target)}" for key, (_, made, _) in pairs)
    if kept is not None:
        return Sql(f"CASE {value} {branches} ELSE {kept.value} END")
    if how.otherwise != "constant":
        return Sql(f"CASE {value} {branches} END")
    case = f"CASE {value} {branches} ELSE {_shown(how.constant, target)} END"
    return Sql(f"CASE WHEN {value} IS NOT NULL THEN {case} END" if source.null else case)


def _shown(value: Scalar, target: Side) -> Sql:
    """A CASE of texts is a text: its branches need not say so."""
    made = constants.constant(value, target)
    return Sql(made.removesuffix("::text")) if target.type == TEXT and value is not None else made


def _present(source: SourceColumn, value: Sql, becomes_null: bool, kept: Cast | None) -> Sql | None:
    """A value that is kept may fail its cast: then only the source column can be looked at."""
    if not becomes_null:
        return there(source)
    return None if kept is not None and kept.test is not None else Sql(f"{value} IS NOT NULL")


def _guards(
    mapping: Mapping, how: Recode, own: SourceColumn, source: SourceColumn, keys: tuple[Sql, ...], kept: Cast | None
) -> Iterator[Guard]:
    value, listed = column("s", source.name), join(", ", keys)
    if how.otherwise == "reject":
        ok = Sql(f"{value} IN ({listed})")
        ok = Sql(f"{column('s', own.name)} IS NULL OR {ok}") if own.null else ok
        told = unlisted(own, source, "has no mapping") if source.named else None
        yield Guard(mapping.target.text, ok, f"{own.name} has no mapping", NO_MAPPING, told)
    elif kept is not None and kept.test is not None:
        ok = Sql(f"{value} IN ({listed}) OR ({kept.test.ok})")
        yield Guard(mapping.target.text, ok, f"{source.name} {kept.test.reason}", kept.test.sqlstate)
