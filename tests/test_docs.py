"""The pages that are made of the code say what the code says. `--update-golden` rewrites them."""

import re
from pathlib import Path

from compiler.codes import CODES
from compiler.schema_docs import markdown

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"
CODE = re.compile(r"\"([EW]\d{3})\"")
FINDING = re.compile(r"^(?:error|warning)\[([EW]\d{3})\]: .*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
GROUPS = {
    "1": "Reading YAML",
    "2": "The shape of a spec",
    "3": "Names and catalogs",
    "4": "Expressions",
    "5": "Types",
    "6": "Accounting",
    "7": "Order",
    "8": "Plans",
}
WITHOUT_A_CASE = {
    "E101": "a file that cannot be read: test_load.py",
    "E103": "a file that is too large: test_load.py",
    "E303": "a catalog that is missing: test_compiler_cli.py",
    "W301": "a warning: test_compiler_cli.py",
    "W302": "a warning: test_compiler_cli.py",
    "E801": "refused as E408 before; the last look is tested in test_emit.py",
}
HEAD = """\
# Errors and warnings

Every finding of the compiler has a code: `E` for errors, which stop it (exit code 3), `W` for warnings, which do not.
A code keeps its meaning for good. The examples are the tests' own.
"""


def examples() -> dict[str, str]:
    """For each code the first finding of the golden cases that has it."""
    found: dict[str, str] = {}
    for case in sorted(GOLDEN.glob("*/*/stderr.txt")):
        for match in FINDING.finditer(case.read_text("utf-8")):
            found.setdefault(match[1], match[0].rstrip())
    return found


def errors_page() -> str:
    """docs/errors.md."""
    lines, shown = [HEAD], examples()
    for digit, title in GROUPS.items():
        codes = sorted(code for code in CODES if code[1] == digit)
        lines += [f"## {title}\n"] if codes else []
        for code in codes:
            lines.append(f"### {code}\n\n{CODES[code]}\n")
            lines += [f"```\n{shown[code]}\n```\n"] if code in shown else []
    return "\n".join(lines)


def assert_page(path: Path, text: str, update: bool) -> None:
    """The committed page is the one that is made."""
    if update:
        path.write_text(text, encoding="utf-8")
    assert path.read_text("utf-8") == text


def test_the_reference_of_the_language_is_that_of_the_schemas(update_golden: bool) -> None:
    """docs/spec.md is what `transhume schema --markdown` prints."""
    assert_page(ROOT / "docs" / "spec.md", markdown(), update_golden)


def test_the_page_of_errors_has_every_code(update_golden: bool) -> None:
    """docs/errors.md is made of the table of codes and of the golden errors."""
    assert_page(ROOT / "docs" / "errors.md", errors_page(), update_golden)


def test_every_code_is_used_and_has_a_meaning() -> None:
    """No code in the compiler without a line in the table, and no line without a use."""
    modules = (path for path in (ROOT / "compiler").rglob("*.py") if path.name != "codes.py")
    used = {code for path in modules for code in CODE.findall(path.read_text("utf-8"))}

    assert used == set(CODES)


def test_every_code_has_a_golden_case() -> None:
    """The full text of each is tested, or it is said where else it is tested."""
    assert set(CODES) - set(examples()) == set(WITHOUT_A_CASE)
