r"""Predicates over texts by regular expression. They never raise, and NULL passes.

In collation "C" \d, \s and case are ASCII, as they are to PostgreSQL's own input functions; a column whose collation is
not deterministic would raise otherwise.
"""

from compiler.sql import Sql, literal


def matches(text: Sql, pattern: str, *, fold: bool = False) -> Sql:
    """Whether all of `text` matches, in upper and lower case where `fold` says so; NULL for NULL."""
    return Sql(f'{text} COLLATE "C" {"~*" if fold else "~"} {literal(f"^{pattern}$")}')


def passes(text: Sql, pattern: str, *, fold: bool = False) -> Sql:
    """Whether all of `text` matches, or it is NULL."""
    return Sql(f"{text} IS NULL OR {matches(text, pattern, fold=fold)}")


def when(text: Sql, pattern: str, then: str, *, limit: int = 0) -> Sql:
    """`then`, which is only evaluated where all of `text` matches and has at most `limit` bytes; NULL passes."""
    short = f" AND octet_length({text}) <= {limit}" if limit else ""
    return Sql(f"CASE WHEN {matches(text, pattern)}{short} THEN {then} ELSE {text} IS NULL END")
