"""squawk over every statement of committed removals: no finding that is not waived by name, with a reason."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from compiler.removals.base import WAIVED
from runner.sections import split

ROOT = Path(__file__).parent.parent
SQUAWK = Path(sys.executable).parent / "squawk"
CHANGING = ("apply", "build", "clear", "revert", "vacuum", "copy")
# What holds for every session of the runner, or for whatever the journal remembers, and so for no single statement.
EVERYWHERE = {
    "require-lock-timeout": "every session has one, below the server's deadlock_timeout (runner/connect.py)",
    "require-statement-timeout": "a validation takes as long as it takes; Ctrl-C, abort and the lock timeout end it",
    "prefer-robust-stmts": "the journal says what is done, in the transaction that does it: nothing is run twice",
    "prefer-text-field": "a column comes back with the type that it had",
}


def test_nothing_that_squawk_finds_is_left_unsaid(tmp_path: Path) -> None:
    """Each section by itself, as it is run."""
    plans = [ROOT / "plans", *(ROOT / "tests/golden/plans").glob("removal*/expected")]
    paths = [path for plan in plans for path in sorted(plan.rglob("removals/**/*.sql"))]
    assert len(paths) > 60
    files = []
    for number, path in enumerate(paths):
        for place, section in enumerate(split(path.read_text(encoding="utf-8"), str(path)).sections):
            if section.name in CHANGING:
                file = tmp_path / f"{number:03}-{place:02}-{'-'.join(path.parts[-3:])}"
                file.write_text(section.text, encoding="utf-8")
                files.append(file)
    excluded = ",".join(EVERYWHERE)
    done = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", "15.0", f"--exclude={excluded}", *files], capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert [(one["rule_name"], Path(one["file"]).name, one["line"]) for one in found] == []


def test_every_waiver_is_used() -> None:
    """A reason that no statement needs any more goes."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("compiler/removals/*.py") if path.stem != "base"]
    texts += [path.read_text(encoding="utf-8") for path in ROOT.glob("templates/removal/*.j2")]
    used = {rule for text in texts for rule in re.findall(r"(?:ban|renaming|adding|require)-[a-z-]+", text)}

    assert used == set(WAIVED)
