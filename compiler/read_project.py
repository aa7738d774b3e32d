"""project.yaml -> Project. What a schema cannot say is checked here."""

from uuid import UUID

from compiler.document import Map, Value
from compiler.reading import Reading, as_list, as_map, as_text
from compiler.spec import Database, Ids, Limits, Project, Reason


def read_project(reading: Reading, folder: str) -> Project:
    """The project in `folder`, the name of its place under specs/."""
    entry = as_map(reading.document.data)
    name = reading.word(entry["project"])
    if name.text != folder:
        hint = f'name it "{folder}", or rename the folder'
        reading.refuse("E304", f'project "{name}" stands in the folder "{folder}"', name.span, "", hint)
    requires = as_map(entry.get("requires"))
    return Project(
        name=name,
        about=str(entry.get("about", "")),
        source=_database(reading, entry["source"]),
        target=_database(reading, entry["target"]),
        ids=_ids(reading, as_map(entry["ids"])) if "ids" in entry else None,
        protect=tuple(_protected(reading, as_map(item)) for item in as_list(entry.get("protect"))),
        skip=_skipped(reading, entry.get("skip")),
        limits=Limits(**{str(key): str(value) for key, value in as_map(entry.get("limits")).items()}),
        extensions=reading.words(requires.get("extensions")),
        env=reading.words(requires.get("env")),
        span=name.span,
    )


def _database(reading: Reading, value: Value) -> Database:
    entry = as_map(value)
    schema = str(reading.name(entry["schema"])) if "schema" in entry else "public"
    return Database(str(entry["env"]), schema, str(entry.get("time_zone", "UTC")), reading.document.span(entry["env"]))


def _ids(reading: Reading, entry: Map) -> Ids:
    return Ids(
        UUID(as_text(entry["namespace"])),
        3 if entry["version"] == "3" else 5,
        reading.document.span(entry["version"]),
    )


def _protected(reading: Reading, entry: Map) -> Reason:
    column = reading.relation(entry["column"], most=3)
    if "." not in column.text:
        reading.refuse("E301", f'"{column}" names no table', column.span, "", f'write "table.{column}"')
    return Reason(column, str(entry["because"]))


def _skipped(reading: Reading, value: Value | None) -> tuple[Reason, ...]:
    reasons = reading.reasons(value)
    for reason in reasons:
        if "*" in reason.name.text[:-1]:
            hint = "write the names out, or what they begin with"
            reading.refuse("E205", f'"{reason.name}" has a * that is not at its end', reason.name.span, "", hint)
    return reasons
