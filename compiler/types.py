"""Type names: every spelling that PostgreSQL takes becomes the one that `format_type` writes, in parts."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from compiler.names import Name, split
from compiler.sql import ident, qname

Family = Literal[
    "integer", "numeric", "float", "boolean", "text", "date", "timestamp", "timestamptz", "time", "uuid", "other"
]

_FAMILIES: dict[str, Family] = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "numeric",
    "real": "float",
    "double precision": "float",
    "boolean": "boolean",
    "text": "text",
    "character varying": "text",
    "character": "text",
    "bpchar": "text",
    "name": "text",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "uuid": "uuid",
}
# Each travels between databases in its own binary form.
_TRAVELLING = """
bit, bit varying, box, bytea, "char", cidr, circle, datemultirange, daterange, inet, int4multirange, int4range,
int8multirange, int8range, interval, json, jsonb, jsonpath, line, lseg, macaddr, macaddr8, money, nummultirange,
numrange, oid, path, pg_lsn, pg_snapshot, point, polygon, time with time zone, tsmultirange, tsrange,
tstzmultirange, tstzrange, tsvector, txid_snapshot, xid8, xml
"""
# These hold the numbers of one database's objects, or have no binary form, or one that the server itself cannot read
# (of an empty tsquery), and travel as text.
_STAYING = """
aclitem, cid, int2vector, oidvector, refcursor, regclass, regcollation, regconfig, regdictionary, regnamespace,
regoper, regoperator, regproc, regprocedure, regrole, regtype, tid, tsquery, xid
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()).split(", "))


_BINARY = frozenset(_FAMILIES) | _names(_TRAVELLING)
BUILT_IN = _BINARY | _names(_STAYING)

_ALIASES = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float": "double precision",
    "float4": "real",
    "float8": "double precision",
    "dec": "numeric",
    "decimal": "numeric",
    "bool": "boolean",
    "varchar": "character varying",
    "char varying": "character varying",
    "char": "character",
    "varbit": "bit varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
_DEFAULT_LENGTH = frozenset(["character", "bit"])  # `char` means char(1), as format_type then says
_PARTS = re.compile(
    r"""(?P<base>(?:"(?:[^"]|"")*"|[^"(\[])+?)
        \s*(?:\((?P<args>[^()]*)\))?
        (?P<zone>\s+with(?:out)?\s+time\s+zone)?
        (?P<dimensions>(?:\s*\[\d*\]|\s+array)*)\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_INTERVAL = re.compile(r"interval(?P<fields>(?: (?:year|month|day|hour|minute|second|to))*)")


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type: `numeric(12,2)[]` has base "numeric", args (12, 2) and is an array.

    `user` names a type that is not PostgreSQL's own, its schema empty where none was written; `modifier` is then what
    stood in parentheses. For intervals `modifier` holds the fields.
    """

    base: str
    args: tuple[int, ...] = ()
    array: bool = False
    user: Name | None = None
    modifier: str = ""

    def __str__(self) -> str:
        """The type as SQL, in the words of `format_type`."""
        dimensions = "[]" if self.array else ""
        if self.user:
            name = qname(self.user.schema, self.user.name) if self.user.schema else ident(self.user.name)
            return f"{name}{self.modifier}{dimensions}"
        args = f"({','.join(map(str, self.args))})" if self.args else ""
        if args and self.base.endswith(" time zone"):
            first, rest = self.base.split(" ", 1)
            return f"{first}{args} {rest}{dimensions}"
        return f"{self.base}{self.modifier}{args}{dimensions}"

    @property
    def family(self) -> Family:
        """The class of types whose values mean the same kind of thing; "other" for the rest, and for arrays."""
        return "other" if self.array or self.user else _FAMILIES.get(self.base, "other")

    @property
    def element(self) -> "TypeName":
        """What an array is made of."""
        return replace(self, array=False)

    @property
    def length(self) -> int | None:
        """How many characters a text may have; None where there is no limit."""
        return self.args[0] if self.family == "text" and self.args else None

    @property
    def scale(self) -> int | None:
        """How many decimals a numeric keeps; None where it keeps all of them."""
        return (*self.args, 0)[1] if self.base == "numeric" and self.args else None

    @property
    def whole_digits(self) -> int | None:
        """How many digits a numeric has before the point; None where there is no limit."""
        return self.args[0] - (*self.args, 0)[1] if self.base == "numeric" and self.args else None

    @property
    def seconds(self) -> int:
        """How many decimals the seconds of a time keep."""
        return self.args[0] if self.args else 6


TEXT = TypeName("text")
BOOLEAN = TypeName("boolean")
INTEGER = TypeName("integer")
BIGINT = TypeName("bigint")
NUMERIC = TypeName("numeric")
JSONB = TypeName("jsonb")
UUID = TypeName("uuid")


@lru_cache(maxsize=4096)
def read_type(text: str) -> TypeName:
    """`varchar(20)`, `int[]`, `public.mpaa_rating`: any spelling. Raises ValueError for what is no type's name."""
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        raise ValueError(text)
    words = " ".join((parts["base"] + (parts["zone"] or "")).lower().split()).removeprefix("pg_catalog.")
    array = bool(parts["dimensions"])
    if interval := _INTERVAL.fullmatch(words):
        return TypeName("interval", _numbers(text, parts["args"]), array, modifier=interval["fields"])
    base = _ALIASES.get(words, words)
    if base in BUILT_IN:
        return TypeName(*_sized(base, words, _numbers(text, parts["args"])), array)
    modifier = f"({parts['args']})" if parts["args"] else ""
    return TypeName("", (), array, _user(text, parts["base"].strip()), modifier)


def _numbers(text: str, args: str | None) -> tuple[int, ...]:
    """The modifiers of a built-in type; ValueError where they are not one or two numbers."""
    if args is None:
        return ()
    if not re.fullmatch(r"\s*\d{1,9}\s*(,\s*-?\d{1,9}\s*)?", args):
        raise ValueError(text)
    return tuple(map(int, args.split(",")))


def _sized(base: str, words: str, args: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    if words == "float" and args:
        return ("real" if args[0] < 25 else base), ()
    if base == "numeric" and len(args) == 1:
        return base, (args[0], 0)
    return base, args or ((1,) if base in _DEFAULT_LENGTH else ())


def _user(text: str, name: str) -> Name:
    parts = split(name)
    if len(parts) > 2 or not all(parts):
        raise ValueError(text)
    return Name(parts[0], parts[1]) if len(parts) == 2 else Name("", parts[0])


def travels(type: TypeName) -> bool:
    """Values of it can be copied between databases in their binary form."""
    return type.user is None and type.base in _BINARY
