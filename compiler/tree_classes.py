"""Which sorts of rows a hierarchy has, and the rule that each falls under, for whoever reviews a plan."""

from collections.abc import Iterator

from compiler.bound import BoundTable, BoundTree, Links
from compiler.hierarchy import narrow
from compiler.layout import Layout
from compiler.render import render
from compiler.rows import reading, where
from compiler.sql import Sql


def classes(tree: BoundTree) -> Iterator[tuple[str, str]]:
    """Each sort of rows, and what becomes of it."""
    roots, moves, orphans = _parents(tree.links)
    yield roots, "roots"
    yield moves, "hang from it"
    yield f"orphans: {orphans}, because it is not there, is filtered or is rejected", _orphans(tree)
    if tree.links.several == "first":
        yield f"with more than one {tree.links.name}", "hang from the one with the lowest key, listed as chosen"
    elif tree.links.several == "reject":
        yield f"with more than one {tree.links.name}", "set aside; what hangs from them is an orphan"
    if tree.links.finds:
        pass  # what a path begins with is shorter, and what a row lies in is wider: there are no cycles
    elif tree.cycle == "break":
        yield "cycles: rows that are their own ancestors", "the first in order becomes a root, listed as broken"
    else:
        yield "cycles: rows that are their own ancestors", "set aside; what hangs from them is an orphan"
    if tree.max_depth:
        kept = f"hang from their ancestor at depth {tree.max_depth - 1}, listed as flattened"
        yield f"deeper than {tree.max_depth}", kept if tree.deeper == "flatten" else "set aside"
    if tree.gone is not None:
        yield "placeholders from which something hangs", "move with what they are set to, listed as placeholder"
        yield "placeholders from which nothing hangs", "stay behind, counted as filtered, listed as left"


def _parents(links: Links) -> tuple[str, str, str]:
    """Rows without a parent, with one that moves, and with one that does not."""
    by = links.name
    if links.finds == "path":
        begins = f"whose {by} begins with that of a row"
        return f"whose {by} has one step, or none", f"{begins} that moves", f"{begins} that does not move"
    if links.finds == "interval":
        lie = f"that lie, by {by}, in a row"
        return f"that lie, by {by}, in no other", f"{lie} that moves", f"{lie} that does not move, or across its ends"
    return f"without {by}, or with their own key in it", f"whose {by} moves", f"whose {by} does not move"


def _orphans(tree: BoundTree) -> str:
    if tree.orphan == "reject":
        return "set aside with all that hangs from them"
    if tree.orphan == "root":
        return "become roots, listed as rooted"
    return f"hang from {tree.under}, listed as adopted; become roots, listed as rooted, where that hangs from them"


def counting(table: BoundTable, tree: BoundTree, layout: Layout) -> Sql:
    """A query on the source that counts what can be counted without walking: roots, orphans, placeholders."""
    values = {name: value for name, value, _ in narrow(table, tree, layout).columns}
    read, conditions = reading(table, layout), where(table)
    rows = render("rows/chunk", columns=read.selected, relation=read.relation, conditions=conditions, order=None)
    return render(
        "tree/classes", key=values["key"], parent=values["parent"], gone=values.get("gone"), rows=rows,
        joins=tree.links.joins, nowhere=tree.links.nowhere,
    )  # fmt: skip
