"""What jsonschema finds, in plain words: at the key for an unknown key, at the value for a wrong one."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from compiler.diagnostics import Diagnostic, closest, did_you_mean, known_here
from compiler.document import Document, Map, Seq, Text, Value
from compiler.schema import Schema, SchemaName, Violation, violations

KINDS: Mapping[str, str] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "object": "keys with values",
    "string": "a text",
}


SCALAR = ("string", "integer", "boolean", "null")


def findings(document: Document, name: SchemaName) -> tuple[Diagnostic, ...]:
    """Everything in `document` that its schema does not allow."""
    return tuple(found for violation in violations(name, document.data) for found in _explain(document, violation))


def _explain(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    return EXPLANATIONS[violation.keyword](document, violation)


def _subject(violation: Violation) -> str:
    """What it is about: `"after"`, `an entry of "after"`, or the spec as a whole."""
    keys = [part for part in violation.path if isinstance(part, str)]
    if not keys:
        return "the spec"
    return f'"{keys[-1]}"' if violation.path[-1] == keys[-1] else f'an entry of "{keys[-1]}"'


def _meant(violation: Violation) -> str:
    """A hint with what the value is for, in the schema's words; else with its keys, or an example."""
    if about := _first_sentence(violation.part):
        subject = _subject(violation).replace('"', "")
        return f"{subject}: {about}"
    if needed := violation.part.get("required"):
        return f"write {{{', '.join(f'{key}: ...' for key in needed)}}}"
    examples = violation.part.get("examples", ())
    return f"such as {examples[0]}" if examples and not isinstance(examples[0], list | dict | bool) else ""


def _first_sentence(part: Schema) -> str:
    about: str = part.get("description", "").split(". ")[0].rstrip(".")
    return about[:1].lower() + about[1:]


def _owner(document: Document, violation: Violation) -> Value:
    """The key that the value belongs to; the entry of a list; the first key of the file."""
    owner = value = document.data
    for part in violation.path:
        if isinstance(value, Map):
            owner, value = next((key, item) for key, item in value.entries() if key == part)
        elif isinstance(value, Seq):
            owner = value = value[int(part)]
    return next((key for key, _ in owner.entries()), owner) if isinstance(owner, Map) else owner


def _said(value: Value) -> str:
    if isinstance(value, Map):
        return "keys with values"
    if isinstance(value, Seq):
        return "a list"
    if value.plain and value == "":
        return "empty"
    words = f'"{value}"' if len(value) <= 40 else "a text"
    return words if value.plain else f"the text {words}" if len(value) <= 40 else words


def _listed(words: Sequence[object]) -> str:
    """The words allowed, each once, as they are written in YAML."""
    return ", ".join(dict.fromkeys({True: "true", False: "false", None: "null"}.get(w, str(w)) for w in words))  # type: ignore[call-overload]


def _type(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    kinds = [violation.wanted] if isinstance(violation.wanted, str) else violation.wanted
    value = violation.value
    expected = " or ".join(KINDS[kind] for kind in kinds) if len(kinds) < len(SCALAR) else "a single value"
    hint = f"write [{value}]" if kinds == ["array"] and isinstance(value, Text) and value else _meant(violation)
    message = f"{_subject(violation)} is {_said(value)}, not {expected}"
    yield Diagnostic("E203", message, document.span(value), f"not {expected}", hint)


def _unknown_keys(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    known = list(violation.part.get("properties", {}))
    for key in _keys(violation.value):
        if key not in known:
            yield _unknown_key(document, key, known)


def _unknown_key(document: Document, key: Text, known: Sequence[str]) -> Diagnostic:
    hint = known_here(key, known, len(known))
    return Diagnostic("E201", f'unknown key "{key}"', document.span(key), "not known here", hint)


def _missing_keys(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    known = violation.part.get("properties", {})
    mistyped = {closest(key, known) for key in _keys(violation.value) if key not in known}
    missing = [key for key in violation.wanted if key not in {*_keys(violation.value), *mistyped}]
    if not missing:
        return  # the unknown key says enough
    named, verb = [f'"{key}"' for key in missing], "is" if len(missing) == 1 else "are"
    label, hint = f"has no {' and no '.join(named)}", "\n".join(_meaning(key, known) for key in missing)
    span = document.span(_owner(document, violation))
    yield Diagnostic("E202", f"{' and '.join(named)} {verb} missing", span, label, hint)


def _meaning(key: str, known: Schema) -> str:
    """What a key is for."""
    about = _first_sentence(known.get(key, {}))
    return f"{key}: {about}" if about else f"write {key}: ..."


def _keys(value: Value) -> list[Text]:
    return [key for key, _ in value.entries()] if isinstance(value, Map) else []


def _not_listed(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    yield _none_of(document, violation, violation.wanted if violation.keyword == "enum" else [violation.wanted])


def _none_of(document: Document, violation: Violation, allowed: Sequence[object]) -> Diagnostic:
    words = list(dict.fromkeys("null" if word is None else str(word).lower() for word in allowed))
    value = violation.value
    hint = (did_you_mean(value, words) if isinstance(value, Text) else "") or _meant(violation)
    message = f"{_subject(violation)} is {_said(value)}, not {'one of: ' if len(words) > 1 else ''}{', '.join(words)}"
    return Diagnostic("E204", message, document.span(value), "not one of them" if len(words) > 1 else "", hint)


def _out_of_range(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    bound = "less than" if violation.keyword == "minimum" else "more than"
    message = f"{_subject(violation)} is {_said(violation.value)}, {bound} {violation.wanted}"
    label = f"{bound} {violation.wanted}"
    yield Diagnostic("E204", message, document.span(violation.value), label, _meant(violation))


def _malformed(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    message = f"{_subject(violation)} is {_said(violation.value)}, not {violation.part['x-pattern']}"
    yield Diagnostic("E205", message, document.span(violation.value), "not of this form", _meant(violation))


def _empty(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    hint = "write what it is, or take the key out"
    yield Diagnostic("E203", f"{_subject(violation)} is empty", document.span(violation.value), "nothing here", hint)


class _Form:
    """One branch of an `anyOf`, and what speaks against it."""

    def __init__(self, part: Schema, against: Sequence[Violation]) -> None:
        self.title: str = part["title"]
        self.keys: list[str] = list(part.get("properties", {}))
        self.telling: str = next(iter(part.get("required", [])), "")
        only = part.get("properties", {}).get(self.telling, {}).get("const")
        self.said = self.telling if only is None else f"{self.telling}: {str(only).lower()}"
        self.against = against

    def is_kind_of(self, violation: Violation) -> bool:
        """Whether the value is a text, a list or a mapping, as the form wants."""
        wrong = ("type",) if isinstance(violation.value, Text) else ("type", "enum")
        return not any(found.keyword in wrong and found.path == violation.path for found in self.against)

    def is_meant(self, value: Map) -> bool:
        """Whether the value has the form's telling key, with the word that it must have."""
        return self.telling in value and not any(found.keyword == "const" for found in self.against)


def _any_of(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    """Of several forms, the one that the author meant is told by the kind of value, then by its telling key."""
    forms = [_Form(part, found) for part, found in zip(violation.wanted, violation.branches, strict=True)]
    fitting = [form for form in forms if form.is_kind_of(violation)]
    if not fitting:
        yield _no_form(document, violation, [form.title for form in forms])
    elif len(fitting) > 1 and isinstance(violation.value, Map):
        yield from _of_forms(document, violation, violation.value, fitting)
    else:
        for found in fitting[0].against:
            yield from _explain(document, found)


def _no_form(document: Document, violation: Violation, titles: Sequence[str]) -> Diagnostic:
    message = f"{_subject(violation)} is {_said(violation.value)}, not {titles[0]}"
    hint = f"or {'one of: ' if len(titles) > 2 else ''}{', '.join(titles[1:])}"
    return Diagnostic("E203", message, document.span(violation.value), f"not {titles[0]}", hint)


def _of_forms(document: Document, violation: Violation, value: Map, forms: Sequence[_Form]) -> Iterator[Diagnostic]:
    known = list(dict.fromkeys(key for form in forms for key in form.keys))
    telling = list(dict.fromkeys(form.telling for form in forms))
    if meant := [form for form in forms if form.is_meant(value)]:
        yield from _against(document, value, max(meant, key=lambda form: len(value.keys() & form.keys)), known)
    elif wrong := [found for form in forms for found in form.against if found.keyword == "const"]:
        yield _none_of(document, wrong[0], [found.wanted for found in wrong])
    elif unknown := [key for key in _keys(value) if key not in known]:
        yield from (_unknown_key(document, key, telling if closest(key, telling) else known) for key in unknown)
    else:
        span = document.span(_owner(document, violation))
        message, hint = f"{_subject(violation)} has none of: {', '.join(telling)}", "write one of them"
        yield Diagnostic("E202", message, span, "what fills it?", hint)


def _against(document: Document, value: Map, form: _Form, known: Sequence[str]) -> Iterator[Diagnostic]:
    for found in form.against:
        if found.value is not value or found.keyword != "additionalProperties":
            yield from _explain(document, found)
    for key in _keys(value):
        if key not in form.keys:
            yield _misplaced(document, key, form) if key in known else _unknown_key(document, key, form.keys)


def _misplaced(document: Document, key: Text, form: _Form) -> Diagnostic:
    hint = f'known beside "{form.said}": {", ".join(word for word in form.keys if word != form.telling)}'
    message = f'"{key}" does not go with "{form.said}"'
    return Diagnostic("E206", message, document.span(key), f'not with "{form.said}"', hint)


EXPLANATIONS: Mapping[str, Callable[[Document, Violation], Iterator[Diagnostic]]] = {
    "additionalProperties": _unknown_keys,
    "anyOf": _any_of,
    "const": _not_listed,
    "enum": _not_listed,
    "maximum": _out_of_range,
    "minimum": _out_of_range,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "pattern": _malformed,
    "required": _missing_keys,
    "type": _type,
}
