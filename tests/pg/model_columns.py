"""Columns of a made-up legacy database: what is in them, how specs map them, and what Python says becomes of it."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = Mapping[str, Any]
NAMESPACE = uuid.UUID("6f0e3f7c-5f43-4d0c-9a5b-0f6f5e1f3c11")
ROWS = 40  # about: how rare the texts are that do not fit


class Bad(Exception):
    """A value that cannot move, with the SQLSTATE under which it is set aside; `guard` False: found by sifting.

    `stops`: a reference that must not be missing is, which stops the run where nothing else sets the row aside.
    """

    def __init__(self, sqlstate: str, *, guard: bool = True) -> None:
        super().__init__(sqlstate)
        self.sqlstate, self.guard, self.stops = sqlstate, guard, False


@dataclass(frozen=True, slots=True)
class Source:
    """A column of a legacy table."""

    name: str
    type: str
    null: bool
    value: Callable[[random.Random], Any]


@dataclass(frozen=True, slots=True)
class Fill:
    """A target column: its entry in the spec, its type, whether it is NOT NULL, and what a source row becomes in it.

    `name` may be the source's (`same`), then `spec` is None. `reads` are the source columns.
    """

    name: str
    spec: Any
    type: str
    filled: bool
    value: Callable[[Row], Any]
    reads: tuple[str, ...]


TEXTS = (
    "", " ", "a", "ä", "É", "é", "日本語", "🐘", "it's", '"q"', "back\\slash", "tab\there", "new\nline", "$1", "%s",
    "{{ x }}", "-- transhume: load on target", "\\N", "\\.", "NULL", "null", "a,b", "trailing ", "ffﬁ", "0",
    "'; DROP TABLE x; --", "x" * 9,
)  # fmt: skip
INTEGERS = {"1": 1, "-5": -5, " 7 ": 7, "+3": 3, "007": 7, "2147483647": 2147483647}
NO_INTEGERS = ("", "abc", "1.0", "2147483648", "0x1F", "\uff11\uff12", "1 2", "--1", "1e3", "9" * 40)
NUMBERS = {"1.5": "1.5", "-3": "-3", "1e2": "100", ".5": "0.5", " 2.50": "2.5", "999999.99": "999999.99"}
NUMBERS["1.500"] = "1.5"
NO_NUMBERS = ("1.555", "1e7", "NaN", "x", "1,5", "1000000", "Infinity", "1e-3", "", ".", "1e400")
BOOLEANS = {"t": True, "TRUE": True, "yes": True, "0": False, " on ": True, "of": False, "N": False}
NO_BOOLEANS = ("2", "maybe", "o", "", "wahr", "tt")
HEX = "6f0e3f7c-5f43-4d0c-9a5b-0f6f5e1f3c11"
UUIDS = {HEX: UUID(HEX), HEX.upper(): UUID(HEX), "{" + HEX + "}": UUID(HEX), HEX.replace("-", ""): UUID(HEX)}
NO_UUIDS = ("", "x", HEX[:-1], HEX + "0", "{" + HEX, HEX + " ")
ISO_DATES = {"2024-02-29": date(2024, 2, 29), "1999-12-31 ": date(1999, 12, 31), " 0001-01-01": date(1, 1, 1)}
NO_ISO_DATES = ("2023-02-29", "31.12.1999", "0000-01-01", "2024-13-01", "today", "", "infinity", "2024-2-9")
GERMAN = {"29.02.2024": date(2024, 2, 29), "01.02.2020": date(2020, 2, 1), "31.12.9999": date(9999, 12, 31)}
NO_GERMAN = ("29.02.2023", "31.04.2020", "1.2.2020", "00.01.2000", "01.02.20", "01.02.2020 ", "", "01-02-2020")
LABELS = {"sad": "sad", "ok": "ok", "happy": "happy"}
NO_LABELS = ("Sad", "", "ok ", "great")


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts that are to become another type."""

    spec: Mapping[str, str]
    type: str
    good: Mapping[str, Any]
    bad: Sequence[str]
    sqlstate: str


READINGS = (
    Reading({"type": "integer"}, "integer", INTEGERS, NO_INTEGERS, "22P02"),
    Reading({"type": "numeric(8,2)"}, "numeric(8,2)", {k: Decimal(v) for k, v in NUMBERS.items()}, NO_NUMBERS, "22P02"),
    Reading({"type": "boolean"}, "boolean", BOOLEANS, NO_BOOLEANS, "22P02"),
    Reading({"type": "uuid"}, "uuid", UUIDS, NO_UUIDS, "22P02"),
    Reading({"type": "date"}, "date", ISO_DATES, NO_ISO_DATES, "22007"),
    Reading({"type": "date", "format": "DD.MM.YYYY"}, "date", GERMAN, NO_GERMAN, "22007"),
    Reading({"type": "app.mood"}, "app.mood", LABELS, NO_LABELS, "22P02"),
)


def derived(table: str, key: Sequence[Any], types: Sequence[str]) -> uuid.UUID:
    """The id of a row, as RFC 9562 has it."""
    name = str(key[0])
    if len(key) > 1:
        whole = [value if type in ("integer", "bigint") else str(value) for value, type in zip(key, types, strict=True)]
        name = json.dumps(whole, ensure_ascii=False)
    return uuid.uuid3(NAMESPACE, f"{table}:{name}")


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def nullable(value: Callable[[random.Random], Any], null: bool) -> Callable[[random.Random], Any]:
    """The same, sometimes NULL."""
    return (lambda rng: None if rng.random() < 0.15 else value(rng)) if null else value


def text(rng: random.Random) -> str:
    """Any text."""
    return rng.choice(TEXTS) + rng.choice(("", "", rng.choice(TEXTS)))


def number(rng: random.Random) -> int:
    """A small number, or one at the edge."""
    return rng.choice((rng.randint(-20, 60), rng.randint(-20, 60), 0, 2**31 - 1, -(2**31)))


def kept(name: str) -> Callable[[Row], Any]:
    """The source's value."""
    return lambda row: row[name]


def _or_null(name: str, made: Callable[[Any], Any]) -> Callable[[Row], Any]:
    return lambda row: None if row[name] is None else made(row[name])


def _limited(made: Callable[[Any], Any], ok: Callable[[Any], bool], sqlstate: str) -> Callable[[Any], Any]:
    def limited(value: Any) -> Any:
        if not ok(value):
            raise Bad(sqlstate)
        return made(value)

    return limited


def _plain(rng: random.Random, name: str) -> tuple[Source, list[tuple[str | None, str, Callable[[Row], Any]]]]:
    """A column and the ways to move it: (type, or None for `same`; the target's type; the value)."""
    null = rng.random() < 0.6
    day = date(2020, 1, 1)
    moment = datetime(2024, 3, 31, 1, 59, 59, 999999, UTC)

    def column(type: str, value: Callable[[random.Random], Any]) -> Source:
        return Source(name, type, null, nullable(value, null))

    small = _limited(Decimal, lambda v: abs(v) <= 999, "22003")
    short = _limited(str, lambda v: len(v) <= 8, "22001")
    midnight = datetime.min.time()
    ways: list[tuple[Source, list[tuple[str | None, str, Callable[[Row], Any]]]]] = [
        (column("integer", number), [
            (None, "integer", kept(name)), ("bigint", "bigint", kept(name)), ("text", "text", _or_null(name, str)),
            ("numeric(4,1)", "numeric(4,1)", _or_null(name, small)),
        ]),
        (column("text", text), [(None, "text", kept(name)), ("varchar(8)", "varchar(8)", _or_null(name, short))]),
        (column("numeric(10,2)", lambda r: Decimal(r.randint(-10**6, 10**6)) / 100), [
            (None, "numeric(10,2)", kept(name)), ("numeric(12,3)", "numeric(12,3)", kept(name)),
            ("text", "text", _or_null(name, lambda v: f"{v:.2f}")),
        ]),
        (column("boolean", lambda r: r.random() < 0.5), [
            (None, "boolean", kept(name)), ("integer", "integer", _or_null(name, int)),
            ("text", "text", _or_null(name, lambda v: str(v).lower())),
        ]),
        (column("date", lambda r: day + timedelta(r.randint(0, 2000))), [
            (None, "date", kept(name)),
            ("timestamp", "timestamp", _or_null(name, lambda v: datetime.combine(v, midnight))),
            ("timestamptz", "timestamptz", _or_null(name, lambda v: datetime.combine(v, midnight, UTC))),
        ]),
        (column("timestamptz", lambda r: moment + timedelta(hours=r.randint(0, 9999))), [
            (None, "timestamptz", kept(name)),
        ]),
        (column("uuid", lambda r: UUID(int=r.getrandbits(128))), [
            (None, "uuid", kept(name)), ("text", "text", _or_null(name, str)),
        ]),
        (column("bytea", lambda r: r.randbytes(r.randint(0, 5))), [(None, "bytea", kept(name))]),
        (column("integer[]", lambda r: [number(r) for _ in range(r.randint(0, 3))]), [(None, "integer[]", kept(name))]),
        (column("public.size", lambda r: r.choice(("S", "M", "L XL"))), [("text", "text", kept(name))]),
    ]  # fmt: skip
    return rng.choice(ways)


def plain(rng: random.Random, name: str, target: str) -> tuple[Source, Fill]:
    """A column that is copied, under its own name or another, with its own type or another."""
    source, ways = _plain(rng, name)
    type, becomes, value = rng.choice(ways)
    filled = source.null and rng.random() < 0.3
    if type is None and rng.random() < 0.5 and not filled:
        return source, Fill(name, None, becomes, not source.null, value, (name,))
    spec: Any = {"from": name, **({"type": type} if type else {}), **({"null": False} if filled else {})}
    spec = name if spec == {"from": name} else spec
    return source, Fill(target, spec, becomes, filled or not source.null, value, (name,))


def read(rng: random.Random, name: str, target: str) -> tuple[Source, Fill]:
    """A text that is to become something else; some of them cannot."""
    reading = rng.choice(READINGS)

    def choose(r: random.Random) -> str:
        return r.choice(reading.bad) if r.randrange(ROWS) < 4 else r.choice(list(reading.good))

    def value(row: Row) -> Any:
        if row[name] is not None and row[name] not in reading.good:
            raise Bad(reading.sqlstate)
        return None if row[name] is None else reading.good[row[name]]

    source = Source(name, rng.choice(("text", "varchar(60)")), True, nullable(choose, True))
    return source, Fill(target, {"from": name, **reading.spec}, reading.type, False, value, (name,))


def recoded(rng: random.Random, name: str, target: str) -> tuple[Source, Fill]:
    """One value for another."""
    whole = rng.random() < 0.5
    values: list[Any] = [0, 1, 2, 9] if whole else ["a", "it's", "", "Ä"]
    table = {values[0]: "draft", values[1]: rng.choice((None, "it's")), values[2]: "done"}
    otherwise: Any = rng.choice(("reject", "null", "keep", {"value": "other"}))
    source = Source(name, "integer" if whole else "text", True, nullable(lambda r: r.choice(values), True))
    filled = rng.random() < 0.3

    def value(row: Row) -> Any:
        if row[name] is None or row[name] in table:
            return None if row[name] is None else table[row[name]]
        if otherwise == "reject":
            raise Bad("22000")
        return {"null": None, "keep": str(row[name])}.get(otherwise) if isinstance(otherwise, str) else "other"

    spec = {"from": name, "type": "text", "map": table, "otherwise": otherwise, **({"null": False} if filled else {})}
    return source, Fill(target, spec, "text", filled, value, (name,))


def computed(rng: random.Random, name: str, target: str) -> tuple[Source, Fill]:
    """An expression; some of them raise for some rows."""
    column = f"s.{quoted(name)}"

    def shortened(row: Row) -> Any:
        return "none" if row[name] is None else str(row[name])[:3]

    def divided(row: Row) -> Any:
        if row[name] == 0:
            raise Bad("22012", guard=False)
        return None if row[name] is None else int(1000 / row[name])

    def doubled(row: Row) -> Any:
        if row[name] is None:
            raise Bad("23502", guard=False)
        if not -(2**31) <= row[name] * 2 < 2**31:
            raise Bad("22003", guard=False)
        return row[name] * 2

    whole = Source(name, "integer", True, nullable(number, True))
    texts = Source(name, "text", True, nullable(text, True))
    source, sql, type, filled, value = rng.choice((
        (texts, f"coalesce(substr({column}, 1, 3), 'none')", "text", True, shortened),
        (whole, f"1000 / {column}", "integer", False, divided),
        (whole, f"{column} * 2", "integer", True, doubled),
        (whole, f"{column} IS NULL", "boolean", False, lambda row: row[name] is None),
    ))  # fmt: skip
    spec = {"sql": sql, "type": type, **({"null": False} if filled else {})}
    return source, Fill(target, spec, type, filled, value, (name,))


def constant(rng: random.Random, target: str) -> Fill:
    """The same in every row."""
    value, type = rng.choice((("it's {{ x }} $1", "text"), (7, "integer"), (True, "boolean"), (None, "text")))
    return Fill(target, {"value": value, "type": type}, type, False, lambda row: value, ())


def packed(columns: Sequence[Source], target: str) -> Fill:
    """Columns in one JSON object; only of types whose JSON is what Python has."""
    names = [column.name for column in columns if column.type in ("integer", "text", "boolean")]

    def value(row: Row) -> Any:
        return {f"k {place}": row[name] for place, name in enumerate(names)}

    entries = {f"k {place}": name for place, name in enumerate(names)}
    return Fill(target, {"json": entries}, "jsonb", False, value, tuple(names))


MAKERS = (plain, plain, plain, read, read, recoded, computed)
