"""Keys of every kind, moved whole: ranges, chunks, crashes, rows that cannot move; directly, and through a stage."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from runner.manifest import read_plan
from tests.pg.compiled import Found, Projects, found
from tests.pg.migration import Migration

ROWS = 240
KEYS = {  # a key's columns, and the value of the n-th row's
    "words": ({"k": 'text COLLATE "ucs_basic"'}, "(ARRAY['a', 'A', 'ä', 'z-', ' _', ''''])[n % 6 + 1] || n"),
    "ids": ({"k": "uuid"}, "md5(n::text)::uuid"),
    "moments": ({"k": "timestamptz"}, "'1969-12-31 23:00+02'::timestamptz + (n * n - 9000) * interval '1.000001 s'"),
    "pairs": ({"k": "integer", "j": 'text COLLATE "C"'}, "n % 3 - 1, chr(65 + n % 40) || n"),
    "sparse": ({"k": "bigint"}, "(n - 100) * 1000000000::bigint - CASE WHEN n % 2 = 0 THEN n ELSE 0 END"),
}  # fmt: skip
# Within one chunk of twenty and across them: rows that the target refuses (15, 16), whose mapping raises (17, 18), that
# cannot be read at all (33, 34), that fail a guard, and whose parent is not there.
SOURCE = "CREATE DOMAIN public.short AS varchar(5) CHECK (VALUE <> 'bad');\n" + "".join(
    f"""CREATE TABLE public.{name} (
  {', '.join(f'{key} {type}' for key, type in keys.items())}, n integer, word text, parent integer,
  odd integer GENERATED ALWAYS AS (100 / ((n - 33) * (n - 34))) VIRTUAL, PRIMARY KEY ({', '.join(keys)})
);
INSERT INTO public.{name} SELECT {value}, n,
  CASE n WHEN 15 THEN 'bad' WHEN 16 THEN 'bad' WHEN 19 THEN 'too long' ELSE 'w' || n END,
  CASE WHEN n % 4 = 0 THEN n % 30 END FROM generate_series(1, {ROWS}) AS n ORDER BY md5(n::text);
"""
    for name, (keys, value) in KEYS.items()
)  # fmt: skip
SOURCE += (
    "CREATE TABLE public.parent (id integer PRIMARY KEY); INSERT INTO parent SELECT generate_series(0, 24);\nANALYZE;"
)
WRONG = {15: "23514", 16: "23514", 17: "22012", 18: "22012", 19: "22001", 33: "22012", 34: "22012"}
NULLED = {n for n in range(1, ROWS + 1) if n % 4 == 0 and n % 30 > 24} - set(WRONG)


def specs(direct: bool = True, chunk: str = "{rows: 10, max: 10}") -> dict[str, str]:
    """A spec for each kind of key, and the parents."""
    made = {
        name: f"""\
table: new_{name}
from: {name}
key: [{', '.join(keys)}]
columns:
  word: {{from: word, type: short}}
  share: {{sql: "100 / ((s.n - 17) * (s.n - 18))", type: integer}}
  parent: {{ref: parents, by: parent, missing: 'null'}}
same: [{', '.join(keys)}, n, odd]
chunk: {chunk}
direct: {str(direct).lower()}
"""
        for name, (keys, _) in KEYS.items()
    }  # fmt: skip
    return {"parents": "table: parents\nfrom: parent\nkey: {id: {uuid: id}}\ncolumns: {legacy_id: id}\n"} | made


NAMES = tuple(f"new_{name}" for name in KEYS)


@pytest.fixture
def undisturbed(projects: Projects) -> Callable[[Migration], tuple[Found, Found]]:
    """The same source in one range and one chunk, through the stage."""

    def run(migration: Migration) -> tuple[Found, Found]:
        target = projects.databases.create("target")
        quiet = projects.between(migration.source, target, specs(False, "{rows: 5000, max: 5000}"))
        quiet.apply(jobs=1)
        assert quiet.ask("SELECT max(range), count(DISTINCT step) FROM transhume.range") == [(0, 6)]
        return found(quiet, *NAMES)

    return run


def is_right(migration: Migration) -> None:
    """Verified, and what was set aside is what Python counts, for each of the keys."""
    for name in NAMES:
        aside = migration.ask(
            """SELECT coalesce((raw ->> 'n')::integer, 0), sqlstate FROM transhume.reject
               WHERE table_id = %s AND action = 'rejected' ORDER BY 1, 2""",
            name,
        )
        unread = [(0, "22012")] * 2  # nothing but the key is known of them
        assert aside == unread + [(n, state) for n, state in sorted(WRONG.items()) if n < 30]
        nulled = migration.ask(
            "SELECT (raw ->> 'n')::integer FROM transhume.reject WHERE table_id = %s AND action = 'nulled'", name
        )
        assert {n for (n,) in nulled} == NULLED
        assert migration.ask(f"SELECT n FROM app.{name} ORDER BY n") == [
            (n,) for n in range(1, ROWS + 1) if n not in WRONG
        ]
    assert [check for check in migration.verify().checks if not check.green] == []


@pytest.mark.parametrize("direct", [True, False])
def test_many_ranges_are_as_one(projects: Projects, undisturbed: Callable[[Migration], object], direct: bool) -> None:
    """Whatever the key, ranges side by side and chunks of ten give what one chunk gives, to the row set aside."""
    migration = projects(SOURCE, specs(direct))
    paths = {
        "direct" if read_plan(migration.folder).open(step).find("direct") else "staged"
        for step in read_plan(migration.folder).steps
        if step.kind == "load" and step.table != "parents"
    }
    migration.apply(jobs=3)

    assert paths == {"direct" if direct else "staged"}
    ranges = migration.ask("SELECT step, count(*) FROM transhume.range GROUP BY 1 ORDER BY 1")
    assert [count for step, count in ranges if step != "load.parents"] == [ROWS // 20] * len(KEYS)
    assert migration.ask("SELECT count(*) > %s FROM transhume.chunk", 2 * len(KEYS) * ROWS // 20) == [(True,)]
    is_right(migration)
    assert found(migration, *NAMES) == undisturbed(migration)


@pytest.mark.parametrize("direct", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_killed_again_and_again(projects: Projects, undisturbed: Callable[[Migration], object], direct: bool) -> None:
    """Crashes amid sifting, before and after commits: nothing is lost, and nothing is set aside twice."""
    migration = projects(SOURCE, specs(direct))
    for point in ("after-claim:12", "mid-copy:40", "after-commit:20", "before-commit:15"):
        done = migration.command("apply", "--jobs", "3", TRANSHUME_FAILPOINT=point)
        assert done.returncode == -signal.SIGKILL, done.stderr
    migration.apply()

    assert migration.ask("SELECT count(DISTINCT epoch) > 2 FROM transhume.chunk") == [(True,)]
    is_right(migration)
    assert found(migration, *NAMES) == undisturbed(migration)
