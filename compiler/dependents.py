"""What uses a column, by the query that the runner's snapshot asks too: as SQL for a plan, and as a removal names it.

The query (templates/analyse/dependents.sql.j2, the same bytes as runner/dependents.sql) gives rows of

    column     text     one of the columns asked for, or `*`, which asks for the table itself
    effect     text     refuses   the server refuses to drop the column while it is there
                        rebuilt   built on something that refuses: dropped and made again with it
                        vanishes  dropped with the column, without a word
                        breaks    stays, names the column in its text (HIGH), and fails when it next runs
                        changes   stays, and changes its shape or its meaning: whole rows, row types
                        perhaps   names a column so called, of another table for all that is known (LOW)
                        lost      the column's own: default, comment, grants ...
                        forbids   the server never drops the column here: inherited, partition key, typed table
    dependent  text     "view app.active_users", "trigger touch on app.users", "function app.f(integer)"; of lost and
                        forbids: what it is. Names as catalogs write them
    level      integer  of refuses and rebuilt: what has the greatest is dropped first, and made again last; else 0
    digest     text     16 hexadecimal digits of its definition; NULL where it has none
    detail     text     for people

What belongs to the runner's schema is not among them, nor a trigger that runs a function of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from compiler.catalog import Relation
from compiler.catalog_uses import Dependent, Effect
from compiler.diagnostics import Diagnostic, Span, closest
from compiler.names import Name, join, qualify, split
from compiler.render import render
from compiler.spec import Word
from compiler.sql import Sql, literal, typed
from compiler.sql import join as joined

BY_NUMBER = {"schema": Sql("$1::text"), "relation": Sql("$2::text"), "columns": Sql("$3::text[]")}

ROUTINES = ("function", "procedure", "aggregate")
ON_TABLE = ("constraint", "trigger", "policy", "rule")
OF_TABLE = ("column", "default")
IN_SCHEMA = ("materialized view", "view", "foreign table", "table", "index", "sequence", "statistics", "type")
EFFECTS = get_args(Effect)
TABLE = "*"  # in the place of a column: the table itself
KINDS = (*IN_SCHEMA, *ROUTINES, *ON_TABLE, *OF_TABLE, "publication")
ALSO = {"table constraint": "constraint", "statistics object": "statistics", "default value": "default"}
REWRITTEN = (*ROUTINES, "view", "materialized view", "trigger", "policy", "rule")
_ON = re.compile(r"(?P<name>.+)\s+(?:on|of)\s+(?P<table>\S.*)")


def dependents_query(relation: Name, columns: Sequence[str]) -> Sql:
    """The query for these columns of a relation: it stands in a FROM, in parentheses, or by itself."""
    cols = Sql(f"ARRAY[{joined(', ', map(literal, columns))}]::text[]")
    return render(
        "analyse/dependents", schema=typed(relation.schema, "text"), relation=typed(relation.name, "text"), columns=cols
    )


def dependents_body() -> Sql:
    """The query over $1 (schema), $2 (relation) and $3 (columns): the body of a function (text, text, text[])."""
    return render("analyse/dependents", **BY_NUMBER)


def whole_name(text: str, schema: str, relation: Name) -> str:
    """A dependent as catalogs name it, of how a spec writes it: `view list` -> `view app.list`.

    Names without a schema are of `schema`, triggers and the like without a table of `relation`. Raises ValueError for
    what does not begin with a kind, or has no name that could be one.
    """
    text = " ".join(text.split())
    kind = next((one for one in (*ALSO, *KINDS) if text.startswith(f"{one} ")), None)
    if kind is None:
        raise ValueError(text)
    name = text.removeprefix(f"{kind} ")
    kind = ALSO.get(kind, kind)
    on = _ON.fullmatch(name)
    if kind in ON_TABLE:
        table = qualify(on["table"], schema) if on else relation
        return f"{kind} {_part(on['name'] if on else name)} on {table}"
    if kind == "publication":
        table = qualify(on["table"], schema) if on else relation
        return f"{kind} {on['name'] if on else name}" + ("" if table == relation else f" of {table}")
    if kind in OF_TABLE:
        parts = split(name)
        return f"{kind} {join(parts if len(parts) > 2 else (schema, *parts))}"
    if kind in ROUTINES:
        head, paren, arguments = name.partition("(")
        return f"{kind} {qualify(head.strip(), schema)}{paren}{re.sub(r' *, *', ', ', arguments)}"
    return f"{kind} {qualify(name, schema)}"


def _part(name: str) -> str:
    return join(split(name)) if name.startswith('"') else join((name,))


def shown_name(dependent: str, schema: str) -> str:
    """The shortest form that `whole_name` takes for the same: without the schema of the project."""
    parts = {one: f"{join((schema,))}." for one in (" ", " on ", " of ")}
    kind = next((one for one in KINDS if dependent.startswith(f"{one} ")), "")
    head, name = dependent[: len(kind) + 1], dependent[len(kind) + 1 :]
    if kind in (*ON_TABLE, "publication"):
        for word in (" on ", " of "):
            before, found, table = name.rpartition(word)
            name = f"{before}{found}{table.removeprefix(parts[word])}" if found else name
        return head + name
    return head + name.removeprefix(parts[" "])


def check_named(
    relation: Relation, columns: Sequence[Word], named: Iterable[Word], schema: str, place: Span
) -> Iterator[Diagnostic]:
    """What uses the columns and is not among `named`; what is named and is not there; what nobody has looked for.

    `place` is where a removal says, or would say, what becomes of its dependents; `schema` is the project's. Without
    columns it is the table itself; where no snapshot has looked for what uses that, nothing is said.
    """
    if not columns and relation.uses_of(TABLE) is None:
        return
    unknown = [word for word in columns if relation.column(word.text) and relation.uses_of(word.text) is None]
    for word in unknown:
        message = f'the catalog does not say what uses column "{word}" of "{relation.qualified}"'
        yield Diagnostic("E640", message, word.span, "not looked for", "`transhume snapshot` writes the catalog anew")
    if unknown:
        return
    used = used_by(relation, [word.text for word in columns] or [TABLE])
    said: dict[str, Word] = {}
    for word in named:
        name = _whole(word, schema, relation.qualified)
        said[name] = word
        if name not in used:
            close = closest(name, used)
            hint = f'did you mean "{shown_name(close, schema)}"?' if close else "take it out"
            message = f'"{word}" does not use {"the columns that are" if columns else "the table that is"} removed'
            yield Diagnostic("E642", message, word.span, "no dependent", hint)
    if missing := [one for name, one in used.items() if name not in said]:
        yield _not_named(missing, used, schema, place, "columns" if columns else "table")


def used_by(relation: Relation, columns: Iterable[str]) -> Mapping[str, Dependent]:
    """What uses any of the columns, by name, with the worst of its effects; what is dropped first stands first."""
    found: dict[str, Dependent] = {}
    for column in columns:
        for one in uses.dependents if (uses := relation.uses_of(column)) else ():
            known = found.get(one.name, one)
            worst = min(known, one, key=lambda each: EFFECTS.index(each.effect))
            found[one.name] = replace(worst, level=max(known.level, one.level))
    return dict(sorted(found.items(), key=lambda item: _place(item[1])))


def _place(one: Dependent) -> tuple[int, int, str]:
    """What the server refuses for in the order in which it can be dropped; then the rest by effect."""
    return max(1, EFFECTS.index(one.effect)), -one.level, one.name


def block(dependents: Iterable[Dependent], schema: str) -> str:
    """`dependents:`, ready to be pasted into a removal's spec, and to be thought about."""
    lists: dict[str, list[str]] = {"drop": [], "rewrite": [], "keep": []}
    for one in dependents:
        name, reason = shown_name(one.name, schema), f"  # {one.effect}"
        if one.effect == "changes":
            lists["keep"].append(f"    - {_yaml(name)}{reason}")
        elif one.effect == "breaks" and one.name.startswith(REWRITTEN):
            lists["rewrite"].append(f"    {_yaml(name)}: sql/{_file(name)}.sql{reason}")
        else:
            lists["drop"].append(f"    - {_yaml(name)}{reason}")
    lines = [line for key, items in lists.items() if items for line in (f"  {key}:", *items)]
    return "\n".join(["dependents:", *lines])


def _whole(word: Word, schema: str, relation: Name) -> str:
    try:
        return whole_name(word.text, schema, relation)
    except ValueError:
        return word.text


def _not_named(
    missing: Sequence[Dependent], used: Mapping[str, Dependent], schema: str, place: Span, what: str
) -> Diagnostic:
    first = shown_name(missing[0].name, schema)
    others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    message = f'"{first}"{others} would be left without the {what}, and the removal does not say what becomes of it'
    hint = f"everything that uses the {what} is named:\n{block(used.values(), schema)}"
    return Diagnostic("E641", message, place, "says nothing of it", hint)


def _yaml(name: str) -> str:
    """A text as YAML: in single quotes where it would be something else without them."""
    plain = re.fullmatch(r"[\w.(),\" \[\]%-]+", name) and not name.endswith(" ")
    return name if plain else "'" + name.replace("'", "''") + "'"


def _file(name: str) -> str:
    """The name of a file for a dependent: `function app.f(integer)` -> `f`."""
    head = name.partition("(")[0].partition(" on ")[0].rpartition(" ")[2]
    return re.sub(r"[^\w-]", "_", head.rpartition(".")[2].strip('"')) or "dependent"
