"""Made-up legacy databases and the specs that move them: everything follows from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from tests.pg.model_columns import MAKERS, Bad, Fill, Row, Source, constant, derived, kept, packed, quoted

TABLE_NAMES = (
    "patients",
    "Order Items",
    "select",
    "größe in cm",
    "it's",
    'say "hi"',
    "odd.name",
    "n" * 63,
    "CamelCase",
)
COLUMN_NAMES = (
    "name", "Order", "user", "größe", 'a "b"', "it's", "a.b", "x y", "{{ z }}", "$1", "%s", "c" * 63, "null", "from",
    "T", "s", "t", "key", "raw", "value", "relation", "place", "other", "r", "d", "m", "k", "guard", "ok", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """A reference: `by` of the row matches `on` of the source of `table`."""

    name: str
    table: str
    by: tuple[str, ...]
    on: tuple[str, ...]
    missing: Literal["reject", "null", "fail"]
    filled: bool
    says_on: bool

    @property
    def spec(self) -> Any:
        """Its entry."""
        by: Any = self.by[0] if len(self.by) == 1 else list(self.by)
        on: Any = self.on[0] if len(self.on) == 1 else list(self.on)
        entry = {"ref": spec_name(self.table), "by": by, **({"on": on} if self.says_on else {})}
        entry |= {"missing": self.missing} if self.missing != "reject" else {}
        return entry | ({"null": False} if self.filled else {})


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique index; `positive` names a column that its predicate wants to be more than zero."""

    columns: tuple[str, ...]
    duplicates: Literal["reject", "first"]
    positive: str = ""


@dataclass(slots=True)
class Table:
    """A legacy table with its rows, and the spec of the table that it becomes."""

    name: str
    source: str
    key: tuple[str, ...]
    kind: str
    strategy: str
    columns: list[Source]
    fills: list[Fill | Link] = field(default_factory=list)
    same: list[Fill] = field(default_factory=list)
    target_key: list[Fill | Link] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    where: tuple[str, Callable[[Row], bool]] | None = None
    check: tuple[str, str] | None = None
    uniques: list[Unique] = field(default_factory=list)
    map_table: bool = False
    create: bool = True
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def all(self) -> list[Fill | Link]:
        """The target's columns as the plan has them: the key, the others, the copied ones."""
        return [*self.target_key, *self.fills, *self.same]

    @property
    def key_types(self) -> list[str]:
        """The types of the source's key."""
        return [column.type for column in self.columns if column.name in self.key]

    def key_of(self, row: Row) -> tuple[Any, ...]:
        """The source key of a row."""
        return tuple(row[name] for name in self.key)


@dataclass(frozen=True, slots=True)
class World:
    """A whole project."""

    tables: dict[str, Table]
    databases: Literal[1, 2]


def spec_name(name: str) -> str:
    """A relation's name as a spec writes it."""
    return quoted(name) if "." in name or '"' in name else name


KEY_TYPES = ("integer", "bigint", "text", "uuid", "composite", "none", "unique")


def make(seed: int) -> World:
    """The world of a seed."""
    rng = random.Random(seed)
    names = rng.sample(TABLE_NAMES, rng.randint(2, 5))
    world = World({name: _table(rng, name) for name in names}, rng.choice((1, 2, 2)))
    for table in world.tables.values():
        for _ in range(rng.randint(0, 3)):
            _link(rng, table, list(world.tables.values()))
    for table in world.tables.values():
        _rest(rng, table)
    for table in world.tables.values():
        table.rows = _rows(rng, table)
    for table in world.tables.values():
        _point(rng, table, world)
    return world


def _table(rng: random.Random, name: str) -> Table:
    kind = rng.choice(KEY_TYPES)
    key, columns = _keys(kind)
    usual = ["uuid", "uuid", "same", "identity", "sql"]
    strategies = {"none": ["none"], "composite": ["uuid", "same"]}.get(kind, usual)
    strategy = rng.choice(strategies)
    table = Table(name, rng.choice((name, f"old {name}"[:63])), key, kind, strategy, columns)
    used: set[str] = {column.name for column in columns}
    for place in range(rng.randint(1, 5)):
        title = rng.choice([each for each in COLUMN_NAMES if each not in used])
        used.add(title)
        source, fill = rng.choice(MAKERS)(rng, title, f"{title[:50]} {place}")
        columns.append(source)
        (table.same if fill.spec is None else table.fills).append(fill)
    if rng.random() < 0.4:
        table.fills.append(constant(rng, "constant"))
    if rng.random() < 0.4 and packed(columns, "json").reads:
        table.fills.append(packed(columns, "json"))
    return table


def _keys(kind: str) -> tuple[tuple[str, ...], list[Source]]:
    match kind:
        case "composite":
            return ("id", "Lang"), [Source("id", "integer", False, _unset), Source("Lang", "text", False, _unset)]
        case "none":
            return (), []
        case "unique":
            return ("id",), [Source("id", "integer", False, _unset)]
    return ("id",), [Source("id", kind, False, _unset)]


def _unset(rng: random.Random) -> Any:
    raise AssertionError("keys are set row by row")


def _link(rng: random.Random, table: Table, tables: Sequence[Table]) -> None:
    """A reference to any table with a key of one column, itself too, by its key or by another unique column."""
    others = [each for each in tables if each.kind != "none" and (each.kind, each.strategy) != ("composite", "same")]
    if not others:
        return
    other, place = rng.choice(others), len(table.columns)
    on, says_on = other.key, False
    if rng.random() < 0.3:
        on, says_on = ("code",), True
        if all(column.name != "code" for column in other.columns):
            other.columns.append(Source("code", "text", other.kind == "unique" or rng.random() < 0.5, _unset))
    null = rng.random() < 0.7
    types = {column.name: column.type for column in other.columns}
    by = tuple(f"by {place} {part}" for part in range(len(on)))
    table.columns += [Source(name, types[match], null, _unset) for name, match in zip(by, on, strict=True)]
    missing: Any = rng.choice(("reject", "reject", "null", "null", "fail") if null else ("reject", "null", "fail"))
    filled = null and missing == "reject" and rng.random() < 0.3
    if missing == "null" and not null:
        missing = "reject"  # the compiler refuses it
    link = Link(f"ref {place}", other.name, by, on, missing, filled, says_on)
    table.fills.insert(rng.randint(0, len(table.fills)), link)


def _rest(rng: random.Random, table: Table) -> None:
    """The key, and what a table has beside its columns."""
    table.create = rng.random() < 0.7
    table.target_key = list(_target_key(rng, table))
    if "code" in {column.name for column in table.columns}:
        table.same.append(Fill("code", None, "text", not _null(table, "code"), lambda row: row["code"], ("code",)))
    for name in table.key:
        if rng.random() < 0.7 and (table.strategy != "same"):
            type = next(column.type for column in table.columns if column.name == name)
            table.fills.append(Fill(f"legacy {name}", name, type, True, kept(name), (name,)))
    numbers = [column for column in table.columns if column.type == "integer" and column.value is not _unset]
    if numbers and rng.random() < 0.4:
        table.where = _small(rng.choice(numbers).name)
    whole = [fill.name for fill in [*table.fills, *table.same] if isinstance(fill, Fill) and fill.type == "integer"]
    if whole and rng.random() < 0.5:
        name = rng.choice(whole)
        table.check = (name, f"{quoted(name)} > -15")
    fills = [fill for fill in [*table.fills, *table.same] if isinstance(fill, Fill)]
    texts = [fill.name for fill in fills if fill.type in ("text", "date", "uuid") and fill.reads]
    if texts and rng.random() < 0.6:
        duplicates: Any = rng.choice(("reject", "first")) if table.key else "reject"
        table.uniques.append(Unique((rng.choice(texts),), duplicates, rng.choice(("", *whole)) if table.create else ""))
    table.map_table = bool(table.key) and rng.random() < 0.2


def _small(name: str) -> tuple[str, Callable[[Row], bool]]:
    return f"s.{quoted(name)} < 50", lambda row: row[name] is not None and row[name] < 50


def _null(table: Table, name: str) -> bool:
    return next(column.null for column in table.columns if column.name == name)


def _target_key(rng: random.Random, table: Table) -> Iterator[Fill | Link]:
    match table.strategy:
        case "uuid":
            spec: Any = table.key[0] if len(table.key) == 1 else list(table.key)

            def value(row: Row) -> UUID:
                return derived(spec_name(table.name), table.key_of(row), table.key_types)

            yield Fill("id", {"uuid": spec}, "uuid", True, value, table.key)
        case "same":
            for name in table.key:
                type = next(column.type for column in table.columns if column.name == name)
                yield Fill(name, {"same": name}, type, True, kept(name), (name,))
        case "identity":
            yield Fill("id", {"identity": True}, "bigint", True, lambda row: row["#"], table.key)
        case "sql":
            yield _by_sql(rng, table)


def _by_sql(rng: random.Random, table: Table) -> Fill:
    if table.columns[0].type not in ("integer", "bigint"):
        return Fill("id", {"sql": "'#' || s.id", "type": "text"}, "text", True, lambda row: f"#{row['id']}", ("id",))
    if rng.random() < 0.5:
        spec = {"sql": "s.id + 1000", "type": "bigint"}
        return Fill("id", spec, "bigint", True, lambda row: row["id"] + 1000, ("id",))

    def halved(row: Row) -> Any:
        if row["id"] == 5:
            raise Bad("23502", guard=False)
        return row["id"] // 2 if row["id"] < 8 else row["id"]

    sql = "CASE WHEN s.id = 5 THEN NULL WHEN s.id < 8 THEN s.id / 2 ELSE s.id END"
    return Fill("id", {"sql": sql, "type": "bigint"}, "bigint", True, halved, ("id",))


def _rows(rng: random.Random, table: Table) -> list[dict[str, Any]]:
    count = rng.choice((0, 1, 7, 30, 60, 120))
    numbers = rng.sample(range(1, 3 * count + 10), count)
    rows = []
    for place, number in enumerate(numbers):
        row = {name: _key(table.kind, name, number, place) for name in table.key}
        for column in table.columns:
            if column.value is not _unset:
                row[column.name] = column.value(rng)
            elif column.name == "code":
                row["code"] = f"c{place}" if not column.null or rng.random() < 0.9 else None
        rows.append(row)
    return rows


def _key(kind: str, name: str, number: int, place: int) -> Any:
    match kind, name:
        case "composite", "id":
            return number // 3
        case "composite", _:
            return ('d"e', "ü", "\\x\n")[number % 3]
        case "text", _:
            return f"{('k', 'Ä', chr(39), ' ')[number % 4]}{number}"
        case "uuid", _:
            return UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC834) % 2**128)
        case "bigint", _:
            return number if place % 2 else number + 2**40
    return number


def _point(rng: random.Random, table: Table, world: World) -> None:
    """Fill the references: most lead somewhere."""
    for link in (each for each in table.fills if isinstance(each, Link)):
        other = world.tables[link.table]
        null = _null(table, link.by[0])
        for row in table.rows:
            dice = rng.random()
            found = rng.choice(other.rows) if other.rows else dict.fromkeys(link.on)
            values = [found[name] for name in link.on]
            if link.missing != "fail" and (dice < 0.05 or (None in values and not null)):
                values = [_nowhere(other, name) for name in link.on]
            elif null and dice < 0.15:
                values = [None for _ in values]
            elif None in values and not null:
                values = [_nowhere(other, name) for name in link.on]
            row |= dict(zip(link.by, values, strict=True))


def _nowhere(table: Table, name: str) -> Any:
    type = next(column.type for column in table.columns if column.name == name)
    return UUID(int=7) if type == "uuid" else "nowhere" if type == "text" else 999_999
