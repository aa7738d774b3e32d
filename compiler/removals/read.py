"""removals/<name>.yaml -> Removal, as it is written; what its schema cannot say is checked here."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import cast

from compiler.document import Map, Value
from compiler.reading import Reading, as_list, as_map, as_text, key_of
from compiler.removals.spec import Action, Hide, Named, NewRows, Phases, Removal
from compiler.spec import Word

FOLDER = "removals"


def read_removal(reading: Reading, files: Mapping[str, str]) -> Removal:
    """The removal as it is written; `files` are the SQL files below removals/, by their path from there."""
    entry = as_map(reading.document.data)
    name = reading.word(entry["removal"])
    stem = PurePosixPath(reading.document.page.file).stem
    if name.text != stem:
        hint = f'name it "{stem}", or rename the file'
        reading.refuse("E220", f'removal "{name}" stands in the file "{stem}.yaml"', name.span, "", hint)
    columns = tuple(map(reading.name, as_list(entry.get("columns"))))
    new_rows, expressions = _new_rows(reading, as_map(entry.get("on_restore")))
    removal = Removal(
        name=name,
        on="source" if entry.get("on") == "source" else "target",
        table=reading.relation(entry.get("table", entry["removal"])),
        columns=columns,
        because=str(entry["because"]),
        dependents=tuple(_dependents(reading, as_map(entry.get("dependents")), files)),
        code=reading.words(entry.get("code")),
        phases=Phases(**{str(key): str(value) for key, value in as_map(entry.get("phases")).items()}),
        hide=cast(Hide, str(entry.get("hide", "rename"))),
        roles=reading.words(entry.get("roles")),
        new_rows=new_rows,
        expressions=expressions,
        long_restore=str(entry.get("accept_long_restore", "")),
        restore_limit=str(entry.get("restore_limit", "5m")),
        span=name.span,
        place=reading.document.span(key_of(entry, "dependents")) if "dependents" in entry else name.span,
    )
    _check(reading, removal)
    return removal


def _new_rows(reading: Reading, entry: Map) -> tuple[NewRows, tuple[tuple[Word, Word], ...]]:
    value = entry.get("new_rows")
    if isinstance(value, Map):
        return "expression", tuple((reading.word(key), reading.word(item)) for key, item in value.entries())
    if value is None:
        return "default", ()
    word = as_text(value)
    return cast(NewRows, "null" if word.is_null else str(word)), ()


def _dependents(reading: Reading, entry: Map, files: Mapping[str, str]) -> Iterator[Named]:
    actions: tuple[Action, ...] = ("drop", "keep")
    for action in actions:
        for item in as_list(entry.get(action)):
            yield Named(action, reading.word(item))
    for key, value in as_map(entry.get("rewrite")).entries():
        yield Named("rewrite", reading.word(key), reading.word(value), _text(reading, value, files))


def _text(reading: Reading, value: Value, files: Mapping[str, str]) -> str:
    name = str(value)
    if name not in files:
        message = f'there is no file "{FOLDER}/{name}"'
        reading.refuse("E221", message, value, "no such file", "write what the dependent is to be without the columns")
    return files.get(name, "")


def _check(reading: Reading, removal: Removal) -> None:
    seen: dict[str, Word] = {}
    for word in removal.columns:
        if word.text in seen:
            reading.refuse("E207", f'column "{word}" is removed twice', word.span, "again", "take one of the two out")
        seen[word.text] = word
    if removal.hide == "privileges" and not removal.roles:
        hint = 'say from whom: "roles: [web]"'
        reading.refuse("E206", '"hide: privileges" needs "roles"', removal.name.span, "hidden from whom?", hint)
    if removal.roles and removal.hide != "privileges":
        hint = 'write "hide: privileges", or take the roles out'
        reading.refuse("E206", '"roles" belong to "hide: privileges"', removal.roles[0].span, "for what?", hint)
    if removal.expressions:
        given = {column.text for column, _ in removal.expressions}
        for column, _ in removal.expressions:
            if column.text not in seen:
                hint = f"removed here: {', '.join(seen)}"
                reading.refuse("E222", f'column "{column}" is not removed', column.span, "not one of the columns", hint)
        for word in removal.columns:
            if word.text not in given:
                hint = f'say what rows that came after the drop get: "new_rows: {{{word}: ...}}"'
                reading.refuse("E206", f'"new_rows" says nothing of column "{word}"', word.span, "gets what?", hint)
