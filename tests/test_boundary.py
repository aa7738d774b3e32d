"""The compiler and the runner share the plan folder, and nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"compiler": {"runner", "psycopg", "psutil", "transhume"}, "runner": {"compiler", "sqlglot", "transhume"}}
FILES = [path for half in FORBIDDEN for path in sorted((ROOT / half).rglob("*.py"))]


def imports(path: Path) -> Iterator[str]:
    """The top-level package of every import in a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_imports_across_the_boundary(path: Path) -> None:
    """No import statement names the other half; imports are absolute, so that this test can see them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]

    assert set(imports(path)) & FORBIDDEN[path.relative_to(ROOT).parts[0]] == set()
    assert relative == []


@pytest.mark.parametrize("half", FORBIDDEN)
def test_neither_half_loads_the_other(half: str) -> None:
    """With every module of one half loaded, nothing of the other is, through a library or by name either."""
    modules = [module(path) for path in sorted((ROOT / half).rglob("*.py"))]
    script = (
        f"import importlib, json, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd="/")

    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) & FORBIDDEN[half] == set()


def module(path: Path) -> str:
    """The name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
