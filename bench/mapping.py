"""The mapped SELECTs of those who are compared with: SQL as people write it, but for two words that stand for more.

`UUID(orders, s.id)` is the derived id of a row of `orders`; `::ENUM(sex)` a cast to an enum of the target, left out
where the SELECT runs on the source.
"""

from __future__ import annotations

import re

NAMESPACE = "8a4f2c860d0e4f0a9a573f6c1d2b7e90"


def expanded(text: str, *, inside: bool = False) -> str:
    """The SELECT for the source's database, or for one that is the target's too (`inside`)."""
    text = re.sub(r"\bUUID\((\w+), ([\w.]+)\)", lambda found: _uuid(found[1], found[2]), text.strip())
    return re.sub(r"::ENUM\((\w+)\)", r"::app.\1" if inside else "", text)


def _uuid(table: str, value: str) -> str:
    """RFC 9562, version 3, of `<table>:<value>`; of the ways to write it in core SQL the fastest one known."""
    made = f"decode(md5('\\x{NAMESPACE}'::bytea || convert_to('{table}:' || {value}::text, 'UTF8')), 'hex')"
    for bit, on in ((52, 1), (53, 1), (54, 0), (55, 0), (70, 0), (71, 1)):
        made = f"set_bit({made}, {bit}, {on})"
    return f"encode({made}, 'hex')::uuid"
