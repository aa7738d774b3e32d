"""The SQL that authors write: taken apart into tokens, refused where it could not stand in a plan, put together again.

The text stays the author's own, but for comments and the names that are replaced: generating it anew from a syntax tree
could change what it means.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from compiler.diagnostics import Diagnostic, Span, SpecError
from compiler.spec import Word

_MARKER = re.compile(r"--\s*transhume:", re.IGNORECASE)
_TRY = "try it in psql: SELECT ..."
_FOREIGN = frozenset(["==", "`", "{", "}", "\\", "rlike", "regexp"])  # other dialects' tokens, that the parser takes
_PLACEHOLDERS = (TokenType.PLACEHOLDER, TokenType.COLON, TokenType.MOD)  # `?`, `:name`, `%s`
_BEGINNINGS = """
alter begin call comment commit copy create delete do drop explain grant insert lock merge notify refresh reset revoke
rollback set truncate update vacuum
"""
_STATEMENTS = frozenset(_BEGINNINGS.split())
_DIALECT = Postgres()


@dataclass(frozen=True, slots=True)
class SqlText:
    """A text of SQL and its tokens. `what` is what it should be: "one expression", "one SELECT"."""

    word: Word
    tokens: tuple[Token, ...]
    what: str

    def span(self, start: int, stop: int) -> Span:
        """Where the characters from `start` to `stop`, the latter included, stand."""
        return self.word.at(start, stop - start + 1)

    def refuse(self, code: str, message: str, at: Token | None, label: str = "", hint: str = "") -> NoReturn:
        """Raise SpecError, located at a token."""
        span = self.span(at.start, at.end) if at else self.word.span
        raise SpecError([Diagnostic(code, message, span, label, hint)])

    def parse(self, into: type[exp.Expr]) -> exp.Expr:
        """The syntax tree. Raises SpecError at the token where it goes wrong."""
        try:
            tree = _DIALECT.parser().parse_into(into, list(self.tokens), self.word.text)
        except ParseError as error:
            self._refuse_syntax(error)
        except TokenError:  # in what only the parser takes apart, a path in JSON say
            self.refuse("E401", f"this is not {self.what} that PostgreSQL can read", None, "", _TRY)
        if len(tree) != 1 or tree[0] is None or isinstance(tree[0], exp.Block):
            self.refuse("E402", f"this is not {self.what}", None, hint="one is all that may stand here")
        if tree[0].find(exp.Placeholder, exp.Parameter):
            at = next((token for token in self.tokens if token.token_type in _PLACEHOLDERS), None)
            _refuse_parameter(self, at)
        return tree[0]

    def rewritten(self, pieces: Mapping[int, tuple[int, str]], *, lines: bool = False) -> str:
        """The text without comments; from each offset in `pieces` to the other one stands the text given.

        `lines`: line breaks between tokens stay, for a text of several lines.
        """
        parts: list[str] = []
        end, until = 0, -1
        for token in self.tokens:
            if token.start <= until:
                continue
            parts.append(self._gap(end, token.start, lines) if parts else "")
            until, text = pieces.get(token.start, (token.end, self.word.text[token.start : token.end + 1]))
            parts.append(text)
            end = until + 1
        return "".join(parts)

    def _gap(self, start: int, stop: int, lines: bool) -> str:
        gap = self.word.text[start:stop]
        if lines and "\n" in gap:
            return "\n" + gap.rpartition("\n")[2] if not gap.rpartition("\n")[2].strip() else "\n"
        return " " if gap else ""

    def _refuse_syntax(self, error: ParseError) -> NoReturn:
        found = error.errors[0] if error.errors else {}
        place = (found.get("line"), found.get("col"))
        token = next((token for token in self.tokens if (token.line, token.col) == place), self.tokens[-1])
        complete = not str(found.get("description")).startswith(("Required", "Expected", "Expecting"))
        label = "unexpected" if complete else "something is missing after this"
        self.refuse("E401", f"this is not {self.what} that PostgreSQL can read", token, label, _TRY)


@contextmanager
def shallow(word: Word) -> Iterator[None]:
    """Refuse what is nested deeper than the parser can follow: some hundred parentheses."""
    try:
        yield
    except RecursionError:
        hint = "put part of it into a view of the source"
        raise SpecError([Diagnostic("E401", "this is nested too deep", word.span, "", hint)]) from None


def read_sql(word: Word, what: str) -> SqlText:
    """Take a text apart. Raises SpecError for what no plan can hold: several statements, parameters, markers."""
    if found := _MARKER.search(word.text):
        span = word.at(found.start(), len(found[0]))
        message, hint = "a text that marks a section of a plan cannot stand in one", "take a comment of this kind out"
        raise SpecError([Diagnostic("E408", message, span, "", hint)])
    try:
        text = SqlText(word, tuple(_DIALECT.tokenize(word.text)), what)
    except TokenError:
        hint = "is a quote left open?"
        raise SpecError(
            [Diagnostic("E401", f"this is not {what} that PostgreSQL can read", word.span, "", hint)]
        ) from None
    if not text.tokens:
        text.refuse("E401", f"this is not {what}: there is nothing here", None, "", "write one, or take the key out")
    for token in text.tokens:
        _check(text, token)
    first = text.tokens[0]
    if (written := word_of(text, first)).lower() in _STATEMENTS:
        hint = f"write {what} that only reads: the runner makes the statements"
        text.refuse("E402", f'"{written}" begins a statement, and this should be {what}', first, "a statement", hint)
    return text


def word_of(text: SqlText, token: Token) -> str:
    """The token as it is written."""
    return text.word.text[token.start : token.end + 1]


def folded(text: SqlText, token: Token) -> str:
    """The name that a token stands for: as it is in double quotes, else in lower case."""
    return token.text if token.token_type == TokenType.IDENTIFIER else word_of(text, token).lower()


def _refuse_parameter(text: SqlText, at: Token | None, hint: str = "") -> NoReturn:
    text.refuse("E404", "there are no parameters here", at, "a parameter", hint or "write the value itself")


def _check(text: SqlText, token: Token) -> None:
    written = word_of(text, token)
    match token.token_type:
        case TokenType.SEMICOLON:
            message = f"there is a semicolon, and this should be {text.what}"
            hint = "take it out, and what comes after it"
            text.refuse("E402", message, token, "one is all that fits", hint)
        case TokenType.PARAMETER | TokenType.SESSION_PARAMETER:
            hint = "abs() is the absolute value" if written == "@" else ""
            _refuse_parameter(text, token, hint)
        case TokenType.HEREDOC_STRING:
            text.refuse("E408", "a plan quotes text with single quotes only", token, "dollar quotes", "write 'text'")
        case TokenType.BYTE_STRING if "\\'" in written:
            text.refuse("E408", "a plan doubles a quote inside a text", token, "an escaped quote", "write '' for it")
    if written.lower() in _FOREIGN or token.token_type == TokenType.UNKNOWN:
        text.refuse("E401", f"this is not {text.what} that PostgreSQL can read", token, "not PostgreSQL's", _TRY)
