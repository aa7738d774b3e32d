"""One number a table, and one a column, that is the same on both sides only if every row has its values.

Of a table: each row is hashed as a whole, its key with it, so that values that changed places between rows are found,
the hashes are mixed once more, for a row's hash alone adds up what its values' are, and summed. Of a column, asked for
only where the rows' sums differ: each value is hashed with a seed made of its row's key. The order of rows does not
matter, and sum(bigint) cannot overflow. Both sides use functions of PostgreSQL, chosen by the type, that 14 to 18 have.
Types whose own hash is blind to something (numeric and jsonb: the scale, interval: 1 mon and 30 days, char(n): blanks)
are hashed as text; numeric(12,2) has one scale only.
"""

import re
from collections.abc import Sequence

from compiler.sql import Sql, join, tight

WHOLE = frozenset(["smallint", "integer", "bigint"])
_OWN_HASH = frozenset([
    *WHOLE, "uuid", "boolean", "date", "bytea", "timestamp without time zone", "timestamp with time zone",
])  # fmt: skip
_FIXED_SCALE = re.compile(r"numeric\(\d+,-?\d+\)")
_MODIFIER = re.compile(r"\(\d+(,\d+)?\)")


def unmodified(type: str) -> str:
    """The type without its length or its precision: numeric of numeric(6,4)."""
    return _MODIFIER.sub("", type)


def row_checksum(values: Sequence[Sql]) -> Sql:
    """The sum of the hashes of the rows of `values`, as `hashed` gives them."""
    listed = join(",\n    ", values)
    return Sql(f"sum(hashint8extended(hash_record_extended(ROW(\n    {listed}\n  ), 0), 0))")


def hashed(value: Sql, type: str, *, same_encoding: bool = True) -> Sql:
    """A value of the built-in `type` as one of a row that is hashed.

    Where the databases keep texts in different encodings (not `same_encoding`), texts are hashed as UTF-8. Collation
    "C" means a text's bytes, whatever the column says.
    """
    base = unmodified(type)
    if base in _OWN_HASH or _FIXED_SCALE.fullmatch(type):
        return value
    text = value if base == "text" else Sql(f"{tight(value)}::text")
    return Sql(f'{tight(text)} COLLATE "C"') if same_encoding else Sql(f"convert_to({text}, 'UTF8')")


def checksum(value: Sql, type: str, seed: Sql, *, same_encoding: bool = True) -> Sql:
    """The sum of the hashes of a column's `value`, of the built-in `type`; NULL adds nothing."""
    return Sql(f"sum({_hash(value, type, seed, same_encoding)})")


def hash_text(value: Sql, seed: Sql, same_encoding: bool) -> Sql:
    """The hash of a text; base64 reads the same in any encoding."""
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
