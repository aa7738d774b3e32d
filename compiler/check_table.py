"""A table's spec as a whole: what is said twice, what does not fit together. Needs no catalog."""

from collections.abc import Iterator
from datetime import date

from compiler.diagnostics import Diagnostic
from compiler.spec import AnyReference, Copy, Derived, How, Json, Partition, Recode, Reference, Table, Word


def check_table(table: Table) -> Iterator[Diagnostic]:
    """Every finding in one table's spec."""
    yield from _targets(table)
    yield from _key(table)
    yield from _dropped(table)
    yield from _twice("column to order by", list(table.tree.order) if table.tree else [])
    yield from _twice("comparison", [comparison.name for comparison in table.verify])
    yield from _twice("index", [index.name for index in table.indexes if index.name])
    if table.partition:
        yield from _range(table.partition) if table.partition.by == "range" else _list(table.partition)


def _twice(what: str, words: list[Word]) -> Iterator[Diagnostic]:
    seen: dict[str, Word] = {}
    for word in words:
        if word.text in seen:
            label = f"first on line {seen[word.text].span.line}"
            yield Diagnostic("E207", f'{what} "{word}" is there twice', word.span, label, "take one of the two out")
        seen.setdefault(word.text, word)


def _targets(table: Table) -> Iterator[Diagnostic]:
    yield from _twice("target column", [mapping.target for mapping in table.mappings])


def _key(table: Table) -> Iterator[Diagnostic]:
    yield from _twice("key column", list(table.key))
    filled = {mapping.target.text for mapping in table.mappings}
    for column in table.key:
        if column.text not in filled:
            hint = 'add it under "columns" or "same"'
            yield Diagnostic("E206", f'key column "{column}" is filled by nothing', column.span, "not filled", hint)


def _dropped(table: Table) -> Iterator[Diagnostic]:
    words = [word for mapping in table.mappings for word in sources(mapping.how)]
    words += [*table.tree.parents.columns, *table.tree.order] if table.tree else []
    read = {word.text: word for word in words}
    for reason in table.drop:
        if word := read.get(reason.name.text):
            label, hint = f"read on line {word.span.line}", "take one of the two out"
            yield Diagnostic("E206", f'column "{word}" is dropped and mapped', reason.name.span, label, hint)


def sources(how: How) -> tuple[Word, ...]:
    """The source columns that a mapping names; an expression's are not among them."""
    match how:
        case Copy(source=source) | Recode(source=source):
            return (source,)
        case Reference(by=words) | Derived(sources=words):
            return words
        case AnyReference(type=type, id=id):
            return type, id
        case Json(entries=entries):
            return tuple(word for _, word in entries)
    return ()


def _range(partition: Partition) -> Iterator[Diagnostic]:
    words = [word for word in (partition.start, partition.until) if word is not None]
    days = [first_day(word.text) for word in words]
    for word, day in zip(words, days, strict=True):
        if day is None:
            hint = "a month ends on its 28th, 29th, 30th or 31st day"
            yield Diagnostic("E205", f'there is no day "{word}"', word.span, "not in the calendar", hint)
    if None not in days and days != sorted(set(days), key=str):
        hint = '"until" is the day after the last one that has a partition'
        yield Diagnostic("E206", "the partitions end before they begin", words[1].span, "not after the first day", hint)


def first_day(text: str) -> date | None:
    """The day that `2025`, `2025-01` or `2025-01-31` begins with; None where there is no such day."""
    try:
        return date.fromisoformat(text + "-01" * (2 - text.count("-")))
    except ValueError:
        return None


def _list(partition: Partition) -> Iterator[Diagnostic]:
    owner: dict[str, Word] = {}
    for name, values in partition.values:
        for value in values:
            first = owner.setdefault(str(value), name)
            if first is not name:
                message = f'value "{value}" is in the partitions "{first}" and "{name}"'
                label = f'"{first}" is on line {first.span.line}'
                yield Diagnostic("E207", message, name.span, label, "take one of the two out")
