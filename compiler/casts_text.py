r"""Tests of texts that are to become numbers, truth values and UUIDs; none raises, whatever the text is.

They take what every supported server takes, in ordinary notation. Set aside, though some servers would take them: texts
of more than 1,000 bytes, NaN and infinity, 0x1F and 1_000, exponents of more than three digits. NULL passes.
"""

from compiler.patterns import passes, when
from compiler.sql import Sql
from compiler.types import TypeName

_MOST_BYTES = 1000  # numeric raises beyond 131,072 digits; nobody's number has a hundredth of that
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*"
_BOOLEAN = r"\s*(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0)\s*"
_HEX = r"([\da-f]{4}-?){7}[\da-f]{4}"
_UUID = rf"(\{{{_HEX}\}}|{_HEX})"
# Between these a double or a real is neither infinite nor zero, nor one of the tiny numbers with few digits left.
_FLOATS = {"double precision": ("1e-307", "1e308"), "real": ("1e-37", "1e38")}


def integer(text: Sql, length: int | None, least: int, most: int) -> Sql:
    """A whole number from `least` to `most`; no text is longer than `length`."""
    return _short(text, length, r"\s*[+-]?\d+\s*", f"{text}::numeric BETWEEN {least} AND {most}")


def number(text: Sql, length: int | None, type: TypeName) -> Sql:
    """A number that the numeric `type` holds without rounding."""
    if type.scale is None:
        return _short(text, length, _NUMBER, "true")
    value = f"{text}::numeric"
    return _short(
        text, length, _NUMBER, f"{value} = round({value}, {type.scale}) AND abs({value}) < 1e{type.whole_digits}"
    )


def float(text: Sql, length: int | None, type: TypeName) -> Sql:
    """A number that comes out of `type` as it went in: 0.1 does, 9007199254740993 does not."""
    least, most = _FLOATS[type.base]
    value = f"{text}::numeric"
    same = f"{text}::{type}::text::numeric = {value}"
    fits = f"CASE WHEN {value} = 0 OR abs({value}) BETWEEN {least} AND {most} THEN {same} ELSE false END"
    return _short(text, length, _NUMBER, fits)


def boolean(text: Sql) -> Sql:
    """What PostgreSQL takes for a truth value."""
    return passes(text, _BOOLEAN, fold=True)


def uuid(text: Sql) -> Sql:
    """32 hexadecimal digits, with a hyphen after any four of them, in braces or not."""
    return passes(text, _UUID, fold=True)


def _short(text: Sql, length: int | None, pattern: str, then: str) -> Sql:
    """Whether a text is too long is only asked where its type does not say."""
    return when(text, pattern, then, limit=_MOST_BYTES if length is None or length > _MOST_BYTES // 4 else 0)
