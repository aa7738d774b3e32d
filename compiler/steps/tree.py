"""tree: computes where each row of a hierarchy hangs, over the keys alone, before the rows are loaded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundTree
from compiler.chunks import walk
from compiler.hierarchy import Narrow, narrow, to_find
from compiler.layout import links_sql, tree_sql, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import Reading, identity_of, looked_up, reject_columns, source_text, where
from compiler.sql import Sql, column, ident, join, literal
from compiler.steps.base import TableStep
from compiler.tree_walk import Walk, ordered

_KEPT = "passes the filter"  # the column that says so where all rows are read
_WORDS = {"root": "a root", "reject": "set aside", "break": "broken", "flatten": "flattened"}


@dataclass(frozen=True)
class HangRows(TableStep):
    """Compute the hierarchy of a table's rows: `tree` says of what, and what becomes of rows without a place."""

    tree: BoundTree
    kind: ClassVar[str] = "tree"
    undo: ClassVar[str] = "drops what it has computed"

    @property
    def what(self) -> str:
        of = f"{source_text(self.table)} (source) by {self.tree.links.name}"
        return f"{of} -> transhume.tree_{self.table.id} (target): {', '.join(self._rules())}"

    def _rules(self) -> Iterator[str]:
        tree = self.tree
        yield f"an orphan hangs from {tree.under}" if tree.under else f"an orphan is {_WORDS[tree.orphan]}"
        yield f"a cycle is {_WORDS[tree.cycle]}"
        if tree.max_depth:
            yield f"what is deeper than {tree.max_depth} is {_WORDS[tree.deeper]}"

    def after(self) -> tuple[str, ...]:
        """The table, and the maps that its rows' references are looked up in."""
        maps = (self.layout.mapped(each.map_of) for each in self._narrow.lookups)
        return unique((self.layout.made(self.table), *maps))

    def locks(self) -> Iterator[Lock]:
        yield from self.source_lock()
        where_ = "" if self.layout.one_database else " in the source"
        for name in self.table.relations if self.table.source is not None and self.tree.links.several else ():
            if name != self.table.source:
                yield Lock("ACCESS SHARE", f"{name}{where_}", "SELECT", old=True)

    def forward(self) -> Iterator[Section]:
        yield Section("apply", "target", self._create(), prose="before the first chunk")
        yield from walk(self._reading)
        rows = self._rows()
        if self.layout.one_database:
            load = render("tree/load", links=self._links, names=self._narrow.names, rows=rows)
            yield Section("load", "target", load, binds=self._reading.bounds, prose="the narrow rows that can move")
        else:
            direct = render("tree/direct", rows=rows)
            yield Section("direct", "source", direct, binds=self._reading.bounds, prose="the narrow rows that can move")
            yield Section("receive", "target", render("tree/receive", links=self._links, names=self._narrow.names))
        yield from self._builds()

    def revert(self) -> Iterator[Section]:
        tables = unique((self._links, self._walk.nodes, self._walk.siblings, self._tree))
        yield Section("revert", "target", join("\n", (Sql(f"DROP TABLE IF EXISTS {each};") for each in tables)))

    @property
    def _links(self) -> Sql:
        return links_sql(self.table.id)

    @property
    def _tree(self) -> Sql:
        return tree_sql(self.table.id)

    @cached_property
    def _narrow(self) -> Narrow:
        found = narrow(self.table, self.tree, self.layout)
        kept = (column("s", _KEPT),) if self.table.where is not None else ()
        return to_find(found, kept) if self._finds else found

    @property
    def _finds(self) -> bool:
        """Parents are found here, among all rows of the source, even those that do not move."""
        return bool(self.tree.links.finds)

    @cached_property
    def _walk(self) -> Walk:
        return Walk(self.table.id, self.tree)

    @cached_property
    def _reading(self) -> Reading:
        read = (*self.table.keyset, *self.table.reads, *self.tree.order)
        table = replace(self.table, where=None) if self._finds else self.table
        return Reading(table, self.layout, unique(read), f"stage_tree_{self.table.id}")

    def _create(self) -> Sql:
        return render("tree/apply", links=self._links, columns=self._narrow.definitions)

    def _rows(self) -> Sql:
        if self._finds:
            rows, conditions = self._all_rows(), tuple[Sql, ...]()
        else:
            _, rows, chunk = self._reading.read
            conditions = (*chunk, *self._narrow.conditions)
        joins = () if self._finds else (Sql(f"  {each}".replace("\n", "\n  ")) for each in self.tree.links.joins)
        return render(
            "tree/rows", columns=self._narrow.values, relation=(rows, *joins), conditions=conditions
        )  # fmt: skip

    def _all_rows(self) -> Sql:
        """The rows of a chunk, with whether each passes the filter."""
        read, columns = self._reading, self._reading.selected
        kept = tuple(Sql(f"{condition} IS TRUE AS {ident(_KEPT)}") for condition in where(self.table))
        rows = render(
            "rows/chunk", columns=(*columns, *kept), relation=read.relation, conditions=read.range, order=None
        )
        return Sql(f"(\n{rows}\n) AS s")

    def _builds(self) -> Iterator[Section]:
        walk, links = self._walk, self._links
        yield from self._parents()
        if self._narrow.guards:
            unfit = render(
                "tree/unfit", links=links, columns=self._narrow.kept, joins=looked_up(self._narrow.looked_up),
                guards=self._narrow.guards,
            )  # fmt: skip
            yield self._build("unfit", unfit, "takes those away whose references lead nowhere")
        yield self._build("links", walk.known(), "what the planner must know of them")
        yield self._build("threads", walk.threads(), "all that a root leads to")
        yield self._build("loose", walk.loose(), "what no root leads to")
        if "several" in walk.stops:
            yield self._build("several", walk.several(), "those with more than one parent are set aside")
        if self.tree.gone is not None:
            yield self._build("placeholders", walk.placeholders(), "those from which nothing hangs stay behind")
        if self.tree.counts:
            yield self._build("siblings", walk.numbered(), "their positions")
        if "path" in self.tree.fills:
            yield self._build("paths", walk.paths(), "from the root down")
        yield self._build("tree", walk.found(), "by which the load finds where a row hangs")
        if self.tree.under:
            yield self._build("under", walk.under_is_there(), "what orphans hang from is there")
        yield Section(
            "build", "target", self._listing(), of="listing", binds=("run", "step"),
            prose="what was done to each row that does not hang where the source says",
        )  # fmt: skip

    def _parents(self) -> Iterator[Section]:
        """What of the parents the source has not said."""
        name, fits_ = self.tree.links.name, any(name == "fits" for name, _, _ in self._narrow.columns)
        if self.tree.links.finds == "path":
            order, text = ordered(Sql("l.key"), self.tree.type), literal(f"no row has the {name} ")
            sql = render(
                "tree/find_by_path",
                links=self._links,
                prefix=self.tree.links.prefix,
                order=order,
                text=text,
                fits=fits_,
            )
            yield self._build("parents", sql, "the rows with whose paths theirs begin")
        elif self.tree.links.finds == "interval":
            rows = Sql(f"SELECT l.key, l.lft, l.rght, l.tree FROM {self._links} AS l")
            text = Sql(f"{literal(f'{name} = ')} || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should'")
            sql = render(
                "tree/find_by_interval", links=self._links, enclosing=render("tree/enclosing", rows=rows), text=text,
                fits=fits_,
            )  # fmt: skip
            yield self._build("parents", sql, "the nearest rows that they lie in")
        elif self.tree.links.several == "reject":
            yield self._build("parents", render("tree/several", links=self._links), "not for those that have several")

    def _build(self, of: str, sql: Sql, prose: str) -> Section:
        return Section("build", "target", sql, of=of, prose=prose)

    @property
    def _parent(self) -> Sql:
        """The parent that the source says, of a row of the hierarchy."""
        found = Sql("coalesce(n.was, n.parent)")
        return Sql(f"CASE WHEN n.nowhere IS NULL THEN {found} END") if self._finds else found

    def _listing(self) -> Sql:
        key, name = literal(self.tree.key.name), literal(self.tree.links.name)
        parent = next(each.name for each in self.table.columns if each.node == "parent")
        return render(
            "tree/listing", tree=self._tree, links=self._links, reject=reject_columns(),
            identity=identity_of(self.table), column=literal(parent),
            raw=Sql(f"jsonb_build_object({key}, n.key, {name}, {self._parent})"),
            changed=self._walk.changed,
            actions=tuple(self._walk.actions()), stops=self._walk.moving("n", but=("left",)),
        )  # fmt: skip
