"""One number a column that is the same on both sides of the mapping, and only if every row has its own values.

Each value is hashed with a seed made of the source's key of its row, so that two values that changed places are found,
and the hashes are summed: NULL adds nothing, the order of the rows does not matter, and sum(bigint) cannot overflow.
Both sides use one function of PostgreSQL, chosen by the type, that 14 to 18 have. Types whose own hash is blind to
something (numeric: the scale, interval: 1 mon and 30 days, char(n): blanks) are hashed as text.
"""

import re

from compiler.sql import Sql, tight

WHOLE = frozenset(["smallint", "integer", "bigint"])
_MODIFIER = re.compile(r"\(\d+(,\d+)?\)")


def unmodified(type: str) -> str:
    """The type without its length or its precision: numeric of numeric(6,4)."""
    return _MODIFIER.sub("", type)


def checksum(value: Sql, type: str, seed: Sql, *, same_encoding: bool = True) -> Sql:
    """The sum of the hashes of `value`, of the built-in `type`.

    Where the databases keep texts in different encodings (not `same_encoding`), texts are hashed as UTF-8.
    """
    return Sql(f"sum({_hash(value, type, seed, same_encoding)})")


def hash_text(value: Sql, seed: Sql, same_encoding: bool) -> Sql:
    """The hash of a text. Collation "C" means its bytes, whatever the column says; base64 reads the same anywhere."""
    if not same_encoding:
        value = Sql(f"encode(convert_to({value}, 'UTF8'), 'base64')")
    return Sql(f'hashtextextended({tight(value)} COLLATE "C", {seed})')


def _hash(value: Sql, type: str, seed: Sql, same_encoding: bool) -> Sql:
    match unmodified(type):
        case base if base in WHOLE:
            return Sql(f"hashint8extended({value}, {seed})")
        case "uuid":
            return Sql(f"uuid_hash_extended({value}, {seed})")
        case "boolean":
            return Sql(f"hashint4extended({tight(value)}::integer, {seed})")
        case "timestamp without time zone":
            return Sql(f"timestamp_hash_extended({value}, {seed})")
        case "timestamp with time zone":
            return Sql(f"timestamp_hash_extended({tight(value)} AT TIME ZONE 'UTC', {seed})")
        case "bytea":
            return Sql(f'hashtextextended(md5({value}) COLLATE "C", {seed})')
        case "text":
            return hash_text(value, seed, same_encoding)
    return hash_text(Sql(f"{tight(value)}::text"), seed, same_encoding)
