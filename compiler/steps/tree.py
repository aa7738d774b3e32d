"""tree: keeps the rows of a hierarchy in the target, and computes where each of them hangs, before they are loaded."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from compiler.bound import BoundTree
from compiler.chunks import walk
from compiler.kept import KeptRows, drops, working
from compiler.layout import intact_sql, links_sql, rows_sql, tree_sql, unique
from compiler.plan import Lock, Section
from compiler.render import render
from compiler.rows import identity_of, reject_columns, source_text
from compiler.sql import Sql, join, literal
from compiler.steps.base import TableStep
from compiler.tree_walk import Walk, ordered

_WORDS = {"root": "a root", "reject": "set aside", "break": "broken", "flatten": "flattened"}


@dataclass(frozen=True)
class HangRows(TableStep):
    """Read the rows of a table once, and compute their hierarchy: `tree` says what becomes of rows without a place."""

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
        maps = (self.layout.mapped(each.map_of) for each in self._kept.narrow.lookups)
        return unique((self.layout.made(self.table), *maps))

    def locks(self) -> Iterator[Lock]:
        yield from self.source_lock()
        where_ = "" if self.layout.one_database else " in the source"
        for name in self.table.relations if self.table.source is not None and self.tree.links.several else ():
            if name != self.table.source:
                yield Lock("ACCESS SHARE", f"{name}{where_}", "SELECT", old=True)

    def forward(self) -> Iterator[Section]:
        kept, rows = self._kept, rows_sql(self.table.id)
        intact = intact_sql(self.table.id)
        create = render(
            "tree/apply", intact=intact, rows=rows, columns=kept.definitions, links=self._links,
            links_columns=self._walk.links_columns(kept.values), nodes=self._walk.nodes,
            nodes_columns=self._walk.definitions,
        )  # fmt: skip
        yield Section("apply", "target", create, prose="before the first chunk")
        yield from walk(kept.reading)
        within, binds = self.layout.one_database, kept.reading.bounds
        fill = render("chunk/fill", stage=rows, columns=kept.names, rows=kept.chunk if within else None)
        prose = "the rows, and beside them what the hierarchy is made of"
        if within:
            yield Section("load", "target", fill, binds=binds, prose=prose)
        else:
            yield Section("direct", "source", render("chunk/extract", chunk=kept.chunk), binds=binds, prose=prose)
            yield Section("receive", "target", fill)
        yield from self._builds()
        yield Section("intact", "target", render("tree/intact", intact=intact), prose="what was made is still there")

    def revert(self) -> Iterator[Section]:
        tables = drops(self._working, (self._tree, self._walk.nodes, self._walk.siblings))
        yield Section("revert", "target", join("\n", tuple(tables)))

    @property
    def _working(self) -> tuple[Sql, ...]:
        """All working tables that may be there."""
        walk = self._walk
        return unique((*working(self.table.id), self._links, walk.nodes, walk.siblings))

    @property
    def _links(self) -> Sql:
        return links_sql(self.table.id)

    @property
    def _tree(self) -> Sql:
        return tree_sql(self.table.id)

    @cached_property
    def _kept(self) -> KeptRows:
        return KeptRows(self.table, self.tree, self.layout)

    @property
    def _finds(self) -> bool:
        return self._kept.finds

    @property
    def _walk(self) -> Walk:
        return self._kept.walk

    def _builds(self) -> Iterator[Section]:
        kept, walk = self._kept, self._walk
        links = walk.linked(kept.values, join("\n", kept.relation), kept.fates)
        yield self._shared("links", links, "keys, parents and places of all rows")
        yield from self._parents()
        yield self._build("found by", walk.found_by(), "how rows are found from level to level")
        yield self._shared("threads", walk.threads(), "all that a root leads to")
        binds = ("run", "step")
        yield Section("build", "target", walk.loose(), of="loose", binds=binds, prose="what no root leads to")
        if self.tree.gone is not None:
            yield self._build("placeholders", walk.placeholders(), "those from which nothing hangs stay behind")
        if self.tree.counts:
            yield self._build("siblings", walk.numbered(), "their positions")
        if "path" in self.tree.fills:
            yield self._build("paths", walk.paths(), "from the root down")
        yield self._build("statistics", walk.statistics(), "how many rows are in a block")
        if self.tree.under:
            yield self._build("under", walk.under_is_there(), "what orphans hang from is there")
        yield Section(
            "build", "target", self._listing(), of="listing", binds=binds,
            prose="what was done to each row that does not hang where the source says",
        )  # fmt: skip

    def _parents(self) -> Iterator[Section]:
        """What of the parents the source has not said."""
        name = self.tree.links.name
        if self.tree.links.finds == "path":
            order, text = ordered(Sql("l.key"), self.tree.type), literal(f"no row has the {name} ")
            prefix = self.tree.links.prefix
            sql = render("tree/find_by_path", links=self._links, prefix=prefix, order=order, text=text)
            yield self._build("parents", sql, "the rows with whose paths theirs begin")
        elif self.tree.links.finds == "interval":
            rows = Sql(f"SELECT l.key, l.lft, l.rght, l.tree FROM {self._links} AS l")
            text = Sql(f"{literal(f'{name} = ')} || concat_ws(', ', l.lft, l.rght) || ' lies in no row as it should'")
            enclosing = render("tree/enclosing", rows=rows)
            sql = render("tree/find_by_interval", links=self._links, enclosing=enclosing, text=text)
            yield self._build("parents", sql, "the nearest rows that they lie in")

    def _build(self, of: str, sql: Sql, prose: str) -> Section:
        return Section("build", "target", sql, of=of, prose=prose)

    def _shared(self, of: str, sql: Sql, prose: str) -> Section:
        """A build in parts that run side by side."""
        return Section("build", "target", sql, of=of, binds=("part", "parts"), prose=f"{prose}; in parts side by side")

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
            changed=self._walk.changed, missed=self._walk.missed,
            actions=tuple(self._walk.actions()), stops=self._walk.moving("n", but=("left",)),
        )  # fmt: skip
