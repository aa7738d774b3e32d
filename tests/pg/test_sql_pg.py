"""Quoting, against the servers: an identifier as quote_ident writes it, a literal that means its text."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from compiler.sql import ident, literal, qname
from tests.conftest import Databases

pytestmark = pytest.mark.both_servers

NAMES = [
    "a",
    "A",
    "a b",
    'say "hi"',
    "a$b",
    "_1",
    "1a",
    "größe",
    "سلام",
    "{{ x }}",
    "%s",
    "it's",
    "a\nb",
    "\\",
    "x" * 63,
]
TEXTS = [
    "",
    "it's",
    "a\\nb",
    "\\'; DROP TABLE x; --",
    "$1 $$ $x$",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "%s",
    "a\nb\tc",
    "\u2028",
]


def test_keywords_are_quoted_as_the_server_does(databases: Databases) -> None:
    """Every keyword, and every odd name, is written as quote_ident writes it."""
    with closing(psycopg.connect(databases.create("target"))) as session:
        words = [word for (word,) in session.execute("SELECT word FROM pg_get_keywords()")]
        found = session.execute("SELECT n, quote_ident(n) FROM unnest(%s::text[]) AS n", (NAMES + words,)).fetchall()

    # A later server may have words that an older one leaves unquoted; quotes never change what a name means.
    wrong = [(name, quoted, ident(name)) for name, quoted in found if ident(name) not in (quoted, f'"{name}"')]
    assert wrong == []
    assert [name for name, quoted in found if quoted != name and ident(name) == name] == []


def test_names_come_back(databases: Databases) -> None:
    """A table and a column of any name are found under it."""
    with closing(psycopg.connect(databases.create("target"), autocommit=True)) as session:
        for name in NAMES:
            session.execute(f"CREATE TABLE {qname('public', name)} ({ident(name)} integer)".encode())
        found = session.execute(
            """SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
               WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0"""
        ).fetchall()

    assert sorted(found) == sorted((name, name) for name in NAMES)


def test_literals_mean_their_text(databases: Databases) -> None:
    """A literal is one value, whatever is in it."""
    with closing(psycopg.connect(databases.create("target"), autocommit=True)) as session:
        for text in TEXTS:
            assert session.execute(f"SELECT {literal(text)}::text".encode()).fetchone() == (text,)
        numbers = session.execute(f"SELECT {literal(-7)}::text, {literal(True)}::text, {literal(None)}::text".encode())
        assert numbers.fetchone() == ("-7", "true", None)
