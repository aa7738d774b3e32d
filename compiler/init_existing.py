"""The specs that are there before `init` writes any: what they read and fill, so that nothing is said twice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from compiler.document import Document, Map, Value
from compiler.names import Name, qualify
from compiler.spec import Project


@dataclass(frozen=True, slots=True)
class Existing:
    """`names`: the spec's table by the source table that it reads, the first such spec; `filled`: target tables."""

    names: Mapping[Name, str]
    filled: frozenset[Name]


def existing(project: Project, documents: Iterable[Document]) -> Existing:
    """What the documents of tables say. One that is not a table's says nothing: `lint` finds that."""
    names: dict[Name, str] = {}
    filled = set()
    for data in (document.data for document in documents):
        if isinstance(data, Map) and isinstance(table := data.get("table"), str):
            filled |= set(_named([table], project.target.schema))
            for name in _named([*_sources(data.get("from")), *_beside(data)], project.source.schema):
                names.setdefault(name, str(table))
    return Existing(names, frozenset(filled))


def _sources(value: Value | None) -> Iterator[str]:
    """The relations that a spec reads, as it names them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Map) and isinstance(query := value.get("sql"), str):
        try:
            parsed = sqlglot.parse_one(query, dialect="postgres")
        except sqlglot.ParseError:
            return
        for table in parsed.find_all(exp.Table):
            yield f"{table.db}.{table.name}" if table.db else table.name


def _beside(data: Map) -> Iterator[str]:
    """The table beside a tree's rows that says what hangs from what."""
    found: Value | None = data
    for key in ("tree", "parent", "from", "table"):
        found = found.get(key) if isinstance(found, Map) else None
    if isinstance(found, str):
        yield found


def _named(texts: Iterable[str], schema: str) -> Iterator[Name]:
    for text in texts:
        try:
            yield qualify(text, schema)
        except ValueError:
            continue  # lint says so
