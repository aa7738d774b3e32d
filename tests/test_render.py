"""The gate: nothing but Sql is printed, and nothing that is missing is taken for empty."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from compiler.render import all_of, listed, render
from compiler.sql import Sql, ident
from compiler.steps import KINDS

TEMPLATES = Path(__file__).parents[1] / "templates"
RENDERED = re.compile(r'"([a-z]+/[a-z_]+)"')


def test_prints_sql() -> None:
    """Lists stand a line each, conditions too, and the semicolon ends the last line."""
    sql = render("chunk/fill", stage=Sql("pg_temp.x"), columns=[ident("a"), ident("B")], rows=None)

    assert sql == 'COPY pg_temp.x (\n  a,\n  "B"\n) FROM STDIN (FORMAT binary);'
    assert all_of([Sql("a"), Sql("b")]) == "a\n  AND b"
    assert render("verify/count", relation=Sql("{{ 7 * 7 }}")) == "SELECT count(*)\nFROM {{ 7 * 7 }};"


def test_refuses_text() -> None:
    """A text that nobody quoted does not get into a plan, alone or in a list."""
    with pytest.raises(TypeError, match="only Sql can be printed into a plan, not 'orders; DROP'"):
        render("verify/count", relation="orders; DROP")
    with pytest.raises(TypeError, match="only Sql"):
        listed(["a"])  # type: ignore[list-item]  # what a type checker would find, and Jinja does not


def test_refuses_what_is_missing() -> None:
    """A name that the template needs and does not get is an error."""
    with pytest.raises(UndefinedError, match="'relation' is undefined"):
        render("verify/count")


def test_every_template_is_rendered() -> None:
    """A template that no code names is dead, and code that names none fails at night."""
    code = "".join(path.read_text(encoding="utf-8") for path in (TEMPLATES.parent / "compiler").rglob("*.py"))
    files = {path.relative_to(TEMPLATES).as_posix().removesuffix(".sql.j2") for path in TEMPLATES.rglob("*.j2")}

    assert files == {name for name in RENDERED.findall(code) if (TEMPLATES / name.split("/")[0]).is_dir()}
    assert {kind.kind for kind in KINDS} <= {path.name for path in TEMPLATES.iterdir()}
