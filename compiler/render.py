"""Templates -> SQL: a Jinja environment that is strict and prints only Sql, so that nothing unquoted reaches a plan."""

from collections.abc import Iterable
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from compiler.sql import Sql, ident


def render(template: str, **context: object) -> Sql:
    """templates/<template>.sql.j2, filled in. Raises TypeError for a value that is not Sql where one is printed."""
    text = _template(template).render(context).rstrip()
    return Sql(text[:-2] + ";" if text.endswith("\n;") else text)  # a block before the semicolon ends its line


def printable(value: object) -> Sql:
    """`value`, which must be Sql: only what was quoted, checked or rendered is printed."""
    if type(value) is not Sql:
        raise TypeError(f"only Sql can be printed into a plan, not {str(value)!r}")  # str() of what is undefined raises
    return value


def listed(parts: Iterable[Sql], indent: int = 2) -> Sql:
    """One part a line, with commas: the columns of a statement."""
    return Sql((",\n" + " " * indent).join(map(printable, parts)))


def all_of(conditions: Iterable[Sql], indent: int = 2) -> Sql:
    """One condition a line, each of which must hold."""
    return Sql(("\n" + " " * indent + "AND ").join(map(printable, conditions)))


def stacked(parts: Iterable[Sql]) -> Sql:
    """One part a line: a table and its joins."""
    return Sql("\n".join(map(printable, parts)))


@cache
def _template(name: str) -> Template:
    return _environment().get_template(f"{name}.sql.j2")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("compiler.templates", ""),
        undefined=StrictUndefined,
        finalize=printable,
        autoescape=False,  # SQL, not HTML: `printable` is the gate
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()  # templates use none, and each of 30,000 sections would get a copy
    environment.filters |= {"all_of": all_of, "ident": ident, "listed": listed, "stacked": stacked}
    return environment
