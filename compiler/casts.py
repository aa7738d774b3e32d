"""How a value of one type becomes one of another: the cast and the test that nothing is lost, or a refusal."""

from dataclasses import dataclass, field
from typing import NamedTuple

from compiler import casts_text, dates
from compiler.sql import Sql, join, literal
from compiler.types import TEXT, TypeName

LENGTH = {"smallint": 6, "integer": 11, "bigint": 20, "uuid": 36, "boolean": 5}  # the longest text of any value
DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
RANGES = {base: (-(2**bits), 2**bits - 1) for base, bits in (("smallint", 15), ("integer", 31), ("bigint", 63))}
_ORDER = ("smallint", "integer", "bigint")
_EXACT_FLOATS = {("smallint", "real"), ("smallint", "double precision"), ("integer", "double precision")}
_PLAIN_PAIRS = frozenset(  # casts that lose nothing and need no rule of their own
    [
        ("cidr", "inet"),
        ("json", "jsonb"),
        ("jsonb", "json"),
        ("macaddr", "macaddr8"),
        ("money", "numeric"),
        ("oid", "bigint"),
        ("real", "double precision"),
    ]
)


@dataclass(frozen=True, slots=True)
class Side:
    """A value's type on one side: the built-in `type` that it travels as, `shown` as people know it.

    `labels` are those of an enum, which travels as text; `opaque` marks any other type that does.
    """

    type: TypeName
    shown: str = field(compare=False)
    labels: tuple[str, ...] | None = None
    opaque: str = ""


class Condition(NamedTuple):
    """What a value must be to be cast. `ok` is true for NULL and never raises; `reason` follows the column's name."""

    ok: Sql
    reason: str
    sqlstate: str


@dataclass(frozen=True, slots=True)
class Cast:
    """`value` is of the target's type. `kept`: its text is that of the source's value, which can so be told from it."""

    value: Sql
    test: Condition | None = None
    kept: bool = False
    warning: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no cast, or it would lose something; `message` follows "source to target"."""

    message: str
    hint: str = ""


def cast(value: Sql, source: Side, target: Side, zone: str) -> Cast | Refused:
    """`value`, a column or an expression in parentheses of type `source`, as one of type `target`.

    Times without a zone are taken as those of `zone` where the target has one.
    """
    if target.labels is not None:
        return _to_enum(value, source, target.labels)
    if source == target or (source.type == target.type and not source.opaque and not target.opaque):
        return Cast(value, kept=True)
    if target.opaque:
        return _to_opaque(value, source, target)
    if target.type.family == "text":
        return _to_text(value, source, target)
    if source.type.family == "text" and not source.opaque:
        return _from_text(value, source, target, zone)
    if source.type.array and target.type.array:
        return _array(value, source, target, zone)
    return _between(value, source.type, target.type, zone)


def text_of(value: Sql, type: TypeName) -> Sql:
    """`value` as text: character(n) loses its padding."""
    return value if type.base in ("text", "character varying") and not type.array else Sql(f"{value}::text")


def _to_enum(value: Sql, source: Side, labels: tuple[str, ...]) -> Cast | Refused:
    if source.labels is not None and set(source.labels) <= set(labels):
        return Cast(value, kept=True)
    if source.type.family != "text" or source.opaque:
        return Refused("no value of the one is a label of the other", 'write it with map: or sql: "..."')
    text = text_of(value, source.type)
    listed = join(", ", map(literal, labels))
    return Cast(
        text,
        Condition(Sql(f'{text} IS NULL OR {text} COLLATE "C" IN ({listed})'), "is none of its labels", "22P02"),
        kept=True,
    )


def _to_opaque(value: Sql, source: Side, target: Side) -> Cast | Refused:
    """Through its text form: what the type does not take is found by sifting."""
    if source.opaque == target.opaque or source.type.family == "text":
        return Cast(text_of(value, source.type), kept=source.opaque == target.opaque)
    return Refused("there is no cast that keeps everything", 'write it as sql: "..."')


def _to_text(value: Sql, source: Side, target: Side) -> Cast | Refused:
    if target.type.base == "name":
        test = Condition(
            Sql(f"{value} IS NULL OR octet_length({value}::text) <= 63"), "is longer than 63 bytes", "22001"
        )
        return Cast(Sql(f"{value}::name"), test)
    text = text_of(value, source.type)
    kept = source.type.family in ("text", "integer", "uuid") or source.labels is not None
    made = text if target.type == TEXT else Sql(f"{text}::{target.type}")
    return Cast(made, _length(text, source, target.type), kept)


def _length(text: Sql, source: Side, target: TypeName) -> Condition | None:
    """A longer text is set aside, never cut; nor are blanks at its end, that character(n) would not keep."""
    limit = target.length
    padded = target.base in ("character", "bpchar") and source.type.base not in ("character", "bpchar", *LENGTH)
    if padded and source.labels is None:
        short = f" AND char_length({text}) <= {limit}" if limit else ""
        ok = Sql(f"{text} IS NULL OR right({text}, 1) <> ' '{short}")
        return Condition(
            ok, f"is longer than {limit} characters, or ends in a blank" if limit else "ends in a blank", "22001"
        )
    if limit is None or _longest(source) <= limit:
        return None
    return Condition(
        Sql(f"{text} IS NULL OR char_length({text}) <= {limit}"), f"is longer than {limit} characters", "22001"
    )


def _longest(source: Side) -> float:
    if source.labels is not None:
        return max(map(len, source.labels), default=0)
    if source.type.family == "text":
        return source.type.length or float("inf")
    return LENGTH.get(str(source.type), float("inf"))


def _from_text(value: Sql, source: Side, target: Side, zone: str) -> Cast | Refused:
    text = text_of(value, source.type)
    type, length = target.type, source.type.length
    shown = f"is no {target.shown}"
    match type.family:
        case "integer":
            return Cast(
                Sql(f"{text}::{type}"), Condition(casts_text.integer(text, length, *RANGES[type.base]), shown, "22P02")
            )
        case "numeric":
            return Cast(Sql(f"{text}::{type}"), Condition(casts_text.number(text, length, type), shown, "22P02"))
        case "float":
            return Cast(Sql(f"{text}::{type}"), Condition(casts_text.float(text, length, type), shown, "22P02"))
        case "boolean":
            return Cast(Sql(f"{text}::boolean"), Condition(casts_text.boolean(text), shown, "22P02"))
        case "uuid":
            return Cast(Sql(f"{text}::uuid"), Condition(casts_text.uuid(text), shown, "22P02"))
        case "date" | "timestamp" | "timestamptz" | "time":
            made, ok = dates.iso(text, type, zone)
            return Cast(
                made,
                Condition(ok, f"{shown} in ISO form", "22007"),
                warning="is read in ISO form only, such as 1999-12-31",
                hint="say how it is written: format: DD.MM.YYYY",
            )
    if type.base in ("bytea", "name", '"char"') or type.args:
        return Refused("there is no cast that keeps everything", 'write it as sql: "..."')
    return Cast(Sql(f"{text}::{type}"))


def _array(value: Sql, source: Side, target: Side, zone: str) -> Cast | Refused:
    """Element by element, where each element's cast is a plain one that needs no test."""
    inner = cast(Sql("x"), Side(source.type.element, ""), Side(target.type.element, ""), zone)
    if isinstance(inner, Cast) and inner.test is None and inner.value in ("x", f"x::{target.type.element}"):
        return Cast(Sql(f"{value}::{target.type}"))
    return Refused("elements would need tests of their own, or lose something", 'write it as sql: "..."')


def _between(value: Sql, source: TypeName, target: TypeName, zone: str) -> Cast | Refused:
    plain = Sql(f"{value}::{target}")
    match source.family, target.family:
        case "integer", "integer":
            if _ORDER.index(source.base) < _ORDER.index(target.base):
                return Cast(plain, kept=True)
            return Refused("the greatest values would not fit", _as_sql(plain))
        case "integer", "numeric":
            return _integer_to_numeric(value, source, target)
        case "integer", "boolean":
            return Refused("a number is no truth value", "say which is which: map: {0: false, 1: true}")
        case "integer", "float" if (source.base, target.base) in _EXACT_FLOATS:
            return Cast(plain)
        case "boolean", "integer":
            return Cast(plain if target.base == "integer" else Sql(f"{value}::integer::{target}"))
        case "numeric", "integer":
            return _numeric_to_integer(value, source, target)
        case "numeric", "numeric":
            return _numeric(value, source, target)
        case "date", "timestamp":
            return Cast(plain)
        case "date" | "timestamp", "timestamptz" if source.family == "date" or source.seconds <= target.seconds:
            return Cast(_zoned(value, source, target, zone))
        case "timestamp" | "timestamptz" | "time" as family, other if family == other:
            if source.seconds <= target.seconds:
                return Cast(plain)
        case "timestamptz", "timestamp" | "date" as family:
            local = f"({value} AT TIME ZONE {literal(zone)})"
            return Refused("the zone would be lost", _as_sql(Sql(f"{local}::date" if family == "date" else local)))
    if source.base == target.base and not (target.args or target.modifier or source.array or target.array):
        return Cast(plain)
    if (source.base, target.base) in _PLAIN_PAIRS and not target.args and not (source.array or target.array):
        return Cast(plain)
    if source.base in ("bit", "bit varying") and target.base == "bit varying" and _holds(target, source):
        return Cast(plain)
    return Refused("there is no cast that keeps everything", 'write it as sql: "..."')


def _as_sql(value: Sql) -> str:
    return f'write it as sql: "{value}" where that is meant'


def _holds(target: TypeName, source: TypeName) -> bool:
    return not target.args or (bool(source.args) and source.args[0] <= target.args[0])


def _zoned(value: Sql, source: TypeName, target: TypeName, zone: str) -> Sql:
    local = Sql(f"{value}::timestamp") if source.family == "date" else value
    made = dates.in_zone(local, zone)
    return Sql(f"{made}::{target}") if target.args else made


def _integer_to_numeric(value: Sql, source: TypeName, target: TypeName) -> Cast | Refused:
    digits = target.whole_digits
    plain = Sql(f"{value}::{target}")
    if digits is None:
        return Cast(plain, kept=True)
    if (target.scale or 0) < 0:
        return Refused("its last digits would be rounded away", _as_sql(plain))
    kept = target.scale == 0
    if digits >= DIGITS[source.base]:
        return Cast(plain, kept=kept)
    most = 10 ** max(digits, 0) - 1
    return Cast(plain, Condition(_in_range(value, -most, most), f"does not fit {target}", "22003"), kept)


def _numeric_to_integer(value: Sql, source: TypeName, target: TypeName) -> Cast | Refused:
    """Tested even where all digits fit: NaN is a numeric, and the error it raises is none that a row may cause."""
    plain = Sql(f"{value}::{target}")
    if source.scale is None or source.scale > 0:
        return Refused("decimals would be rounded away", _as_sql(Sql(f"round({value})::{target}")))
    return Cast(plain, Condition(_in_range(value, *RANGES[target.base]), f"does not fit {target}", "22003"), kept=True)


def _in_range(value: Sql, least: int, most: int) -> Sql:
    return Sql(f"{value} IS NULL OR {value} BETWEEN {least} AND {most}")


def _numeric(value: Sql, source: TypeName, target: TypeName) -> Cast | Refused:
    plain = Sql(f"{value}::{target}")
    if target.scale is None or target.whole_digits is None:
        return Cast(plain)
    if source.scale is None or source.scale > target.scale:
        return Refused("decimals would be rounded away", _as_sql(Sql(f"round({value}, {target.scale})::{target}")))
    if source.whole_digits is not None and source.whole_digits <= target.whole_digits:
        return Cast(plain)
    ok = Sql(f"{value} IS NULL OR abs({value}) < 1e{target.whole_digits} OR {value} = 'NaN'")
    return Cast(plain, Condition(ok, f"does not fit {target}", "22003"))
