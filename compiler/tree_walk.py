"""The SQL that computes a hierarchy from keys and parents: orphans, threads, cycles, positions, paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTree
from compiler.layout import RUNNER, links_sql, tree_sql
from compiler.render import render
from compiler.sql import Sql, cast, fits, ident, join, literal, names, qname

DIGITS = 6  # of a position in a path, at least
_FOUND = "23503"  # foreign_key_violation
_SHAPE = "23514"  # check_violation
_FINE = "00000"  # successful_completion


@dataclass(frozen=True, slots=True)
class Walk:
    """The working tables of one hierarchy: links -> nodes -> siblings -> tree; the last of them that is needed is tree.

    `fate` says what becomes of a row. Some move: rooted, adopted, broken. Some do not: orphan, cycle, below (what hangs
    from an orphan that is set aside), deep, left.
    """

    table: str
    tree: BoundTree

    @property
    def links(self) -> Sql:
        """Keys and parents, as the source has them until they are mended."""
        return links_sql(self.table)

    @property
    def nodes(self) -> Sql:
        """Where each row hangs."""
        return self._named("nodes") if self.tree.counts else tree_sql(self.table)

    @property
    def siblings(self) -> Sql:
        """The same with positions."""
        return self._named("siblings") if "path" in self.tree.fills else tree_sql(self.table)

    def _named(self, kind: str) -> Sql:
        return qname(RUNNER, fits(f"{kind}_{self.table}"))

    def _index(self, kind: str) -> Sql:
        return ident(fits(f"{kind}_{self.table}_key"))

    # What moves.

    @property
    def stops(self) -> tuple[str, ...]:
        """The fates of rows that do not move, as far as the rules allow for them."""
        tree = self.tree
        found = [
            ("several", tree.links.several == "reject"),
            ("orphan", tree.orphan == "reject"),
            ("below", tree.orphan == "reject"),
            ("cycle", tree.cycle == "reject"),
            ("deep", tree.max_depth and tree.deeper == "reject"),
            ("left", tree.gone is not None),
        ]
        return tuple(fate for fate, possible in found if possible)

    def moving(self, alias: str, *, but: tuple[str, ...] = ()) -> tuple[Sql, ...]:
        """The condition that the row moves; nothing where all do. `but` are fates that are let pass."""
        stops = [fate for fate in self.stops if fate not in but]
        if not stops:
            return ()
        fate = f"{ident(alias)}.fate"
        if len(stops) == 1:
            return (Sql(f"{fate} IS DISTINCT FROM {literal(stops[0])}"),)
        return (Sql(f"({fate} IN ({join(', ', map(literal, stops))})) IS NOT TRUE"),)

    # The statements.

    def orphans(self) -> Sql:
        """Those whose parent is not there."""
        fate = literal("orphan" if self.tree.orphan == "reject" else "rooted")
        return render("tree/orphans", links=self.links, under=self.under, fate=fate, conditions=tuple(self._orphaned()))

    def _orphaned(self) -> Iterator[Sql]:
        """There is a parent, or is said to be one, and none that moves."""
        moves = " AND p.fate IS DISTINCT FROM 'several'" if "several" in self.stops else ""
        there = Sql(f"NOT EXISTS (SELECT FROM {self.links} AS p WHERE p.key = l.parent{moves})")
        if self.tree.links.finds:
            yield Sql(f"(l.nowhere IS NOT NULL OR (l.parent IS NOT NULL AND {there}))")
        else:
            yield from (Sql("l.parent IS NOT NULL"), there)

    @property
    def under(self) -> Sql | None:
        """The key that orphans hang from."""
        return cast(literal(self.tree.under), self.tree.type) if self.tree.orphan == "under" else None

    def threads(self) -> Sql:
        """All that a root leads to."""
        start, conditions = (Sql(f"{self.links} AS l"),), (Sql("l.parent IS NULL"),)
        return render(
            "tree/threads", nodes=self.nodes, names=names(self._columns, "n"), by_key=self._index(self._kind("nodes")),
            walk=self._walk(start, conditions, self._first),
        )  # fmt: skip

    def _kind(self, kind: str) -> str:
        return kind if getattr(self, kind) != tree_sql(self.table) else "tree"

    def cycles(self) -> Sql:
        """What no root leads to."""
        start: tuple[Sql, ...] = (Sql("hop AS h"), Sql(f"JOIN {self.links} AS l ON l.key = h.key"))
        conditions, first = (Sql("l.parent IS NULL"),), self._first
        if self.tree.cycle == "reject" and self.under is not None:
            start = (*start, Sql(f"LEFT JOIN {self.nodes} AS n ON n.key = l.parent"))
            conditions = (Sql("(l.parent IS NULL OR n.key IS NOT NULL)"),)
            first = tuple(
                Sql(f"CASE WHEN n.key IS NULL THEN {one} ELSE {other} END AS {name}")
                for name, one, other in self._columns_of
            )
        indented = Sql(self._walk(start, conditions, first).replace("\n", "\n  "))
        return render(
            "tree/cycles", links=self.links, nodes=self.nodes, breaks=self.tree.cycle == "break", order=self._order,
            parent=self._tail(self.under or Sql("NULL"), Sql("NULL")), fate=self._tail_fate(),
            names=names(self._columns), walk=indented,
        )  # fmt: skip

    def _tail(self, there: Sql, otherwise: Sql) -> Sql:
        """What becomes of a row that hangs from a cycle that is set aside."""
        if self.under is None:
            return otherwise
        found = f"EXISTS (SELECT FROM {self.nodes} AS n WHERE n.key = {self.under})"
        return Sql(f"CASE WHEN c.key IS NULL AND {found} THEN {there} ELSE {otherwise} END")

    def _tail_fate(self) -> Sql:
        tail = self._tail(literal("adopted"), literal("rooted"))
        if self.under is None:
            tail = literal("orphan" if self.tree.orphan == "reject" else "rooted")
        return Sql(f"CASE WHEN c.key IS NOT NULL THEN 'cycle' ELSE {tail} END")

    def placeholders(self) -> Sql:
        """Those from which nothing hangs."""
        return render("tree/placeholders", nodes=self.nodes, stops=self.moving("n", but=("left",)))

    def numbered(self) -> Sql:
        """Positions among siblings."""
        moves = self.moving("n")
        by = join(", ", (Sql("n.parent"), *(Sql(f"({each})") for each in moves)))
        position = Sql(f"row_number() OVER (PARTITION BY {by} ORDER BY {self._order})::integer")
        if "path" in self.tree.fills:
            index = Sql(f"INDEX {self._index('siblings')} ON {self.siblings} (parent)")
        else:
            index = Sql(f"UNIQUE INDEX {self._index('tree')} ON {self.siblings} (key)")
        return render(
            "tree/siblings", nodes=self.nodes, siblings=self.siblings, links=self.links, position=position,
            joins=True, index=index,
        )  # fmt: skip

    def paths(self) -> Sql:
        """The positions from the root down."""
        longest = f"(SELECT greatest({DIGITS}, length(max(p.position)::text)) FROM {self.siblings} AS p)"
        part = f"lpad(s.position::text, {longest}, '0')"
        moves = join(" AND ", self.moving("s"))
        first = f"CASE WHEN {moves} THEN {part} END" if moves else part
        next = f"CASE WHEN {moves} THEN n.path || {literal(self.tree.separator)} || {part} END" if moves else (
            f"n.path || {literal(self.tree.separator)} || {part}"
        )  # fmt: skip
        return render(
            "tree/paths", tree=tree_sql(self.table), siblings=self.siblings, first=Sql(first), next=Sql(next),
            by_key=self._index("tree"),
        )  # fmt: skip

    def under_is_there(self) -> Sql:
        """An error where what orphans are to hang from is not there, or does not move."""
        conditions = (Sql(f"n.key = {self.under}"), *self.moving("n"))
        problem = literal(f"there is no row {self.tree.under} that moves, for orphans to hang from".replace("%", "%%"))
        return render("tree/under", tree=tree_sql(self.table), conditions=conditions, problem=problem)

    def actions(self) -> Iterator[Sql]:
        """What may have been done to a row: the action, its SQLSTATE, whether it was done, and the reason in words."""
        by, links = self.tree.links.name, self.tree.links
        lost = f"{literal(f'{by} = ')} || l.lost::text ||"
        yield _action("rooted", _FOUND, "n.fate = 'rooted'", self._moves_not(lost, ": it is a root now"))
        if self.under is not None:
            text = f": it hangs from {self.tree.under} now"
            yield _action("adopted", _FOUND, "n.fate = 'adopted'", self._moves_not(lost, text))
        if links.several == "first":
            moves = " AND n.fate IS DISTINCT FROM 'left'" if self.tree.gone is not None else ""
            reason = f"'the first of ' || l.parents::text || {literal(f' by {by}')}"
            yield _action("chosen", _SHAPE, f"l.parents > 1{moves}", reason)
        if self.tree.cycle == "break":
            yield _action("broken", _SHAPE, "n.fate = 'broken'", f"{lost} ' leads back to it: it is a root now'")
        if self._flattens:
            hangs = f"' levels deep: it hangs from ' || n.parent::text || ' now, {self.tree.max_depth} levels deep'"
            yield _action("flattened", _SHAPE, "n.level > n.depth", f"n.level::text || {hangs}")
        if self.tree.gone is not None:
            yield _action("placeholder", _FINE, "n.gone AND n.fate IS DISTINCT FROM 'left'", "'rows hang from it'")
            yield _action("left", _FINE, "n.fate = 'left'", "'a placeholder from which nothing hangs'")

    def _moves_not(self, lost: str, so: str) -> str:
        """Why a row is an orphan, and what follows."""
        if not self.tree.links.finds:
            return f"{lost} {literal(f' does not move{so}')}"
        return f"coalesce(l.nowhere, {lost} ' does not move') || {literal(so)}"

    # The pieces.

    @property
    def _flattens(self) -> bool:
        return bool(self.tree.max_depth) and self.tree.deeper == "flatten"

    @property
    def _columns_of(self) -> tuple[tuple[str, Sql, Sql], ...]:
        """The columns of the hierarchy: of a row that the walk starts with, and of one that hangs from `n`."""
        return tuple(self._pairs())

    def _pairs(self) -> Iterator[tuple[str, Sql, Sql]]:
        tree, most = self.tree, self.tree.max_depth
        parent = f"CASE WHEN n.depth = {most} THEN n.parent ELSE n.key END" if self._flattens else "n.key"
        depth = f"least(n.depth + 1, {most})" if self._flattens else "n.depth + 1"
        yield "key", Sql("l.key"), Sql("l.key")
        yield "parent", Sql(f"NULL::{tree.type}"), Sql(parent)
        yield "root", Sql("l.key"), Sql("n.root")
        yield "depth", Sql("0"), Sql(depth)
        if self._flattens:
            yield "level", Sql("0"), Sql("n.level + 1")
        yield "fate", Sql("l.fate"), self._fate()
        if tree.gone is not None:
            yield "gone", Sql("l.gone"), Sql("l.gone")

    def _fate(self) -> Sql:
        cases = []
        if "below" in self.stops:
            cases.append("WHEN n.fate IN ('orphan', 'below') THEN 'below'")
        if "deep" in self.stops:
            cases.append(f"WHEN n.depth >= {self.tree.max_depth} THEN 'deep'")
        return Sql(f"CASE {' '.join(cases)} ELSE l.fate END") if cases else Sql("l.fate")

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self._columns_of)

    @property
    def _first(self) -> tuple[Sql, ...]:
        return tuple(Sql(f"{one} AS {name}") if one != f"l.{name}" else one for name, one, _ in self._columns_of)

    def _walk(self, start: tuple[Sql, ...], conditions: tuple[Sql, ...], first: tuple[Sql, ...]) -> Sql:
        read = join(", ", (Sql(f"l.{name}") for name in self._columns if name in ("key", "fate", "gone")))
        return render(
            "tree/walk", links=self.links, start=start, conditions=conditions, first=first, read=read,
            next=tuple(other for _, _, other in self._columns_of),
        )  # fmt: skip

    @property
    def _order(self) -> Sql:
        """Siblings in order; texts by their bytes, which both databases agree on."""
        types = [(f"order_{n}", source.wire) for n, source in enumerate(self.tree.order, 1)]
        parts = [*types, ("key", self.tree.type)]
        return join(", ", (ordered(Sql(f"l.{name}"), type) for name, type in parts))


def ordered(value: Sql, type: str) -> Sql:
    """A value to order by."""
    is_text = type.split("(")[0] in ("text", "character varying", "character", "bpchar", "name")
    return Sql(f'{value} COLLATE "C"') if is_text else value


def _action(action: str, sqlstate: str, is_done: str, reason: str) -> Sql:
    return Sql(f"({literal(action)}, {literal(sqlstate)}, {is_done}, {reason})")
