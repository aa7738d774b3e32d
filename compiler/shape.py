"""Proof of a hierarchy's shape: the source's parents are the target's, and each row hangs one level below its own.

The rows that do not hang where the source says are listed in transhume.reject, each with the parent that it had. With
that put back, the parents of all rows, the numbers of children, and the order of siblings must be the source's. That
every row reaches its root, and none itself, follows from depths that go down by one; without depths it is walked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.bound import BoundTable, BoundTree
from compiler.checksums import hash_text
from compiler.hierarchy import narrow
from compiler.layout import Layout, relation_sql, unique
from compiler.plan import Section
from compiler.render import render
from compiler.rows import Reading, is_none_of, source_key, source_sql, text_key, where
from compiler.spec import Filled
from compiler.sql import Sql, cast, column, join, literal, tight
from compiler.tree_walk import DIGITS, WHOLE, ordered

_RULES = "the hierarchy, row by row"
_NOWHERE = ", m.key IS NOT NULL AND m.parent IS NULL"  # no key says where it hung: such rows are siblings of each other
_MENDED = ("rooted", "adopted", "broken", "flattened")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the shape of a table's hierarchy is proven."""

    table: BoundTable
    tree: BoundTree
    layout: Layout

    def sections(self) -> Iterator[Section]:
        """The same of both sides: sums over parents and over siblings in order, and how many have how many children."""
        prose = "who hangs from whom, of the rows that arrived"
        binds = ("rejected", "rooted") if self._has("position") else ("rejected",)
        yield Section("query", "source", self._source(), of="shape", binds=binds, prose=prose)
        prose = "the same, with the parents put back that were mended"
        yield Section("query", "target", self._target(), of="shape", binds=("run",), prose=prose)

        if self._is_walkable:
            binds = ("rejected", "rooted", *(("left",) if self.tree.gone is not None else ()))
            yield Section("query", "source", self._depths(), of="depths", binds=binds, prose="walked anew")
            depth = self._at("t", "depth")
            sql = render("tree/depths_target", depth=depth, target=self._target_sql)
            yield Section("query", "target", sql, of="depths", prose="how many rows are how deep")

    def rules(self) -> Section:
        """No row: each row is where its parent, its root, its depth and its path say, and what was done shows."""
        parts = (self._local(), *self._positions(), *self._walked(), self._as_listed())
        sql = render("tree/rules", listed=self._listed(), parts=parts)
        return Section("verify", "target", sql, binds=("run",), prose=_RULES)

    # The same of both sides.

    def _source(self) -> Sql:
        own = {name: value for name, value, _ in narrow(self.table, self.tree, self.layout).columns}
        read = unique((*self.table.keyset, *self.table.reads, *self.tree.order))
        reading, conditions = Reading(self.table, self.layout, read, ""), where(self.table)
        rows = render(
            "rows/chunk", columns=reading.selected, relation=reading.relation, conditions=conditions, order=None
        )
        order = [ordered(own[f"order_{n}"], source.wire) for n, source in enumerate(self.tree.order, 1)]
        text, by = text_key([column("s", self.tree.key.name)]), ordered(own["key"], self.tree.type)
        nowhere = self.tree.links.nowhere
        became = Sql(f"cardinality($2::text[]) > 0 AND {text} = ANY ($2::text[]){f', {nowhere}' if nowhere else ''}")
        link = render(
            "tree/shape_source", key=own["key"], parent=own["parent"], rows=rows, joins=self.tree.links.joins,
            place=self._place("row_number", own["parent"], became, join(", ", (*order, by))),
            arrived=is_none_of(text, 1),
        )  # fmt: skip
        return self._sums(link)

    def _target(self) -> Sql:
        key, above = source_key(self.table, "t"), source_key(self.table, "p")
        own, theirs = self._typed(key.values[0]), self._typed(above.values[0])
        order = self._at("t", "position") if self._has("position") else own
        at, parent = self._at("t", "parent"), Sql("CASE WHEN m.key IS NULL THEN p.key ELSE m.parent END")
        link = render(
            "tree/shape_target", own=own, parent=parent, target=self._target_sql, joins=key.joins,
            place=self._place("rank", parent, Sql(f"{at} IS NULL{_NOWHERE if self.tree.links.nowhere else ''}"), order),
            above=theirs, above_joins=above.joins, reference=at, id=column("p", self._key),
            lost=cast(tight(self._lost), self.tree.type), text=self._text(key.values[0]),
            table=literal(self.table.id), mended=join(", ", map(literal, _MENDED)),
        )  # fmt: skip
        return self._sums(link)

    @property
    def _is_walkable(self) -> bool:
        """The source finds the children of a row by an index, and knows where all rows hang."""
        links, relation = self.tree.links, self.table.relation
        indexed = relation is not None and any(
            index.columns[:1] == (links.name,) and index.valid for index in relation.indexes
        )
        plain = self.tree.orphan != "under" and not links.joins and self.tree.type != "numeric"
        return indexed and plain and self._has("depth")

    def _depths(self) -> Sql:
        own = {name: value for name, value, _ in narrow(self.table, self.tree, self.layout).columns}
        text = text_key([column("s", self.tree.key.name)])
        arrived, left = Sql(f"({text} = ANY ($1::text[])) IS NOT TRUE"), None
        if self.tree.gone is not None:  # what hung from a placeholder that stayed behind may hang from its parent now
            arrived, left = Sql(f"({arrived} OR {text} = ANY ($3::text[]))"), Sql("n.key::text = ANY ($3::text[])")
        flat = self.tree.max_depth and self.tree.deeper == "flatten"
        return render(
            "tree/depths_source", key=own["key"], parent=own["parent"], text=text, relation=source_sql(self.table),
            column=column("s", self.tree.links.name), conditions=(arrived, *where(self.table)), left=left,
            depth=Sql(f"least(n.depth, {self.tree.max_depth})" if flat else "n.depth"),
        )  # fmt: skip

    def _place(self, function: str, parent: Sql, is_root: Sql, order: Sql) -> Sql | None:
        """The place of a row among those that had the same parent; one that was made a root is a sibling no more.

        In the target it is the rank: two with one position have one place there, and two in the source.
        """
        window = f"PARTITION BY {parent}, {is_root} ORDER BY {order}"
        return Sql(f"{function}() OVER ({window})") if self._has("position") else None

    def _sums(self, link: Sql) -> Sql:
        seed = self._hash("l.key", Sql("0"))
        parents = self._hash("l.parent", seed)
        places = Sql(f"hashint8extended(l.place, {seed})") if self._has("position") else None
        return render("tree/shape", link=link, parents=parents, places=places)

    def _hash(self, value: str, seed: Sql) -> Sql:
        """Equal keys have equal hashes: 1 and 1.0 are one. That of a text takes twice the time of a number's."""
        if self.tree.type in WHOLE:
            whole = value if self.tree.type == "bigint" else f"{value}::bigint"
            return Sql(f"hashint8extended({whole}, {seed})")
        text = Sql(f"trim_scale({value})::text" if self.tree.type == "numeric" else f"{value}::text")
        return hash_text(text, seed, self.layout.same_encoding)

    def _typed(self, value: Sql) -> Sql:
        return value if self.tree.key.wire == self.tree.type else cast(tight(value), self.tree.type)

    # What the target says by itself.

    def _local(self) -> Sql:
        """Each row beside the one that it hangs from."""
        counts, rules = list[Sql](), list[Sql]()
        for number, (problem, holds) in enumerate(self._beside(), 1):
            counts.append(Sql(f"count(*) FILTER (WHERE ({holds}) IS NOT TRUE) AS rule_{number}"))
            rules.append(Sql(f"({literal(f' rows {problem}')}, broken.rule_{number})"))
        joined = Sql(f"{column('p', self._key)} = {self._at('t', 'parent')}")
        return render("tree/local", target=self._target_sql, joined=joined, counts=counts, rules=rules)

    def _beside(self) -> Iterator[tuple[str, str]]:
        parent, most = self._at("t", "parent"), self.tree.max_depth
        yield "hang from rows that are not there", f"{parent} IS NULL OR {column('p', self._key)} IS NOT NULL"
        if self._has("depth"):
            below = f"CASE WHEN {parent} IS NULL THEN 0 ELSE {self._at('p', 'depth')} + 1 END"
            yield "are not one level below the row that they hang from", f"{self._at('t', 'depth')} = {below}"
        if self._has("depth") and most:
            yield f"are deeper than {most}", f"{self._at('t', 'depth')} <= {most}"
        if self._has("root"):
            root = f"CASE WHEN {parent} IS NULL THEN {column('t', self._key)} ELSE {self._at('p', 'root')} END"
            yield "have another root than the row that they hang from", f"{self._at('t', 'root')} = {root}"
        if self._has("path"):
            yield "have a path that does not go on where that of the row ends that they hang from", self._goes_on()

    def _goes_on(self) -> str:
        """The last part of a path is the position of its row, all before it the path that the row hangs from."""
        path, above = (tight(Sql(f"{self._at(alias, 'path')}::text")) for alias in ("t", "p"))
        start = f"{above} || {literal(self.tree.separator)}"
        last = f"CASE WHEN {self._at('t', 'parent')} IS NULL THEN {path} "
        last += f"WHEN starts_with({path}, {start}) THEN substr({path}, length({above}) + 2) END"
        digits = f"({last}) ~ '^[0-9]{{{DIGITS},}}$'"
        return f"ltrim({last}, '0') = {self._at('t', 'position')}::text" if self._has("position") else digits

    def _positions(self) -> Iterator[Sql]:
        if self._has("position"):
            parent, position = self._at("t", "parent"), self._at("t", "position")
            yield render("tree/positions", target=self._target_sql, parent=parent, position=position)

    def _walked(self) -> Iterator[Sql]:
        """Without depths nothing else says that no row is its own ancestor."""
        if not self._has("depth"):
            key, parent = column("t", self._key), self._at("t", "parent")
            yield render("tree/walked", target=self._target_sql, key=key, parent=parent, indexed=self._is_indexed)

    @property
    def _is_indexed(self) -> bool:
        """The rows that hang from one are found by an index."""
        return any(index.columns[:1] == (self._names["parent"],) for index in self.table.indexes)

    def _as_listed(self) -> Sql:
        """What the list says was done to a row is what the target has."""
        rules, flat = [("rooted", "l.parent IS NULL"), ("broken", "l.parent IS NULL")], None
        other = source_key(self.table, "q")
        if self.tree.max_depth and self.tree.deeper == "flatten":
            # The row that it hung from is as deep as a row may be: both hang from the same now.
            rules.append(("flattened", "q.key IS NULL OR l.parent = q.parent"))
            flat = self._at("q", "parent")
        return render(
            "tree/as_listed", target=self._target_sql, theirs=self._text(other.values[0]), their_parent=flat,
            other_joins=other.joins, rules=tuple(Sql(f"({literal(action)}, {holds})") for action, holds in rules),
        )  # fmt: skip

    def _listed(self) -> Sql:
        """The rows that were mended, as the target has them."""
        key = source_key(self.table, "t")
        return render(
            "tree/listed", target=self._target_sql, own=self._text(key.values[0]), joins=key.joins, lost=self._lost,
            parent=self._at("t", "parent"), table=literal(self.table.id), mended=join(", ", map(literal, _MENDED)),
        )  # fmt: skip

    # The pieces.

    @property
    def _names(self) -> dict[Filled, str]:
        return {bound.node: bound.name for bound in self.table.columns if bound.node is not None}

    def _has(self, what: Filled) -> bool:
        return what in self._names

    def _at(self, alias: str, what: Filled) -> Sql:
        return column(alias, self._names[what])

    @property
    def _key(self) -> str:
        return self.table.key[0]

    @property
    def _target_sql(self) -> Sql:
        return relation_sql(self.table.target)

    @property
    def _lost(self) -> Sql:
        """The parent that a listed row had in the source."""
        return Sql(f"j.raw ->> {literal(self.tree.links.name)}")

    def _text(self, value: Sql) -> Sql:
        return cast(tight(self._typed(value)), "text")
