"""The SQL that computes a hierarchy from keys and parents: orphans, threads, cycles, positions, paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from compiler.bound import BoundTree
from compiler.layout import RUNNER, links_sql, rows_sql, tree_sql
from compiler.render import render
from compiler.sql import Sql, cast, column, fits, ident, join, literal, names, qname

PART = "_$part"  # how a name ends of which each part of a build has its own: the runner writes the number
DIGITS = 6  # of a position in a path, at least
WHOLE = {"smallint": 16, "integer": 32, "bigint": 64}  # types of keys that are whole numbers, with their bits
_FOUND = "23503"  # foreign_key_violation
_SHAPE = "23514"  # check_violation
_FINE = "00000"  # successful_completion


Values = Sequence[tuple[str, Sql, str]]  # name, value, type
Pair = tuple[str, str, Sql, Sql]  # name, type, value of a row that a walk starts with, and of one that hangs from `n`


@dataclass(frozen=True, slots=True)
class Walk:
    """The working tables of one hierarchy: links -> nodes -> siblings -> tree; the last of them that is needed is tree.

    `fate` says what becomes of a row. Some move: rooted, adopted, broken. Some do not: orphan, cycle, below (what hangs
    from an orphan that is set aside), deep, left. Those that are known before may be `aside`: filtered, unfit (a guard
    says so), several (it has more than one parent).
    """

    table: str
    tree: BoundTree
    aside: tuple[str, ...]

    @property
    def links(self) -> Sql:
        """Keys and parents, as the source has them until they are mended."""
        return links_sql(self.table)

    @property
    def nodes(self) -> Sql:
        """Where each row hangs."""
        return qname(RUNNER, fits(f"nodes_{self.table}")) if self.tree.counts else tree_sql(self.table)

    @property
    def siblings(self) -> Sql:
        """The same with positions."""
        return qname(RUNNER, self._siblings)

    @property
    def _siblings(self) -> str:
        return fits(f"{'siblings' if 'path' in self.tree.fills else 'tree'}_{self.table}")

    # What moves.

    @property
    def stops(self) -> tuple[str, ...]:
        """The fates of rows that do not move, as far as the rules allow for them."""
        tree = self.tree
        found = [
            *((fate, True) for fate in self.aside),
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

    @property
    def definitions(self) -> tuple[Sql, ...]:
        """The columns of the hierarchy."""
        return tuple(Sql(f"{name} {type}") for name, type in self._typed())

    def _typed(self) -> Iterator[tuple[str, str]]:
        for name, type, _, _ in self._pairs():
            yield name, type
            if name == "depth" and self._early:
                yield "position", "integer"

    def links_columns(self, made_of: Values) -> tuple[Sql, ...]:
        """The columns of the links, `made_of` these; `lost` and what follows are for parents that are mended."""
        own = (Sql(f"{ident(name)} {type}{' NOT NULL' if name == 'key' else ''}") for name, _, type in made_of)
        nowhere = (Sql("nowhere text"),) if self.tree.links.finds else ()
        return (*own, Sql("place tid"), Sql("fate text"), Sql(f"lost {self.tree.type}"), *nowhere)

    def linked(self, made_of: Values, rows: Sql, fates: Iterable[tuple[str, Sql]]) -> Sql:
        """The links of a part of the rows `s` that are kept; `fates` are of those that will not move, and when."""
        cases = join(" ", (Sql(f"WHEN {holds} THEN {literal(fate)}") for fate, holds in fates))
        parent = Sql("CASE WHEN l.fate IS NULL THEN l.parent END" if cases else "l.parent")
        found = [*(name for name, _, _ in made_of), "place", "fate"]
        own = (
            *(Sql(f"{value} AS {ident(name)}") for name, value, _ in made_of),
            Sql("s.ctid AS place"), Sql(f"{f'CASE {cases} END' if cases else 'NULL'} AS fate"),
        )  # fmt: skip
        kept = literal(rows_sql(self.table))
        first, last = (render("tree/block", part=Sql(part), rows=kept) for part in ("$1::bigint", "($1::bigint + 1)"))
        return render(
            "tree/links", links=self.links, names=names(found), own=own, rows=rows, first=first, last=last,
            columns=tuple(parent if name == "parent" else column("l", name) for name in found),
        )  # fmt: skip

    def found_by(self) -> Sql:
        """How rows are found from level to level, and the way up from what orphans hang from."""
        return render(
            "tree/found_by", links=self.links, name=literal(self.links), by_parent=ident(self._by_parent),
            by_key=ident(fits(f"links_{self.table}_key")) if self.under else None,
        )  # fmt: skip

    @property
    def _by_parent(self) -> str:
        return fits(f"links_{self.table}_parent")

    def threads(self) -> Sql:
        """All that a root leads to. Each part starts with its share of the roots, which are all siblings."""
        links, roots = self.links, (Sql("l.parent IS NULL"), *self._but)
        number = "l.key" if self.tree.type in WHOLE else "hashtext(l.key::text)"
        mine = Sql(f"abs({number} % $2::integer) = $1::integer")
        pairs = [pair for pair in self._pairs() if pair[0] not in self._unknown]
        made = {name for name, _, _, _ in pairs if name != "id" or self.under}
        start, conditions = Sql(f"{links} AS l"), (*roots, mine)
        if self._early:
            start, conditions = render("tree/roots", links=links, conditions=roots, order=self._order("l")), (mine,)
            place = Sql(f"row_number() OVER (PARTITION BY n.key ORDER BY {self._order('l')})::integer")
            pairs.append(("position", "integer", Sql("l.position"), place))
            made.add("position")
        columns = tuple(
            column("n", name) if name in made else Sql(f"NULL::{type} AS {ident(name)}") for name, type in self._typed()
        )
        part = qname(RUNNER, fits(f"nodes_{self.table}", PART))
        return render(
            "tree/threads", nodes=self.nodes, part=part, columns=columns, order=self._in_order,
            by_parent=literal(qname(RUNNER, self._by_parent)),
            walk=self._walk(start, links, conditions, pairs, by_index=False),
        )  # fmt: skip

    @property
    def _unknown(self) -> tuple[str, ...]:
        """The columns that are empty while nothing is mended."""
        return (*(() if self._flattens else ("was",)), *(() if "deep" in self.stops else ("fate",)))

    @property
    def _early(self) -> bool:
        """Siblings are numbered by the walk; once more where it has missed any.

        Nothing later takes a row away, and none has siblings from another level.
        """
        return self.tree.counts and self.tree.gone is None and not self._flattens

    @property
    def _but(self) -> tuple[Sql, ...]:
        """No root, though without a parent: it has one that is not there, or will not move."""
        nowhere = (Sql("l.nowhere IS NULL"),) if self.tree.links.finds else ()
        return (*nowhere, *((Sql("l.fate IS NULL"),) if self.aside else ()))

    def loose(self) -> Sql:
        """What no root leads to."""
        loose, roots = Sql("loose"), (Sql("l.parent IS NULL"),)
        from_orphans = self._walk(Sql("loose AS l"), loose, roots, self._pairs())
        from_cycles = from_orphans
        if self.under is not None:
            start = Sql(f"loose AS l LEFT JOIN {self.nodes} AS n ON n.key = l.parent")
            conditions = (Sql("(l.parent IS NULL OR n.key IS NOT NULL)"),)
            pairs = ((name, type, _either(one, other), other) for name, type, one, other in self._pairs())
            from_orphans = from_cycles = self._walk(start, loose, conditions, pairs)
        return render(
            "tree/loose", links=self.links, nodes=self.nodes, under=self.under, breaks=self.tree.cycle == "break",
            orphan=self._orphan, tail=self._tail, order=self._order("l"),
            names=names(self._columns), aside=self._first if self.aside else None,
            done=ident(self._siblings) if self._early else None, missed=render("tree/missed"),
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
        return render("tree/placeholders", nodes=self.nodes, stops=stops)

    def numbered(self) -> Sql:
        """Positions among siblings, where they have none yet."""
        kept = [name for name in self._columns if not name.startswith("order_")]
        by_parent = ident(fits(f"siblings_{self.table}_parent")) if "path" in self.tree.fills else None
        return render(
            "tree/siblings", nodes=self.nodes, siblings=self.siblings, names=names(kept, "n"),
            position=self._position, by_parent=by_parent, links=self.links, moving=self.moving("n"),
            known=literal(self.nodes) if self._early else None, name=ident(self._siblings), order=self._in_order,
        )  # fmt: skip

    @property
    def _position(self) -> Sql:
        """The place of a row among its siblings; those that do not move are numbered by themselves."""
        by = join(", ", (Sql("n.parent"), *(Sql(f"({each})") for each in self.moving("n"))))
        order = self._order("l" if self._early else "n")
        return Sql(f"row_number() OVER (PARTITION BY {by} ORDER BY {order})::integer")

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
            order=self._in_order,
        )  # fmt: skip

    def statistics(self) -> Sql:
        """How the load knows how many rows are in a page."""
        return render("tree/statistics", tree=literal(tree_sql(self.table)))

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

    def _pairs(self) -> Iterator[Pair]:
        """The columns of the hierarchy.

        `was` is the parent that a row had in the source, if it has another now. It, the fate and the new key come last,
        for they are empty nearly always: what comes before the first empty column of a row is read faster.
        """
        tree, most = self.tree, self.tree.max_depth
        yield "key", tree.type, Sql("l.key"), Sql("l.key")
        parent = f"CASE WHEN n.depth = {most} THEN n.parent ELSE n.key END" if self._flattens else "n.key"
        yield "parent", tree.type, Sql(f"NULL::{tree.type}"), Sql(parent)
        if "root" in tree.kin:
            yield "root", tree.type, Sql("l.key"), Sql("n.root")
        depth = f"least(n.depth + 1, {most})" if self._flattens else "n.depth + 1"
        yield "depth", "integer", Sql("0"), Sql(depth)
        if self._flattens:
            yield "level", "integer", Sql("0"), Sql("n.level + 1")
        yield "place", "tid", Sql("l.place"), Sql("l.place")
        if tree.id is not None:
            yield from self._kin(tree.id.type)
        yield from ((name, type, Sql(f"l.{name}"), Sql(f"l.{name}")) for name, type in self._carried())
        was = f"coalesce(l.lost, CASE WHEN n.depth = {most} THEN n.key END)" if self._flattens else "l.lost"
        yield "was", tree.type, Sql("l.lost"), Sql(was)
        yield "fate", "text", Sql("l.fate"), self._fate()
        if tree.id is not None:
            yield "id", tree.id.type, Sql("l.id"), Sql("l.id")

    def _kin(self, type: str) -> Iterator[Pair]:
        """The new keys of its parent and its root."""
        if "parent_id" in self.tree.kin:
            hangs = f"CASE WHEN n.depth = {self.tree.max_depth} THEN n.parent_id ELSE n.id END"
            yield "parent_id", type, Sql(f"NULL::{type}"), Sql(hangs if self._flattens else "n.id")
        if "root_id" in self.tree.kin:
            yield "root_id", type, Sql("l.id"), Sql("n.root_id")

    def _carried(self) -> Iterator[tuple[str, str]]:
        """What a row takes along as it is."""
        if self.tree.links.finds:
            yield "nowhere", "text"
        if self.tree.links.several == "first":
            yield "parents", "bigint"
        if self.tree.gone is not None:
            yield "gone", "boolean"
        if self.tree.counts and not self._early:
            types = (source.wire for source in self.tree.order)
            yield from zip(self._ordering, types, strict=True)

    @property
    def _ordering(self) -> list[str]:
        return [f"order_{n}" for n in range(1, len(self.tree.order) + 1)]

    @property
    def missed(self) -> Sql | None:
        """How many rows no root has led to; None where something may have been done to others, too."""
        others = bool(self.tree.max_depth) or self.tree.gone is not None or self.tree.links.several == "first"
        return None if others else render("tree/missed")

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
        return tuple(name for name, _, _, _ in self._pairs())

    @property
    def _first(self) -> tuple[Sql, ...]:
        return tuple(one if one == f"l.{name}" else Sql(f"{one} AS {name}") for name, _, one, _ in self._pairs())

    def _walk(
        self, start: Sql, links: Sql, conditions: tuple[Sql, ...], pairs: Iterable[Pair], *, by_index: bool = True
    ) -> Sql:
        """All that can be reached from `start`."""
        pairs = tuple(pairs)
        first = tuple(one if one == f"l.{name}" else Sql(f"{one} AS {name}") for name, _, one, _ in pairs)
        next = tuple(other for _, _, _, other in pairs)
        return render(
            "tree/walk", links=links, start=start, conditions=conditions, first=first, next=next, by_index=by_index
        )

    @property
    def _in_order(self) -> Sql:
        """The rows of the hierarchy as those of the source are read."""
        return ordered(column("n", "key"), self.tree.type)

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
