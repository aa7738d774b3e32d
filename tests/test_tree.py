"""What a reviewer is told of a hierarchy before anything runs: in PLAN.md, and by `transhume explain`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.test_golden import PLANS, compiled
from transhume import main

RULES = {
    "tree": [
        "without parent_id, or with their own key in it: roots",
        "whose parent_id moves: hang from it",
        "orphans: whose parent_id does not move, because it is not there, is filtered or is rejected: "
        "become roots, listed as rooted",
        "cycles: rows that are their own ancestors: the first in order becomes a root, listed as broken",
        "deeper than 3: hang from their ancestor at depth 2, listed as flattened",
        "placeholders from which something hangs: move with what they are set to, listed as placeholder",
        "placeholders from which nothing hangs: stay behind, counted as filtered, listed as left",
    ],
    "tree_reject": [
        "orphans: whose parent_id does not move, because it is not there, is filtered or is rejected: "
        "set aside with all that hangs from them",
        "cycles: rows that are their own ancestors: set aside; what hangs from them is an orphan",
        "deeper than 3: set aside",
    ],
    "tree_under": ["hang from 1, listed as adopted; become roots, listed as rooted, where that hangs from them"],
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_of_each_sort_of_rows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`explain` names it, and how to count such rows in the source; PLAN.md has it in a table."""
    monkeypatch.chdir(tmp_path)
    case = next(case for case in PLANS if case.name == name)
    assert compiled(case, tmp_path).exit_code == 0
    told = CliRunner().invoke(main, ["explain", "tree.comments"]).stdout
    page = (tmp_path / "plans" / "demo" / "PLAN.md").read_text("utf-8")

    assert "\nwhat hangs from what, of about 20 rows as the catalog says\n" in told
    assert "\n          count(*) FILTER (WHERE l.parent IS NULL) AS roots,\n" in told
    for rule in RULES[name]:
        assert rule in told
        assert rule.rpartition(": ")[2].replace("_", r"\_") in page


def test_plans_without_a_tree_say_nothing_of_it() -> None:
    """Only where there is a hierarchy PLAN.md has that part."""
    pages = {case.name: (case / "expected" / "PLAN.md").read_text("utf-8") for case in PLANS}

    found = {name for name, page in pages.items() if "## What hangs from what" in page}
    assert found == {name for name in pages if name.startswith("tree")}
