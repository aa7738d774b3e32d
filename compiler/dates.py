"""Texts that hold dates and times, by a format such as DD.MM.YYYY or in ISO form: the value, and a safe test."""

import re
from dataclasses import dataclass

from compiler.patterns import matches, passes, when
from compiler.sql import Sql, literal
from compiler.types import TypeName

# A token is read by its shape; what a shape alone cannot exclude is the 31st of a short month, and 29 February.
_SHAPES = {
    "YYYY": r"(?!0000)\d{4}",
    "YY": r"\d{2}",
    "MM": r"(0[1-9]|1[0-2])",
    "DD": r"(0[1-9]|[12]\d|3[01])",
    "HH24": r"([01]\d|2[0-3])",
    "MI": r"[0-5]\d",
    "SS": r"[0-5]\d",
    "MS": r"\d{3}",
    "US": r"\d{6}",
}
_WIDTHS = {"YYYY": 4, "HH24": 2, "MS": 3, "US": 6}
_DATE = frozenset(["YYYY", "YY", "MM", "DD"])
_TIME = frozenset(["HH24", "MI", "SS", "MS", "US"])
# The rest of what to_date() and to_timestamp() know. They are lenient, and raise: no test stands before them.
_LOOSE = """
Y,YYY YYY Y IYYY IYY IY I BC AD B.C. A.D. MONTH MON DAY DY DDD IDDD ID D WW IW W CC J Q RM HH12 HH AM PM A.M. P.M.
SSSSS SSSS TZH TZM TZ OF FF1 FF2 FF3 FF4 FF5 FF6 FM FX TM
"""
_ZONES = frozenset(["TZ", "TZH", "TZM", "OF"])
_TOKEN = re.compile("|".join(map(re.escape, sorted([*_SHAPES, *_LOOSE.split()], key=len, reverse=True))), re.IGNORECASE)
_SPECIAL = re.compile(r"[][.^$*+?(){}|\\]")  # what a regular expression of PostgreSQL takes for more than itself
_MAX_FORMAT = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of a format, or the text between two; `at` counts characters from 1."""

    token: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Format:
    """`DD.MM.YYYY HH24:MI`; `exact` where every token has one shape."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def tokens(self) -> frozenset[str]:
        """The tokens in it."""
        return frozenset(piece.token for piece in self.pieces if piece.token)

    @property
    def exact(self) -> bool:
        """Every token has one shape, so that a text is of this format or it is not."""
        return self.tokens <= _SHAPES.keys()


def read_format(text: str) -> Format:
    """Take a format apart. Raises ValueError with a sentence that says what is wrong."""
    pieces: list[Piece] = []
    at, place = 0, 1
    while at < len(text):
        piece, at = _piece(text, at, place)
        pieces.append(piece)
        place += _WIDTHS.get(piece.token, 2) if piece.token else len(piece.text)
    tokens = [piece.token for piece in pieces if piece.token]
    if not tokens or len(text) > _MAX_FORMAT:
        raise ValueError("a format is made of YYYY, MM, DD, HH24, MI, SS and the characters between them")
    if len(tokens) != len(set(tokens)) or {"YYYY", "YY"} <= set(tokens) or {"MS", "US"} <= set(tokens):
        raise ValueError("the format says one thing twice")
    return Format(text, tuple(pieces))


def _piece(text: str, at: int, place: int) -> tuple[Piece, int]:
    if found := _TOKEN.match(text, at):
        return Piece(found[0].upper(), "", place), found.end()
    if found := re.compile(r'"([^"]*)"').match(text, at):
        return Piece("", found[1], place), found.end()
    if text[at].isalpha() and text[at] != "T":
        raise ValueError(f'"{text[at:]}" in the format is no token of a date or a time; put letters in double quotes')
    return Piece("", text[at], place), at + 1


def missing(format: Format, target: TypeName) -> str:
    """What `format` has too little or too much for a value of type `target`; "" where it fits."""
    tokens, family = format.tokens, target.family
    if not format.exact:
        return ""
    if family == "date" and tokens & _TIME:
        return "the time of day in the format would be lost in a date"
    if family == "time" and tokens & _DATE:
        return "the date in the format would be lost in a time"
    if family != "time" and not ({"MM", "DD"} <= tokens and tokens & {"YYYY", "YY"}):
        return "the format does not say which day: it needs YYYY, MM and DD"
    if (family == "time" or tokens & _TIME) and not {"HH24", "MI"} <= tokens:
        return "the format does not say which time: it needs HH24 and MI"
    return ""


def by_format(value: Sql, format: Format, target: TypeName, zone: str) -> tuple[Sql, Sql | None]:
    """The date or time in the text `value`, and the test that it holds one; None where there is no such test."""
    if not format.exact:
        return _loosely(value, format, target, zone), None
    match target.family:
        case "date":
            made = Sql(f"to_date({value}, {literal(format.text)})")
        case "time":
            made = Sql(f"make_time({_clock(value, format)})")
        case family:
            made = Sql(f"make_timestamp({', '.join(_day(value, format))}, {_clock(value, format)})")
            made = in_zone(made, zone) if family == "timestamptz" else made
    return _rounded(made, target), _by_shape(value, format, target)


def in_zone(value: Sql, zone: str) -> Sql:
    """A time without a zone, taken as that of the project's source."""
    return Sql(f"({value} AT TIME ZONE {literal(zone)})")


def _rounded(value: Sql, target: TypeName) -> Sql:
    return Sql(f"{value}::{target}") if target.args else value


def _loosely(value: Sql, format: Format, target: TypeName, zone: str) -> Sql:
    if target.family == "date":
        return Sql(f"to_date({value}, {literal(format.text)})")
    stamp = Sql(f"to_timestamp({value}, {literal(format.text)})")
    if target.family == "timestamptz" and not format.tokens & _ZONES:
        stamp = in_zone(Sql(f"{stamp}::timestamp without time zone"), zone)
    return Sql(f"{stamp}::{target}")


def _number(value: Sql, format: Format, token: str) -> Sql:
    at = next((piece.at for piece in format.pieces if piece.token == token), 0)
    return Sql(f"substr({value}, {at}, {_WIDTHS.get(token, 2)})::integer" if at else "0")


def _day(value: Sql, format: Format) -> tuple[Sql, Sql, Sql]:
    """Year, month and day; two digits of a year mean 1970 to 2069, as to_date() has it."""
    month, day = _number(value, format, "MM"), _number(value, format, "DD")
    if "YYYY" in format.tokens:
        return _number(value, format, "YYYY"), month, day
    year = _number(value, format, "YY")
    return Sql(f"{year} + CASE WHEN {year} < 70 THEN 2000 ELSE 1900 END"), month, day


def _clock(value: Sql, format: Format) -> Sql:
    hour, minute = _number(value, format, "HH24"), _number(value, format, "MI")
    second = str(_number(value, format, "SS"))
    for fraction in format.tokens & {"MS", "US"}:
        second += f" + {_number(value, format, fraction)} / {10 ** _WIDTHS[fraction]}.0"
    return Sql(f"{hour}, {minute}, {second}")


def _by_shape(value: Sql, format: Format, target: TypeName) -> Sql:
    pattern = "".join(
        _SHAPES[piece.token] if piece.token else _SPECIAL.sub(r"\\\g<0>", piece.text) for piece in format.pieces
    )
    if not format.tokens & _DATE:
        return passes(value, pattern)
    return when(value, pattern, _exists(*_day(value, format)))


def _exists(year: Sql, month: Sql, day: Sql) -> Sql:
    """Counted on from the first of the month, a day that the month lacks is another day."""
    return Sql(f"extract(day FROM make_date({year}, {month}, 1) + {day} - 1) = {day}")


_ISO_DATE = f"{_SHAPES['YYYY']}-{_SHAPES['MM']}-{_SHAPES['DD']}"
_ZONE = r"(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"


def iso(value: Sql, target: TypeName, zone: str) -> tuple[Sql, Sql]:
    """The date or time in an ISO text, and the test that it holds one, to the day and the microsecond."""
    fraction = rf"\.\d{{1,{target.seconds}}}0*" if target.seconds else r"\.0+"
    clock = rf"{_SHAPES['HH24']}:{_SHAPES['MI']}(:{_SHAPES['SS']}({fraction})?)?"
    made = Sql(f"{value}::{target}")
    match target.family:
        case "time":
            return made, passes(value, rf"\s*{clock}\s*")
        case "date":
            pattern = _ISO_DATE
        case "timestamp":
            pattern = rf"{_ISO_DATE}([ T]{clock})?"
        case _:
            pattern = rf"{_ISO_DATE}([ T]{clock}( ?{_ZONE})?)?"
            local = in_zone(Sql(f"{value}::timestamp without time zone"), zone)
            zoned = matches(value, rf".*:.*{_ZONE}\s*")
            made = Sql(f"CASE WHEN {zoned} THEN {made} ELSE {_rounded(local, target)} END")
    parts = [Sql(f"split_part({value}, '-', {part})") for part in (1, 2, 3)]
    day = Sql(f"left({parts[2]}, 2)::integer")
    exists = _exists(Sql(f"{parts[0]}::integer"), Sql(f"{parts[1]}::integer"), day)
    return made, when(value, rf"\s*{pattern}\s*", exists)
