"""docs/spec.md, made of the JSON schemas, so that it cannot say something else than they do."""

import json
from collections.abc import Iterator

from compiler.schema import SCHEMAS, Schema, resolved, schema

HEAD = """\
# The spec language

Made by `transhume schema --markdown` from compiler/schemas/*.json. A spec that begins with
`# yaml-language-server: $schema=` and the schema's path has help and completion in most editors; `transhume schema`
writes the schemas out.

Values are what the language wants them to be, not what YAML guesses: `no`, `012` and `12:30:45` are texts where a text
belongs, and only `true` and `false` are true and false. Names are as they are stored, in their case, without quotes;
`schema.name` is split at the dot, and a part with a dot of its own stands in double quotes: `'"odd.name"'`.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(line for name in SCHEMAS for line in _page(schema(name)))]).rstrip() + "\n"


def _page(part: Schema) -> Iterator[str]:
    defs = part["$defs"]
    yield from (f"## {part['title']}", "", part["description"], "", *_example(part), "")
    yield from (*_table(part, defs), "")
    for key, item in part["properties"].items():
        yield from _section(f"`{key}`", resolved(item, defs), defs)


def _section(title: str, part: Schema, defs: Schema) -> Iterator[str]:
    """A key that has keys of its own, or forms that have."""
    inner = list(_inner(part, defs))
    if not inner:
        return
    yield from (f"### {title}", "", part.get("description", ""), "", *_example(part), "")
    for form in inner:
        if form is not part:
            title = f"**`{form['title']}`**" if "title" in form else "Each entry:"
            yield from (f"{title} {form.get('description', '')}".rstrip(), "")
        if "properties" in form:
            yield from (*_table(form, defs), "")
            yield from _deeper(form, defs, [])


def _deeper(form: Schema, defs: Schema, told: list[Schema]) -> Iterator[str]:
    """The keys of the keys; those that several have the same of are told of the first."""
    for key, item in form["properties"].items():
        entry = resolved(item, defs)
        for inner in _inner(entry, defs):
            if inner in told:
                continue
            told.append(inner)
            title = f" as `{inner['title']}`" if "title" in inner else ""
            said = inner["description"] if inner is not entry and "description" in inner else ""
            if "properties" in inner:
                yield from (f"`{key}`{title}: {said}".rstrip(), "", *_table(inner, defs), "")
                yield from _deeper(inner, defs, told)


def _inner(part: Schema, defs: Schema) -> Iterator[Schema]:
    """The mappings with known keys that a value may be, or that its entries may be; and forms that need a word."""
    part = resolved(part, defs)
    if "properties" in part:
        yield part
    for form in part.get("anyOf", ()):
        yield from [form] if "description" in form else _inner(form, defs)
    for keyword in ("items", "additionalProperties"):
        if isinstance(part.get(keyword), dict):
            yield from _inner(part[keyword], defs)


def _example(part: Schema) -> Iterator[str]:
    for example in part.get("examples", ())[:1]:
        yield from ("```yaml", *_yaml(example), "```")


def _yaml(value: object) -> Iterator[str]:
    """An example as people write it: a key a line, flow style below that."""
    if not isinstance(value, dict):
        yield _flow(value)
        return
    for key, item in value.items():
        if isinstance(item, dict) and len(_flow(item)) > 80:
            yield f"{key}:"
            yield from (f"  {inner}: {_flow(entry)}" for inner, entry in item.items())
        else:
            yield f"{key}: {_flow(item)}"


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    """Whether YAML reads it as it is, inside a list or a mapping too."""
    return text[:1].isalnum() and not set(text) & set('{}[],:#"') and text not in ("true", "false", "null")


def _table(part: Schema, defs: Schema) -> Iterator[str]:
    yield from ("| key | what it is | value | example |", "| --- | --- | --- | --- |")
    required = part.get("required", ())
    for key, item in part["properties"].items():
        entry = resolved(item, defs)
        name = f"**`{key}`**" if key in required else f"`{key}`"
        example = next((f"`{_flow(value)}`" for value in entry.get("examples", ())), "")
        example = "" if len(example) > 60 else example
        cells = (name, entry.get("description", ""), _kind(entry, defs), example)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(part: Schema, defs: Schema) -> str:
    part = resolved(part, defs)
    if "enum" in part:
        return ", ".join(f"`{word}`" for word in part["enum"] if word is not None)
    if "const" in part:
        return f"`{json.dumps(part['const']).strip(chr(34))}`"
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(_kind(form, defs) for form in part["anyOf"]))
    if "x-pattern" in part:
        return str(part["x-pattern"])
    kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
    return "any single value" if len(kinds) > 2 else _KINDS[kinds[0]]


_KINDS = {
    "array": "a list",
    "boolean": "`true` or `false`",
    "integer": "a whole number",
    "object": "keys with values",
    "string": "a text",
}
