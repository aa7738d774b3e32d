"""SQL of an author's files -> the columns and tables that it drops, renames or changes, and the views that it makes."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

# Wherever they stand: in a file, in the body of a function or of a DO, in a text that is executed.
_STATEMENT = re.compile(
    r"\b(?:alter\s+(?:foreign\s+)?table|drop\s+(?:foreign\s+)?table|drop\s+schema|alter\s+schema"
    r"|create\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:recursive\s+)?(?:materialized\s+)?view)\b[^;]*",
    re.IGNORECASE,
)
_SKIPPED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_OTHERS = ("constraint", "default", "not", "expression", "identity")
_MOVES = re.compile(
    rf"\s*alter\s+(?:foreign\s+)?table\s+(?:if\s+exists\s+)?(?:only\s+)?(?:({_NAME})\s*\.\s*)?({_NAME})\s+set\s+schema\b",
    re.IGNORECASE,
)
# what the parser does not take apart, and what does not matter here
_BESIDE = re.compile(
    r"(?<=alter)\s+foreign(?=\s+table)|(?<=drop)\s+foreign(?=\s+table)|\s+recursive(?=\s+view)"
    r"|\bwith\s*\([^)]*\)(?=\s*as\b)|\busing\s+\w+(?=\s*as\b)|\bwith\s+(?:no\s+)?data\s*$"
    r"|\bwith\s+(?:cascaded\s+|local\s+)?check\s+option\s*$",
    re.IGNORECASE,
)
# of an ALTER TABLE with another action that the parser does not know
_ALTERED = re.compile(
    rf"\s*alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(?:({_NAME})\s*\.\s*)?({_NAME})", re.IGNORECASE
)
_ACTIONS = (
    ("drops", rf"\bdrop\s+(?:column\s+)?(?:if\s+exists\s+)?(?!(?:{'|'.join(_OTHERS)})\b)({_NAME})"),
    ("renames", rf"\brename\s+(?:column\s+)?(?!to\b|constraint\b)({_NAME})\s+to\b"),
    ("changes the type of", rf"\balter\s+(?:column\s+)?({_NAME})\s+(?:set\s+data\s+)?type\b"),
)
_RENAMES_SCHEMA = re.compile(rf"\s*alter\s+schema\s+({_NAME})\s+rename\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Loss:
    """A statement `does` something to a column, or to a whole table, or to all of a schema ("" where not said).

    It stands `at` so many characters from the start, `length` long.
    """

    does: str
    schema: str
    table: str
    column: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class View:
    """A view that is made; `names` are the columns that its query names, all of them where it has a star."""

    schema: str
    name: str
    names: frozenset[str]
    star: bool
    at: int
    length: int


def statements(text: str) -> Iterator[Loss | View]:
    """What the SQL of a file does to columns, in the order in which it stands there."""
    plain = _SKIPPED.sub(lambda found: found[1] or " " * len(found[0]), text)
    for found in _STATEMENT.finditer(plain):
        yield from _statement(found[0].rstrip(), found.start())


def _statement(text: str, at: int) -> Iterator[Loss | View]:
    if moved := _MOVES.match(text):
        yield Loss("moves", _bare(moved[1] or ""), _bare(moved[2]), "", at, len(moved[0]))
    elif renamed := _RENAMES_SCHEMA.match(text):
        yield Loss("renames", _bare(renamed[1]), "", "", at, len(renamed[0]))
    elif (tree := _parsed(text)) is not None:
        yield from _tree(tree, at)
    elif altered := _ALTERED.match(text):
        for does, pattern in _ACTIONS:
            for found in re.finditer(pattern, text[altered.end() :], re.IGNORECASE):
                start, length = at + altered.end() + found.start(1), len(found[1])
                yield Loss(does, _bare(altered[1] or ""), _bare(altered[2]), _bare(found[1]), start, length)


def _parsed(text: str) -> exp.Expr | None:
    """The syntax tree; of a text in quotes, which is executed, without what stands after it."""
    text = _BESIDE.sub(lambda found: " " * len(found[0]), text)
    with _quiet():
        for part in dict.fromkeys((text, re.split(r"'(?=[^']*$)", text)[0])):
            try:
                tree = sqlglot.parse_one(part, read="postgres")
            except SqlglotError:
                continue
            if not isinstance(tree, exp.Command):
                return tree
    return None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the parser's word on what it does not take apart."""
    logger = logging.getLogger("sqlglot")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _tree(tree: exp.Expr, at: int) -> Iterator[Loss | View]:
    if isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
        for action in tree.args.get("actions") or ():
            yield from _action(action, tree.this, at)
    elif isinstance(tree, exp.Drop):
        for dropped in tree.args.get("tables") or ([tree.this] if tree.this else []):
            schema, table = _names(dropped)
            yield Loss("drops", schema, table, "", *_place(dropped, at))
    elif isinstance(tree, exp.Create) and str(tree.args.get("kind")).upper() == "VIEW":
        made = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        query = tree.expression
        columns = (one.this for one in query.find_all(exp.Column))
        names = frozenset(_folded(one) for one in columns if isinstance(one, exp.Identifier))
        star = any(isinstance(one.parent, exp.Select | exp.Column) for one in query.find_all(exp.Star))
        yield View(*_names(made), names, star, *_place(made, at))


def _action(action: exp.Expr, table: exp.Table, at: int) -> Iterator[Loss]:
    schema, name = _names(table)
    match action:
        case exp.Drop():
            for dropped in action.args.get("tables") or ():
                if str(action.args.get("kind")).upper() == "COLUMN" and isinstance(dropped, exp.Column):
                    yield Loss("drops", schema, name, _folded(dropped.this), *_place(dropped, at))
        case exp.RenameColumn():
            yield Loss("renames", schema, name, _folded(action.this.this), *_place(action.this, at))
        case exp.AlterRename() if options := table.parent and table.parent.args.get("options"):
            assert options  # RENAME a TO b, without COLUMN
            yield Loss("renames", schema, name, _folded(action.this.this), *_place(action.this, at))
        case exp.AlterRename():
            yield Loss("renames", schema, name, "", *_place(table, at))
        case exp.AlterColumn() if action.args.get("dtype"):
            yield Loss("changes the type of", schema, name, _folded(action.this), *_place(action.this, at))


def _names(table: exp.Expr) -> tuple[str, str]:
    """Schema and name; "" for what is not said."""
    schema, name = table.args.get("db"), table.args.get("this")
    return _folded(schema) if schema else "", _folded(name) if isinstance(name, exp.Identifier) else ""


def _folded(name: exp.Expr) -> str:
    """As the server stores it: in lower case where it is not quoted."""
    return name.name if name.args.get("quoted") else name.name.lower()


def _place(node: exp.Expr, at: int) -> tuple[int, int]:
    """Where the last of its names stands, quotes included."""
    names = [one for one in node.find_all(exp.Identifier) if "start" in one.meta]
    last = max(names, key=lambda one: int(one.meta["start"]), default=None)
    if last is None:
        return at, 1
    return at + int(last.meta["start"]), int(last.meta["end"]) - int(last.meta["start"]) + 1


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
