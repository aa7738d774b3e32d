"""YAML -> Document: the text, its data, and the place of every key and every value. Stricter than YAML."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import yaml
from yaml._yaml import CParser

from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.document import Document, Map, Page, Seq, Text, Value

MAX_BYTES = 1_000_000  # of a spec; the largest by hand that we have seen is 12 kB
MAX_VALUES = 100_000  # after aliases are expanded
MAX_DEPTH = 50


def load(path: Path, file: str, limit: int = MAX_BYTES) -> Document:
    """Read one file; `file` is the name shown to people. Raises SpecError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SpecError([Diagnostic("E101", f'cannot read "{file}": {(error.strerror or "").lower()}')]) from None
    return parse(raw, file, limit)


def parse(raw: bytes, file: str, limit: int = MAX_BYTES) -> Document:
    """The document in `raw`. Raises SpecError, and nothing else, whatever the bytes are."""
    page = Page.of(file, _decode(raw, file, limit))
    if "*" in page.text and "&" in page.text:
        _refuse_endless_aliases(page)
    root = _compose(page)
    if root is None:
        page.refuse("E113", "the file is empty", 0, 1, hint="see `transhume schema` for what belongs here")
    data = _build(page, root, MAX_DEPTH)
    if "\t" in page.text:
        _refuse_tabs(page, root)
    return Document(page, data)


def _decode(raw: bytes, file: str, limit: int) -> str:
    if len(raw) > limit:
        message, hint = f'"{file}" is larger than {limit // 1000:,} kB', "is it a spec?"
        raise SpecError([Diagnostic("E103", message, Span(file, 1, 1, 1), "", hint)])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        page = Page.of(file, raw[: error.start].decode("utf-8-sig") + raw[error.start :].decode("utf-8", "replace"))
        at = len(raw[: error.start].decode("utf-8-sig"))
        page.refuse("E102", f"byte 0x{raw[error.start]:02x} is not UTF-8", at, at + 1, hint="save the file as UTF-8")


class _TooDeep(Exception):
    """Raised with the node that is nested too deep."""


class _Composer(CParser):
    """libyaml's composer without YAML's guesses at types: a node's tag is "" unless the file gives one.

    It counts how deep it is: it recurses in C, and 100,000 brackets end the process.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0

    def resolve(self, kind: type[yaml.Node], value: object, implicit: object) -> str:
        return ""

    def descend_resolver(self, parent: yaml.Node, index: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _TooDeep(parent)

    def ascend_resolver(self) -> None:
        self.depth -= 1


def _compose(page: Page) -> yaml.Node | None:
    try:
        root: yaml.Node | None = _Composer(page.text).get_single_node()
    except _TooDeep as error:
        _refuse_depth(page, error.args[0])
    except yaml.reader.ReaderError as error:
        at = len(page.text.encode()[: error.position].decode(errors="ignore"))
        hint = "write it as an escape in double quotes, or take it out"
        page.refuse("E104", f"this character is not allowed in YAML: {error.reason}", at, at + 1, "", hint)
    except yaml.MarkedYAMLError as error:
        _refuse_syntax(page, error)
    return root


def _refuse_depth(page: Page, node: yaml.Node) -> NoReturn:
    at = node.start_mark.index
    hint = "is a bracket left open?"
    page.refuse("E112", f"values are nested more than {MAX_DEPTH} deep", at, at + 1, "", hint)


_HINTS = {
    "mapping values are not allowed": 'put a value that holds ": " in quotes',
    "found character that cannot start any token": "put the value in quotes",
    "did not find expected key": "is the line indented like the ones above it?",
    "could not find expected ':'": "a key is followed by a colon and a space",
    "did not find expected ',' or": 'close the bracket, or put a value that holds a comma or ": " in quotes',
    "found undefined alias": "put a value that begins with * in quotes",
    "found unexpected end of stream": "a text in quotes ends with the quote that it begins with",
}


def _refuse_syntax(page: Page, error: yaml.MarkedYAMLError) -> NoReturn:
    mark, problem, context = error.problem_mark or error.context_mark, error.problem or "not valid", error.context or ""
    at = mark.index if mark else 0
    if context == "expected a single document in the stream":
        page.refuse("E109", "a file holds one document", at, at + 3, "a second one starts here", "split the file")
    if page.text[at : at + 1] == "\t":
        _refuse_tab(page, at)
    if error.context_mark and "end of stream" in problem:
        at, context = error.context_mark.index, "never closed"
    elif error.context_mark and context:
        context += f" that begins on line {error.context_mark.line + 1}"
    hint = next((hint for start, hint in _HINTS.items() if problem.startswith(start)), "")
    page.refuse("E104", f"this is not YAML: {problem}", at, at + 1, context, hint)


def _refuse_tab(page: Page, at: int) -> NoReturn:
    page.refuse("E105", "a tab where YAML wants spaces", at, at + 1, hint="indent with spaces")


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


def _refuse_tabs(page: Page, root: yaml.Node) -> None:
    """Tabs belong into texts and comments; elsewhere some YAML readers take them and some do not."""
    free = list(page.text)
    for node in _scalars(root):
        free[node.start_mark.index : node.end_mark.index] = "x" * (node.end_mark.index - node.start_mark.index)
    for number, start in enumerate(page.starts):
        line = "".join(free[start : page.starts[number + 1] if number + 1 < len(page.starts) else len(free)])
        at = line.partition("#")[0].find("\t")
        if at >= 0:
            _refuse_tab(page, start + at)


def _refuse_endless_aliases(page: Page) -> None:
    """Counts what aliases expand to before anything is expanded; an alias inside its own anchor never ends."""
    sizes: dict[str | None, int] = {}
    within: list[tuple[str | None, int]] = []  # the anchors of the open collections, and the count where they began
    total = 0
    try:
        for event in yaml.parse(page.text, Loader=yaml.CBaseLoader):
            if isinstance(event, yaml.AliasEvent):
                total += sizes.get(event.anchor, 0)
                if total > MAX_VALUES or event.anchor in (anchor for anchor, _ in within):
                    _refuse_alias(page, event)
            elif isinstance(event, yaml.ScalarEvent):
                total += 1
                sizes[event.anchor] = 1
            elif isinstance(event, yaml.CollectionStartEvent):
                total += 1
                within.append((event.anchor, total))
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = within.pop()
                sizes[anchor] = total - before + 1
    except yaml.YAMLError:
        return  # composing finds the same, and says it better


def _refuse_alias(page: Page, event: yaml.AliasEvent) -> NoReturn:
    start = event.start_mark.index if event.start_mark else 0
    stop = start + 1 + len(event.anchor or "")
    page.refuse("E108", f'alias "{event.anchor}" expands without end', start, stop, hint="write the values out")


def _build(page: Page, node: yaml.Node, depth: int) -> Value:
    start, stop = node.start_mark.index, node.end_mark.index
    if node.tag:
        page.refuse("E107", "tags are not used here", start, stop, hint=f'remove "{node.tag}": the key says the type')
    value: Value
    if isinstance(node, yaml.ScalarNode):
        if "\0" in node.value:
            page.refuse("E114", "a text with a zero byte in it", start, stop, hint="PostgreSQL cannot hold it")
        value = _text(node)
    elif depth == 0:  # through aliases
        _refuse_depth(page, node)
    elif isinstance(node, yaml.SequenceNode):
        value = Seq(_build(page, item, depth - 1) for item in node.value)
    else:
        value = _map(page, node, depth - 1)
    value.start, value.stop = start, stop
    return value


def _text(node: yaml.ScalarNode) -> Text:
    text = Text(node.value)
    text.plain = not node.style
    return text


def _map(page: Page, node: yaml.Node, depth: int) -> Map:
    result = Map()
    for key_node, value_node in node.value:
        key = _build(page, key_node, depth)
        if not isinstance(key, Text):
            hint = "put it in quotes"
            page.refuse("E110", "a key is one word or a text in quotes", key.start, key.stop, "not a key", hint)
        if key in result:
            first = page.span(next(old for old, _ in result.entries() if old == key).start, key.stop)
            label, hint = f"first on line {first.line}", "put what both say under one key"
            page.refuse("E106", f'key "{key}" is written twice', key.start, key.stop, label, hint)
        if key == "<<" and key.plain:
            page.refuse("E111", "merge keys are not used here", key.start, key.stop, hint="write the keys out")
        result[key] = _build(page, value_node, depth)
    return result
