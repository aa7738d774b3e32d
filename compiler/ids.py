"""Derived ids: RFC 9562 name-based UUIDs, computed by the server, equal to Python's uuid3 and uuid5.

The name that is hashed is `<table as its spec names it>:<legacy id>`. Of a key of one column the legacy id is the
value's text; of several it is the JSON array of them as jsonb prints it: `[12, "de"]`.
"""

from collections.abc import Sequence

from compiler.spec import Ids
from compiler.sql import Sql, join, literal, qname
from compiler.types import TypeName

EXTENSION = "uuid-ossp"
# Bits that an MD5 must have to be a UUID of version 3: four of version, two of variant, counted as set_bit() counts.
# 500,000 ids on PostgreSQL 15 and 18 take 0.67 s and 0.38 s this way; the hash and the cast alone 0.57 s and 0.31 s.
# overlay() and translate() over the hash's text take 0.99 s and 0.65 s, with the hash computed once in a lateral, and
# 1.29 s and 0.73 s with it computed twice.
_BITS = ((52, 1), (53, 1), (54, 0), (55, 0), (70, 0), (71, 1))


def derived(ids: Ids, table: str, key: Sequence[tuple[Sql, TypeName]], schema: str = "") -> Sql:
    """The id of the row of `table` whose source key is `key`; NULL where a part of the key is.

    Version 5 is computed by uuid-ossp's function in `schema`.
    """
    if ids.version == 5:
        name = _name(table, key)
        return _known(key, Sql(f"{qname(schema, 'uuid_generate_v5')}({literal(str(ids.namespace))}::uuid, {name})"))
    return _known(key, Sql(f"encode({_version_3(ids, table, key)}, 'hex')::uuid"))


def derived_bytes(ids: Ids, table: str, key: Sequence[tuple[Sql, TypeName]]) -> Sql | None:
    """The 16 bytes of the same id, as bytea; None where they are not at hand.

    That is what a uuid is in a binary COPY, and to hash_record_extended(). To read a uuid from its text takes 0.3 us,
    more than a third of what making it does.
    """
    return None if ids.version == 5 else _known(key, _version_3(ids, table, key))


def _known(key: Sequence[tuple[Sql, TypeName]], made: Sql) -> Sql:
    """NULL where a part of the key is: jsonb_build_array() makes a text of it all the same."""
    if len(key) == 1:
        return made
    known = join(" AND ", [Sql(f"{value} IS NOT NULL") for value, _ in key])
    return Sql(f"CASE WHEN {known} THEN {made} END")


def legacy_id(key: Sequence[tuple[Sql, TypeName]]) -> Sql:
    """The text form of a source key, that ids are derived from."""
    if len(key) == 1:
        return _text(*key[0])
    return Sql(f"jsonb_build_array({join(', ', [_element(value, type) for value, type in key])})::text")


def _name(table: str, key: Sequence[tuple[Sql, TypeName]]) -> Sql:
    return Sql(f"{literal(f'{table}:')} || {legacy_id(key)}")


def _version_3(ids: Ids, table: str, key: Sequence[tuple[Sql, TypeName]]) -> Sql:
    """16 bytes."""
    name = _name(table, key)
    made = f"decode(md5('\\x{ids.namespace.hex}'::bytea || convert_to({name}, 'UTF8')), 'hex')"
    for bit, value in _BITS:
        made = f"set_bit({made}, {bit}, {value})"
    return Sql(made)


def _text(value: Sql, type: TypeName) -> Sql:
    """One number has one text: 12, 12.0 and 12.00 are the same key."""
    if type.base == "numeric" and type.scale != 0:
        return Sql(f"trim_scale({value})::text")
    return value if type.base in ("text", "character varying") else Sql(f"{value}::text")


def _element(value: Sql, type: TypeName) -> Sql:
    """As jsonb prints it: numbers as numbers, everything else as text."""
    if type.base == "numeric" and type.scale != 0:
        return Sql(f"trim_scale({value})")
    return value if type.family in ("integer", "numeric") else _text(value, type)
