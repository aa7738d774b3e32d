"""The sections by which the runner walks through a source, range by range; a load and a map share them."""

from collections.abc import Iterator

from compiler.checksums import unmodified
from compiler.layout import relation_sql
from compiler.paging import has_parts, is_stored
from compiler.plan import Section
from compiler.render import render
from compiler.rows import Reading, after, source_sql, upto, where, wired, wired_as
from compiler.sql import Sql, column, fits, ident, join, literal, qname

_HAVE_MAX = frozenset([
    "smallint", "integer", "bigint", "numeric", "text", "character varying", "date", "timestamp with time zone",
    "timestamp without time zone",
])  # fmt: skip


def walk(reading: Reading, *, ranges: bool = True) -> Iterator[Section]:
    """How much there is, where ranges and chunks end, and how many rows a chunk has where that is not known.

    Without `ranges` there is only one.
    """
    relation = source_sql(reading.table)
    yield _size(reading, relation)
    if reading.keyset:
        yield from (_split(reading, relation),) if ranges else ()
        yield _bound(reading, relation)
    if reading.layout.one_database or reading.by_place or reading.table.where is not None:
        yield _count(reading, relation)


def _size(reading: Reading, relation: Sql) -> Section:
    stored = is_stored(reading.table)
    bytes = Sql("NULL::bigint")
    if stored:
        parts = "(SELECT sum(pg_table_size(part.oid))::bigint FROM part)"
        bytes = Sql(parts if has_parts(reading.table) else f"pg_table_size({_regclass(reading)})")
    sql = render("chunk/size", relation=relation, bytes=bytes, parts=_parts(reading) if stored else None)
    return Section("size", "source", sql, prose="the rows of the source, and its bytes on disk")


def _split(reading: Reading, relation: Sql) -> Section:
    if reading.by_place:
        sql = render("chunk/split_blocks", blocks=_blocks(reading))
    else:
        sampled = Sql(f"{relation} TABLESAMPLE SYSTEM ($2::real)") if is_stored(reading.table) else relation
        sql = render(
            "chunk/split", texts=_texts(reading, "sample"), keys=_keys(reading), relation=sampled,
            order=_order(reading),
        )  # fmt: skip
    return Section("split", "source", sql, binds=("ranges", "share"), prose="where each range ends but the last")


def _bound(reading: Reading, relation: Sql) -> Section:
    keyset, rows = reading.keyset, Sql(f"${2 * len(reading.keyset) + 1}")
    if reading.by_place:
        sql = render("chunk/bound_blocks", blocks=_blocks(reading), rows=rows)
    else:
        page = {
            "keys": join(", ", map(wired_as, keyset)), "relation": relation, "order": _order(reading), "rows": rows,
            "conditions": (after(keyset, 1), upto(keyset, len(keyset) + 1)),
        }  # fmt: skip
        if len(keyset) == 1 and unmodified(keyset[0].wire) in _HAVE_MAX:
            name = keyset[0].name
            sql = render("chunk/bound_one", key=column("page", name), name=ident(name), **page)
        else:
            backwards = join(", ", (Sql(f"{column('page', key.name)} DESC") for key in keyset))
            sql = render("chunk/bound", texts=_texts(reading, "page"), backwards=backwards, **page)
    return Section("bound", "source", sql, binds=(*reading.bounds, "rows"), prose="where the next chunk ends")


def _count(reading: Reading, relation: Sql) -> Section:
    sql = render("chunk/count", where=where(reading.table), relation=relation, conditions=reading.range)
    prose = "the rows of the chunk, before the filter and after it"
    return Section("count", "source", sql, binds=reading.bounds, prose=prose)


def staging(reading: Reading, *, ordered: bool = False, empties: bool = False) -> Iterator[Section]:
    """How the rows of a chunk arrive in the stage: `ordered` by key; `empties`: the stage is emptied each time."""
    order = _order(reading) if ordered and reading.keyset else None
    selected = tuple(value for value, _, _ in reading.staged)
    chunk = render("rows/chunk", columns=selected, relation=reading.relation, conditions=reading.chunk, order=order)
    within = reading.in_place
    if not within:
        extract = render("chunk/extract", chunk=chunk)
        yield Section("extract", "source", extract, binds=reading.bounds, prose="the rows of one chunk")
    typed = tuple(Sql(f"{name} {type}") for _, name, type in reading.staged)
    stage = render("chunk/stage", stage=reading.stage, columns=typed, empties=empties)
    often = "emptied each time" if empties else "once a connection"
    yield Section("stage", "target", stage, prose=f"where they arrive; {often}")
    names = tuple(name for _, name, _ in reading.staged)
    fill = render("chunk/fill", stage=reading.stage, columns=names, rows=chunk if within else None)
    yield Section("fill", "target", fill, binds=reading.bounds if within else ())


def sift(reading: Reading, insert: Sql) -> Section:
    """How the rows of the stage are loaded where the server refuses one; `insert` loads `sifted` rows."""
    function = qname("pg_temp", fits(f"sift_{reading.table.id}"))
    tag = "sift"
    while f"${tag}$" in insert:
        tag += "_"
    sql = render("chunk/sift", function=function, tag=Sql(f"${tag}$"), stage=reading.stage, insert=insert)
    return Section("sift", "target", sql, binds=("behind", "most"), prose="loads what it can, tells what is refused")


def sifted() -> Sql:
    """The condition of the piece of the stage that `sift` is at."""
    return Sql("s.ctid BETWEEN sift.rows[sift.done + 1] AND sift.rows[sift.done + sift.size]")


def _texts(reading: Reading, alias: str) -> Sql:
    return join(", ", (Sql(f"{column(alias, key.name)}::text AS {ident(key.name)}") for key in reading.keyset))


def _keys(reading: Reading) -> tuple[Sql, ...]:
    return tuple(map(wired_as, reading.keyset))


def _order(reading: Reading) -> Sql:
    return join(", ", map(wired, reading.keyset))


def _regclass(reading: Reading) -> Sql:
    source = reading.table.source
    assert source is not None  # who asks has a relation
    return Sql(f"{literal(relation_sql(source))}::regclass")


def _parts(reading: Reading) -> Sql | None:
    """A common table of the relation and all its children, where it has some."""
    return render("chunk/parts", relation=_regclass(reading)) if has_parts(reading.table) else None


def _blocks(reading: Reading) -> Sql:
    """A common table of how many blocks there are, and about how many rows there are in each."""
    return render("chunk/blocks", relation=_regclass(reading), parts=_parts(reading))
