"""What the steps of a removal's plans have in common, and the triggers that several of them make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from compiler.dependents import dependents_query
from compiler.diagnostics import Span
from compiler.names import Name
from compiler.plan import Lock, Section
from compiler.removals.bound import BoundRemoval, Of, differ
from compiler.render import render
from compiler.sql import Sql, cast, column, ident, join, literal, qname

AX, SRE, SUE, SHARE = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE"
IDENTIFIED = {"constraint": "table constraint", "statistics": "statistics object"}  # by pg_identify_object
ROW, READ = "ROW EXCLUSIVE", "ACCESS SHARE"


@dataclass(frozen=True)
class RemovalStep:
    """A step about `removal`, after the step `before` of the same plan. What it does not say, it does not do."""

    removal: BoundRemoval
    before: str = ""

    @property
    def name(self) -> str:
        return self.removal.name

    @property
    def about(self) -> str:
        return ""

    @property
    def table_id(self) -> str:
        return ""

    @property
    def span(self) -> Span:
        return self.removal.spec.span

    def after(self) -> Iterable[str]:
        return (self.before,) if self.before else ()

    def lock(self, level: str, statement: str) -> Lock:
        """A lock on the table."""
        return Lock(level, self.everywhere, statement, old=True)

    def lock_here(self, level: str, statement: str) -> Lock:
        """A lock on the table that INHERITS children have no part in."""
        return Lock(level, self.here, statement, old=True)

    def of(self, removal: BoundRemoval) -> Self:
        """The same about one of the table's INHERITS children."""
        return replace(self, removal=removal)

    @property
    def members(self) -> tuple[Self, ...]:
        """Itself, and the same about each INHERITS child: for what no parent hands down."""
        return (self, *map(self.of, self.removal.below))

    def called(self, name: str) -> str:
        """What a section of a step is of, where each INHERITS child may have one of that name."""
        return f"{self.removal.relation.qualified}: {name}" if self.removal.inherits else name

    @property
    def everywhere(self) -> str:
        """The table, and its partitions or INHERITS children, which are locked with it."""
        kind = "partitions" if self.removal.partitioned else "children"
        return f"{self.removal.relation.qualified}{f' and each of its {kind}' if self.removal.children else ''}"

    @property
    def here(self) -> str:
        """The table and its partitions: what a trigger, an index or a key of it is on, which no INHERITS child gets."""
        return self.everywhere if self.removal.partitioned else str(self.removal.relation.qualified)

    def said(self, level: str) -> Sql:
        """The comment that stands beside a statement: the lock that it takes, and on what."""
        return Sql(f"{level} on {self.everywhere}")

    def said_here(self, level: str) -> Sql:
        """The same of a statement that INHERITS children have no part in."""
        return Sql(f"{level} on {self.here}")

    def locks(self) -> Iterator[Lock]:
        yield from ()

    def risks(self) -> Iterator[str]:
        yield from ()

    def forward(self) -> Iterator[Section]:
        yield from ()

    def verify(self) -> Iterator[Section]:
        yield from ()

    def revert(self) -> Iterator[Section]:
        yield from ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as the template prints it; `rest` is what stands behind the table's name."""

    name: Sql
    event: Sql
    table: Sql
    rest: Sql
    lock: Sql
    always: bool = True

    @property
    def drop(self) -> Sql:
        return Sql(f"DROP TRIGGER {self.name} ON {self.table};")


def create_triggers(triggers: Iterable[Trigger]) -> Sql:
    """The statements that make them."""
    return render("removal/triggers", triggers=tuple(triggers))


def row_triggers(step: RemovalStep, function: Sql, what: str, changed: Sql) -> tuple[Trigger, ...]:
    """The two triggers after each row: of an insert or a delete always, of an update where `changed` holds.

    A parent's triggers do not fire for the rows of its INHERITS children: each has its own.
    """
    name = step.removal.trigger
    call = f"EXECUTE FUNCTION {function}()"
    kinds = (
        (name(what), "AFTER INSERT OR DELETE", f"FOR EACH ROW {call}"),
        (name(f"{what}_update"), "AFTER UPDATE", f"FOR EACH ROW WHEN ({changed})\n  {call}"),
    )
    return tuple(
        Trigger(name, Sql(event), one.removal.table, Sql(rest), one.said_here(SRE))
        for one in step.members for name, event, rest in kinds
    )  # fmt: skip


def truncate_triggers(step: RemovalStep, function: Sql) -> tuple[Trigger, ...]:
    """A truncation fires no row's trigger; that of a partition, or a child, fires only its own."""
    removal = step.removal
    call = Sql(f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()")
    name = removal.trigger("truncate")
    return tuple(
        Trigger(name, Sql("AFTER TRUNCATE"), _relation(each), call, Sql(f"{SRE} on {each}"))
        for each in (removal.relation.qualified, *removal.children)
    )


def capture_triggers(step: RemovalStep) -> tuple[Trigger, ...]:
    """The triggers that keep the backup equal to the table, for as long as the columns are there."""
    removal = step.removal
    changed = differ(*(join(", ", (removal.key_in(row), removal.values(row))) for row in ("old", "new")))
    return row_triggers(step, removal.own("capture"), "capture", changed)


def capture_function(removal: BoundRemoval, hidden: bool) -> Sql:
    """What these triggers call; `hidden`: the columns have their other names."""
    assigned = (Sql(f"{ident(gone.name)} = excluded.{ident(gone.name)}") for gone in removal.columns)
    return render(
        "removal/capture_function", function=removal.own("capture"), table=removal.table, backup=removal.backup,
        key=removal.keys(), values=removal.values(), old=matched(removal, "t", "old"), new=matched(removal, "t", "new"),
        old_key=removal.keys("old", "trigger"), t_key=removal.keys("t", "table"), t_values=removal.values("t", hidden),
        present=removal.present, changed=removal.changed, set=tuple(assigned),
    )  # fmt: skip


def truncate_function(removal: BoundRemoval) -> Sql:
    """What is called after a truncation."""
    return render(
        "removal/truncate_function", function=removal.own("truncated"), table=removal.table, backup=removal.backup,
        present=removal.present, changed=removal.changed, same=removal.same_key("t", "b"),
    )  # fmt: skip


def compare(removal: BoundRemoval, hidden: bool) -> Sql:
    """The backup is what the table has."""
    named = f" AS {removal.member}" if removal.below else ""
    t_values = join(", ", (
        Sql(f"{column('t', gone.hidden if hidden else gone.name)} AS {ident(gone.name)}") for gone in removal.columns
    ))  # fmt: skip
    return render(
        "removal/compare", table=removal.table, backup=removal.backup, present=removal.present,
        t_key=Sql(f"{removal.keys('t', 'table')}{named}"), t_values=t_values, same=removal.same_key("b", "t", table=""),
        differ=differ(removal.values("t"), removal.values("b")),
    )  # fmt: skip


def matched(removal: BoundRemoval, alias: str, row: str) -> Sql:
    """The condition that `alias`, the table itself where it is `t`, has the key of a trigger's row."""
    sides = (removal.key_of(alias, "table" if alias == "t" else "backup"), removal.key_of(row, "trigger"))
    return join(" AND ", (Sql(f"{left} = {right}") for left, right in zip(*sides, strict=True)))


def after_key(removal: BoundRemoval, alias: str, of: Of = "table") -> Sql:
    """The condition that a row stands behind $1, ...; NULL for no bound."""
    return _beyond(removal, removal.keys(alias, of), ">", 1)


def upto_key(removal: BoundRemoval, alias: str, of: Of = "table") -> Sql:
    """The condition that a row stands before the bounds after that, or there; NULL for no bound."""
    return _beyond(removal, removal.keys(alias, of), "<=", len(removal.whole_key) + 1)


def _beyond(removal: BoundRemoval, row: Sql, sign: str, first: int) -> Sql:
    values = [cast(Sql(f"${first + n}"), key.type) for n, key in enumerate(removal.whole_key)]
    bound = join(", ", values)
    compared = f"({row}) {sign} ({bound})" if len(values) > 1 else f"{row} {sign} {bound}"
    return Sql(f"({values[0]} IS NULL OR {compared})")


def chunk_binds(removal: BoundRemoval) -> tuple[str, ...]:
    """What the sections of a chunk bind: the key that it starts after, and the one that it ends with."""
    numbers = range(1, len(removal.whole_key) + 1)
    return (*(f"after.{n}" for n in numbers), *(f"upto.{n}" for n in numbers))


def bound(removal: BoundRemoval, source: Sql, of: Of, conditions: Sequence[Sql] = ()) -> Section:
    """Where the next chunk ends."""
    key = removal.key_of("s", of)
    width = len(key)
    descending = join(", ", (Sql(f"{one} DESC") for one in key))
    texts = join(", ", (Sql(f"{one}::text") for one in key))
    sql = render(
        "removal/bound", texts=texts, key=join(", ", key), source=source, descending=descending,
        conditions=(after_key(removal, "s", of), *conditions), rows=Sql(f"${width + 1}"),
    )  # fmt: skip
    binds = (*(f"after.{n + 1}" for n in range(width)), "rows")
    return Section("bound", "target", sql, binds=binds, prose="the end of the next chunk")


def again(removal: BoundRemoval, *stages: str, objects: Iterable[str] = ()) -> Sql:
    """Carries out what phase 1 has written down."""
    return render(
        "removal/again", identity=removal.identity, stages=join(", ", map(literal, stages)),
        objects=join(", ", map(literal, objects)),
    )  # fmt: skip


def names_of(removal: BoundRemoval) -> Sql:
    """The columns' names as texts, those that hide them too."""
    names = dict.fromkeys((*(g.name for g in removal.columns), *(g.hidden for g in removal.columns)))
    return join(", ", map(literal, names))


def live_dependents(removal: BoundRemoval) -> Sql:
    """What the server says uses the columns."""
    return render("removal/dependents", table=literal(removal.table), names=names_of(removal))


def uses(removal: BoundRemoval, named: Iterable[str], *effects: str) -> Sql:
    """What uses the columns with one of these effects, and is not among `named`: the query of `transhume analyse`."""
    query = dependents_query(removal.relation.qualified, [gone.name for gone in removal.columns])
    return render(
        "removal/uses", query=Sql(query.replace("\n", "\n  ")), effects=join(", ", map(literal, effects)),
        named=tuple(map(literal, named)) or (literal(""),),
    )  # fmt: skip


def unnamed(removal: BoundRemoval) -> Sql:
    """What refuses the drop, or goes with the columns and was not there in phase 1. Quick: asked under the lock."""
    known = [("index", str(qname(removal.relation.schema, index.name))) for index in removal.indexes]
    known += [("table constraint", f"{ident(one.name)} on {removal.table}") for one in removal.constraints]
    known += [("index", str(qname(removal.relation.schema, one.name))) for one in removal.constraints if one.indexed]
    stays = (one for one in removal.dependents if not one.moves)
    known += [(IDENTIFIED.get(one.kind, one.kind), one.identity) for one in stays]
    reviewed = [Sql(f"({literal(kind)}, {literal(name)})") for kind, name in known] or [Sql("('', '')")]
    return render(
        "removal/unnamed", dependents=Sql(live_dependents(removal).replace("\n", "\n  ")), reviewed=tuple(reviewed),
        identity=removal.identity,
    )  # fmt: skip


def identity_gates(removal: BoundRemoval) -> Iterator[Section]:
    """An index that goes is the replica identity of no table."""
    for one in removal.members:
        sql = render("removal/replica_identity", table=literal(one.table), names=names_of(removal))
        yield Section("gate", "target", sql, prose="the replica identity is another index")


def members(removal: BoundRemoval, back: bool = False) -> Sql:
    """Whether the tree is the one that was reviewed, and each member can take part; `back`: the columns are dropped."""
    reviewed = tuple(Sql(f"({literal(one.table)})") for one in removal.members)
    key = join(", ", (literal(name) for name in sorted(one.name for one in removal.key)))
    return render(
        "removal/members", table=literal(removal.table), reviewed=reviewed, names=names_of(removal), key=key, back=back,
        width=Sql(str(len(removal.key))),
    )  # fmt: skip


def member_gates(removal: BoundRemoval, back: bool = False) -> Iterator[Section]:
    """A gate for a table that has INHERITS children."""
    if removal.below:
        yield Section("gate", "target", members(removal, back), prose="its children are those of the plan")


def _relation(name: Name) -> Sql:
    return qname(name.schema, name.name)
