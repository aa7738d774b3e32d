"""The SQL that computes a hierarchy from keys and parents: orphans, threads, cycles, positions, paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTree
from compiler.layout import RUNNER, links_sql, tree_sql
from compiler.render import render
from compiler.sql import Sql, cast, column, fits, ident, join, literal, names, qname

DIGITS = 6  # of a position in a path, at least
_FOUND = "23503"  # foreign_key_violation
_SHAPE = "23514"  # check_violation
_FINE = "00000"  # successful_completion


@dataclass(frozen=True, slots=True)
class Walk:
    """The working tables of one hierarchy: links -> nodes -> siblings -> tree; the last of them that is needed is tree.

    `fate` says what becomes of a row. Some move: rooted, adopted, broken. Some do not: orphan, cycle, below (what hangs
    from an orphan that is set aside), deep, left, several (it has more than one parent).
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
        return qname(RUNNER, self._siblings)

    @property
    def _siblings(self) -> str:
        return fits(f"{'siblings' if 'path' in self.tree.fills else 'tree'}_{self.table}")

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

    @property
    def under(self) -> Sql | None:
        """The key that orphans hang from."""
        return cast(literal(self.tree.under), self.tree.type) if self.tree.orphan == "under" else None

    def known(self) -> Sql:
        """What the planner must know of the links; the way up from what orphans hang from, if that is said."""
        return render("tree/links", links=self.links, by_key=self._index("links") if self.under else None)

    def threads(self) -> Sql:
        """All that a root leads to."""
        start, conditions = Sql(f"{self.links} AS l"), (Sql("l.parent IS NULL"), *self._but)
        walk = self._walk(start, self.links, conditions, self._first, by_index=False)
        return render(
            "tree/threads", nodes=self.nodes, names=names(self._columns, "n"), walk=walk, links=self.links,
            size_of=literal(self.links), by_parent=ident(fits(f"links_{self.table}_parent")),
            position=self._position if self._early else None,
        )  # fmt: skip

    @property
    def _early(self) -> bool:
        """Siblings are numbered by the walk; once more where it has missed any. Nothing later takes a row away."""
        return self.tree.counts and self.tree.gone is None and "several" not in self.stops

    @property
    def _but(self) -> tuple[Sql, ...]:
        """No root, though without a parent: it has one that is not there, or more than one."""
        nowhere = (Sql("l.nowhere IS NULL"),) if self.tree.links.finds else ()
        return (*nowhere, *self._but_several)

    @property
    def _but_several(self) -> tuple[Sql, ...]:
        return (Sql("l.fate IS DISTINCT FROM 'several'"),) if "several" in self.stops else ()

    def several(self) -> Sql:
        """Those with more than one parent have no place; what hangs from them has been orphaned."""
        first = join(", ", self._first)
        return Sql(
            f"INSERT INTO {self.nodes} ({names(self._columns)})\n"
            f"SELECT {first}\nFROM {self.links} AS l\nWHERE l.fate = 'several';"
        )

    def loose(self) -> Sql:
        """What no root leads to."""
        loose, roots = Sql("loose"), (Sql("l.parent IS NULL"),)
        from_orphans = self._walk(Sql("loose AS l"), loose, roots, self._first)
        from_cycles = from_orphans
        if self.under is not None:
            start = Sql(f"loose AS l LEFT JOIN {self.nodes} AS n ON n.key = l.parent")
            conditions = (Sql("(l.parent IS NULL OR n.key IS NOT NULL)"),)
            first = tuple(Sql(f"{_either(one, other)} AS {name}") for name, one, other in self._pairs())
            from_orphans = from_cycles = self._walk(start, loose, conditions, first)
        return render(
            "tree/loose", links=self.links, nodes=self.nodes, under=self.under, breaks=self.tree.cycle == "break",
            but=self._but_several, orphan=self._orphan, tail=self._tail, order=self._order("l"),
            names=names(self._columns),
            from_orphans=_indented(from_orphans), from_cycles=_indented(from_cycles), prose=self._prose,
        )  # fmt: skip

    @property
    def _prose(self) -> dict[str, Sql]:
        orphans = {"root": "they become roots", "reject": "they are set aside", "under": "they hang from another row"}
        cycles = {"break": "the first of each, in order, becomes a root", "reject": "they are set aside"}
        return {"orphans": Sql(orphans[self.tree.orphan]), "cycles": Sql(cycles[self.tree.cycle])}

    @property
    def _orphan(self) -> dict[str, Sql]:
        """What becomes of a row whose parent is not there. What all hang from cannot hang from itself."""
        if self.under is None:
            return {"parent": Sql("NULL"), "fate": self._rooted}
        can = "EXISTS (SELECT FROM above) AND l.key NOT IN (SELECT a.key FROM above AS a)"
        return {
            "parent": Sql(f"CASE WHEN {can} THEN {self.under} END"),
            "fate": Sql(f"CASE WHEN {can} THEN 'adopted' ELSE 'rooted' END"),
        }

    @property
    def _tail(self) -> dict[str, Sql]:
        """What becomes of the rows of a cycle that is set aside, and of those that hang from one."""
        if self.under is None:
            return {"parent": Sql("NULL"), "fate": Sql(f"CASE WHEN c.key IS NULL THEN {self._rooted} ELSE 'cycle' END")}
        can = f"EXISTS (SELECT FROM {self.nodes} AS n WHERE n.key = {self.under})"
        return {
            "parent": Sql(f"CASE WHEN c.key IS NULL AND {can} THEN {self.under} END"),
            "fate": Sql(f"CASE WHEN c.key IS NOT NULL THEN 'cycle' WHEN {can} THEN 'adopted' ELSE 'rooted' END"),
        }

    @property
    def _rooted(self) -> Sql:
        return literal("orphan" if self.tree.orphan == "reject" else "rooted")

    def placeholders(self) -> Sql:
        """Those from which nothing hangs."""
        stops = self.moving("n", but=("left",))
        return render("tree/placeholders", nodes=self.nodes, stops=stops, by_key=self._index("nodes"))

    def numbered(self) -> Sql:
        """Positions among siblings."""
        kept = [name for name in self._columns if name != "id" and not name.startswith("order_")]
        by_parent = ident(fits(f"siblings_{self.table}_parent")) if "path" in self.tree.fills else None
        return render(
            "tree/siblings", nodes=self.nodes, siblings=self.siblings, names=names(kept, "n"), position=self._position,
            by_parent=by_parent, early=self._early, name=ident(self._siblings),
        )  # fmt: skip

    @property
    def _position(self) -> Sql:
        """The place of a row among its siblings; those that do not move are numbered by themselves."""
        by = join(", ", (Sql("n.parent"), *(Sql(f"({each})") for each in self.moving("n"))))
        return Sql(f"row_number() OVER (PARTITION BY {by} ORDER BY {self._order('n')})::integer")

    def paths(self) -> Sql:
        """The positions from the root down; of a row that does not move none, however deep it is."""
        part = "lpad(s.position::text, (SELECT o.digits FROM longest AS o), '0')"
        moves = join(" AND ", self.moving("s"))
        first, next = part, f"n.path || {literal(self.tree.separator)} || {part}"
        if moves:
            first, next = (f"CASE WHEN {moves} THEN {each} END" for each in (first, next))
        tree = tree_sql(self.table)
        return render(
            "tree/paths", tree=tree, siblings=self.siblings, first=Sql(first), next=Sql(next), digits=literal(DIGITS),
        )  # fmt: skip

    def found(self) -> Sql:
        """By which the load finds where a row hangs; the index may be there already."""
        if self.tree.gone is not None and not self.tree.counts:
            return Sql(f"ANALYZE {tree_sql(self.table)};")
        return render("tree/index", tree=tree_sql(self.table), by_key=self._index("tree"))

    def under_is_there(self) -> Sql:
        """An error where what orphans are to hang from is not there, or does not move."""
        conditions = (Sql(f"n.key = {self.under}"), *self.moving("n"))
        problem = literal(f"there is no row {self.tree.under} that moves, for orphans to hang from".replace("%", "%%"))
        return render("tree/under", tree=tree_sql(self.table), conditions=conditions, problem=problem)

    def actions(self) -> Iterator[Sql]:
        """What may have been done to a row: the action, its SQLSTATE, whether it was done, and the reason in words."""
        by = self.tree.links.name
        lost = f"{literal(f'{by} = ')} || n.was::text ||"
        yield _action("rooted", _FOUND, "n.fate = 'rooted'", self._moves_not(lost, ": it is a root now"))
        if self.under is not None:
            text = f": it hangs from {self.tree.under} now"
            yield _action("adopted", _FOUND, "n.fate = 'adopted'", self._moves_not(lost, text))
        if self.tree.links.several == "first":
            moves = " AND n.fate IS DISTINCT FROM 'left'" if self.tree.gone is not None else ""
            reason = f"'the first of ' || n.parents::text || {literal(f' by {by}')}"
            yield _action("chosen", _SHAPE, f"n.parents > 1{moves}", reason)
        if self.tree.cycle == "break":
            yield _action("broken", _SHAPE, "n.fate = 'broken'", f"{lost} ' leads back to it: it is a root now'")
        if self._flattens:
            hangs = f"' levels deep: it hangs from ' || n.parent::text || ' now, {self.tree.max_depth} levels deep'"
            moved = " AND n.fate IS DISTINCT FROM 'left'" if self.tree.gone is not None else ""
            yield _action("flattened", _SHAPE, f"n.level > n.depth{moved}", f"n.level::text || {hangs}")
        if self.tree.gone is not None:
            yield _action("placeholder", _FINE, "n.gone AND n.fate IS DISTINCT FROM 'left'", "'rows hang from it'")
            yield _action("left", _FINE, "n.fate = 'left'", "'a placeholder from which nothing hangs'")

    def _moves_not(self, lost: str, so: str) -> str:
        """Why a row is an orphan, and what follows."""
        if not self.tree.links.finds:
            return f"{lost} {literal(f' does not move{so}')}"
        return f"coalesce(n.nowhere, {lost} ' does not move') || {literal(so)}"

    # The pieces.

    @property
    def _flattens(self) -> bool:
        return bool(self.tree.max_depth) and self.tree.deeper == "flatten"

    def _pairs(self) -> Iterator[tuple[str, Sql, Sql]]:
        """The columns of the hierarchy: of a row that the walk starts with, and of one that hangs from `n`.

        `was` is the parent that a row had in the source, if it has another now.
        """
        tree, most = self.tree, self.tree.max_depth
        yield "key", Sql("l.key"), Sql("l.key")
        if self._flattens:
            parent = f"CASE WHEN n.depth = {most} THEN n.parent ELSE n.key END"
            yield "parent", Sql(f"NULL::{tree.type}"), Sql(parent)
            yield "was", Sql("l.lost"), Sql(f"coalesce(l.lost, CASE WHEN n.depth = {most} THEN n.key END)")
        else:
            yield "parent", Sql(f"NULL::{tree.type}"), Sql("n.key")
            yield "was", Sql("l.lost"), Sql("l.lost")
        yield "root", Sql("l.key"), Sql("n.root")
        if tree.id is not None:
            yield "id", Sql("l.id"), Sql("l.id")
            hangs = f"CASE WHEN n.depth = {most} THEN n.parent_id ELSE n.id END" if self._flattens else "n.id"
            yield "parent_id", Sql(f"NULL::{tree.id.type}"), Sql(hangs)
            yield "root_id", Sql("l.id"), Sql("n.root_id")
        yield "depth", Sql("0"), Sql(f"least(n.depth + 1, {most})" if self._flattens else "n.depth + 1")
        if self._flattens:
            yield "level", Sql("0"), Sql("n.level + 1")
        yield "fate", Sql("l.fate"), self._fate()
        links = self.tree.links
        told = (["nowhere"] if links.finds else []) + (["parents"] if links.several == "first" else [])
        carried = told + (["gone"] if tree.gone is not None else []) + (self._ordering if tree.counts else [])
        yield from ((name, Sql(f"l.{name}"), Sql(f"l.{name}")) for name in carried)

    @property
    def _ordering(self) -> list[str]:
        return [f"order_{n}" for n in range(1, len(self.tree.order) + 1)]

    @property
    def changed(self) -> Sql:
        """Something was done to the row, perhaps."""
        conditions = ["n.fate IS NOT NULL"]
        conditions += ["n.level > n.depth"] if self._flattens else []
        conditions += ["n.gone"] if self.tree.gone is not None else []
        conditions += ["n.parents > 1"] if self.tree.links.several == "first" else []
        return Sql(" OR ".join(conditions))

    def _fate(self) -> Sql:
        cases = []
        if "below" in self.stops:
            cases.append("WHEN n.fate IN ('orphan', 'below') THEN 'below'")
        if "deep" in self.stops:
            cases.append(f"WHEN n.depth >= {self.tree.max_depth} THEN 'deep'")
        return Sql(f"CASE {' '.join(cases)} ELSE l.fate END") if cases else Sql("l.fate")

    @property
    def _columns(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self._pairs())

    @property
    def _first(self) -> tuple[Sql, ...]:
        return tuple(one if one == f"l.{name}" else Sql(f"{one} AS {name}") for name, one, _ in self._pairs())

    def _walk(
        self, start: Sql, links: Sql, conditions: tuple[Sql, ...], first: tuple[Sql, ...], *, by_index: bool = True
    ) -> Sql:
        next = tuple(other for _, _, other in self._pairs())
        return render(
            "tree/walk", links=links, start=start, conditions=conditions, first=first, next=next, by_index=by_index
        )

    def _order(self, alias: str) -> Sql:
        """Siblings in order; texts by their bytes, which both databases agree on."""
        types = [*(source.wire for source in self.tree.order), self.tree.type]
        parts = zip((*self._ordering, "key"), types, strict=True)
        return join(", ", (ordered(column(alias, name), type) for name, type in parts))


def ordered(value: Sql, type: str) -> Sql:
    """A value to order by."""
    is_text = type.split("(")[0] in ("text", "character varying", "character", "bpchar", "name")
    return Sql(f'{value} COLLATE "C"') if is_text else value


def _either(one: Sql, other: Sql) -> Sql:
    """The value of a row that starts, or of one that hangs from a row `n` that is there already."""
    return one if one == other else Sql(f"CASE WHEN n.key IS NULL THEN {one} ELSE {other} END")


def _indented(sql: Sql) -> Sql:
    return Sql(sql.replace("\n", "\n  "))


def _action(action: str, sqlstate: str, is_done: str, reason: str) -> Sql:
    return Sql(f"({literal(action)}, {literal(sqlstate)}, {is_done}, {reason})")
