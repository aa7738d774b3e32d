"""SQL text that may be printed into a plan, and the functions that make it."""

import hashlib
import re
from collections.abc import Iterable
from functools import cache

NAME_BYTES = 63  # NAMEDATALEN - 1: PostgreSQL cuts longer names, in bytes

# What pg_get_keywords() of PostgreSQL 15 and 18 calls anything but unreserved: quote_ident quotes the same words.
_KEYWORDS = """
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
case cast char character check coalesce collate collation column concurrently constraint create cross
current_catalog current_date current_role current_schema current_time current_timestamp current_user
dec decimal default deferrable desc distinct do else end except exists extract false fetch float
for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int
integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object
json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left
like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null
nullif numeric offset on only or order out outer overlaps overlay placing position precision primary
real references returning right row select session_user setof similar smallint some substring symmetric
system_user table tablesample then time timestamp to trailing treat trim true union unique user using
values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
_QUOTED = frozenset(_KEYWORDS.split())
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_COLUMN = re.compile(r'(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+")(?:\.(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+"))*(?:::[a-z]+)*')


class Sql(str):
    """Text that is safe to print into a plan: made by a quoting function, a checked expression or a template."""

    __slots__ = ()


@cache
def ident(name: str) -> Sql:
    """`name` as an identifier, in double quotes where PostgreSQL's quote_ident would put them.

    Raises ValueError for a name that no server can hold: an empty one, or one with a NUL character.
    """
    if not name or "\0" in name:
        raise ValueError(f"not an identifier: {name!r}")
    if _PLAIN.fullmatch(name) and name not in _QUOTED:
        return Sql(name)
    return Sql('"' + name.replace('"', '""') + '"')


def qname(schema: str, name: str) -> Sql:
    """A relation, type or function under its schema."""
    return Sql(f"{ident(schema)}.{ident(name)}")


def column(alias: str, name: str) -> Sql:
    """Column `name` of the row `alias`."""
    return Sql(f"{ident(alias)}.{ident(name)}")


def names(columns: Iterable[str], alias: str = "") -> Sql:
    """The columns, separated by commas, each under `alias` if there is one."""
    return join(", ", (column(alias, name) if alias else ident(name) for name in columns))


def join(separator: str, parts: Iterable[Sql]) -> Sql:
    """The parts with `separator` between them."""
    return Sql(separator.join(parts))


def literal(value: str | int | bool | None) -> Sql:
    """A constant. Text is quoted under standard_conforming_strings: a backslash is a backslash.

    Raises ValueError for text with a NUL character, which no server can hold.
    """
    match value:
        case None:
            return Sql("NULL")
        case bool():
            return Sql("true" if value else "false")
        case int():
            return Sql(value if value >= 0 else f"({value})")
    if "\0" in value:
        raise ValueError("text cannot hold a NUL character")
    return Sql("'" + value.replace("'", "''") + "'")


def cast(value: Sql, type: str) -> Sql:
    """`value` cast to `type`, the text of a type as a catalog writes it; `value` must bind tighter than `::`."""
    return Sql(f"{value}::{type}")


def tight(value: Sql) -> Sql:
    """`value` in parentheses, unless it is a column or a column cast, so that `::` and operators take all of it."""
    return value if _COLUMN.fullmatch(value) else Sql(f"({value})")


def typed(value: str | int | bool | None, type: str) -> Sql:
    """A constant of `type`: `'draft'::text`."""
    text = value if isinstance(value, str) or value is None else str(value).lower()
    return cast(literal(text), type)


def fits(name: str, end: str = "") -> str:
    """`name` and `end` if PostgreSQL keeps both whole, else its first characters, a digest of it all, and `end`."""
    if len(f"{name}{end}".encode()) <= NAME_BYTES:
        return f"{name}{end}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    head = name.encode()[: NAME_BYTES - len(f"{digest}{end}".encode()) - 1].decode(errors="ignore")
    return f"{head}_{digest}{end}"
