"""The sections by which the runner walks through a source, chunk by chunk; a load and a map share them."""

from collections.abc import Iterator

from compiler.plan import Section
from compiler.render import render
from compiler.rows import Reading, after, source_sql, where, wired, wired_as
from compiler.sql import Sql, column, ident, join


def walk(reading: Reading, *, ordered: bool = False) -> Iterator[Section]:
    """How many rows there are, where each chunk ends, its rows, and the stage; `ordered`: the rows come by key."""
    relation = source_sql(reading.table)
    yield Section("size", "source", render("chunk/size", relation=relation), prose="the rows of the source")
    if reading.table.keyset:
        yield _bound(reading, relation)
    if reading.layout.one_database or reading.table.where is not None:
        yield _count(reading, relation)
    if not reading.layout.one_database:
        yield from _staging(reading, relation, ordered)


def _bound(reading: Reading, relation: Sql) -> Section:
    keyset = reading.table.keyset
    count = len(keyset)
    sql = render(
        "chunk/bound", texts=_texts(reading, "page"), keys=join(", ", map(wired_as, keyset)), relation=relation,
        after=after(keyset, 1), order=join(", ", map(wired, keyset)), rows=Sql(f"${count + 1}"),
        backwards=join(", ", (Sql(f"{column('page', key.name)} DESC") for key in keyset)),
    )  # fmt: skip
    return Section("bound", "source", sql, binds=(*reading.bounds[:count], "rows"), prose="where the next chunk ends")


def _count(reading: Reading, relation: Sql) -> Section:
    one = reading.layout.one_database
    sql = render(
        "chunk/count", one_database=one, where=where(reading.table), relation=relation, conditions=reading.range
    )
    prose = "the rows of the chunk, before the filter" + (" and after it" if one else "")
    return Section("count", "source", sql, binds=reading.bounds, prose=prose)


def _staging(reading: Reading, relation: Sql, ordered: bool) -> Iterator[Section]:
    order = join(", ", map(wired, reading.table.keyset)) if ordered and reading.table.keyset else None
    chunk = render("rows/chunk", columns=reading.selected, relation=relation, conditions=reading.chunk, order=order)
    extract = render("chunk/extract", chunk=chunk)
    yield Section("extract", "source", extract, binds=reading.bounds, prose="the rows of one chunk")
    typed = tuple(Sql(f"{ident(source.name)} {source.wire}") for source in reading.columns)
    stage = render("chunk/stage", stage=reading.stage, columns=typed)
    yield Section("stage", "target", stage, prose="where they arrive; once a connection")
    names = tuple(ident(source.name) for source in reading.columns)
    yield Section("fill", "target", render("chunk/fill", stage=reading.stage, columns=names))


def halve(reading: Reading) -> Iterator[Section]:
    """How a part of a chunk is cut in two to find the row that cannot be loaded."""
    prose = "cuts a part in two, to find the row that fails"
    if not reading.layout.one_database:
        sql = render("chunk/halve_stage", stage=reading.stage)
        yield Section("halve", "target", sql, binds=reading.binds, prose=prose)
    elif reading.table.keyset:
        keyset = reading.table.keyset
        sql = render(
            "chunk/halve_range", texts=_texts(reading, "part"), keys=tuple(map(wired_as, keyset)),
            order=join(", ", map(wired, keyset)), relation=source_sql(reading.table), conditions=reading.chunk,
        )  # fmt: skip
        yield Section("halve", "target", sql, binds=reading.binds, prose=prose)


def _texts(reading: Reading, alias: str) -> Sql:
    keys = (key.name for key in reading.table.keyset)
    return join(", ", (Sql(f"{column(alias, name)}::text AS {ident(name)}") for name in keys))
