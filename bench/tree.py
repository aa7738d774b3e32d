"""`make bench-tree`: a comment tree beside the same table without one, and a chain beside one of half its length.

A million comments of threads up to 1,000 levels deep move between two databases: once as rows that refer to each other,
once as a tree that fills root, depth and position. Their authors are looked up by another column than the key, so both
go through a stage. What counts is the ratio of hierarchy and load to the load alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.site import Cost, Site, opened

TARGET = "target"
TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, user_id integer NOT NULL UNIQUE, name text NOT NULL);
CREATE TABLE comment (
    id integer PRIMARY KEY, parent_id integer, author_id integer NOT NULL, body text NOT NULL,
    is_public boolean NOT NULL, created_at timestamptz NOT NULL
);
INSERT INTO account SELECT n, 100000 + n, 'account ' || n FROM generate_series(1, 20000) AS n;
"""
# Blocks of 2,000 rows. In every tenth the first 1,001 are a chain; all others answer an earlier one of their block, or
# nobody. In every other block the ids run backwards: a reply has a smaller id than what it answers.
FOREST = """
INSERT INTO comment
SELECT f.id, f.parent_id, 100001 + f.id % 20000, repeat(md5(f.id::text), 1 + f.id % 7), f.id % 50 > 0,
       timestamptz '2020-01-01 00:00+00' + f.age * interval '1 minute'
FROM (
    SELECT b.start + CASE WHEN b.backwards THEN 1999 - r.n ELSE r.n END AS id,
           b.start + CASE WHEN b.backwards THEN 1999 - r.above ELSE r.above END AS parent_id,
           b.start + r.n AS age
    FROM (SELECT n * 2000 AS start, n % 10 = 0 AS deep, n % 2 = 1 AS backwards
          FROM generate_series(0, {rows} / 2000 - 1) AS n) AS b
    CROSS JOIN LATERAL (
        SELECT n, CASE WHEN b.deep AND n BETWEEN 1 AND 1000 THEN n - 1
                       WHEN n % 20 > 0 THEN floor(n * abs(hashint4(b.start + n) % 10000) / 10000.0)::integer
                  END AS above
        FROM generate_series(0, 1999) AS n
    ) AS r
) AS f;
VACUUM (ANALYZE, FREEZE);
"""
CHAIN = """
INSERT INTO comment
SELECT n, nullif(n - 1, 0), 100001 + n % 20000, md5(n::text), true,
       timestamptz '2020-01-01 00:00+00' + n * interval '1 s'
FROM generate_series(1, {rows}) AS n;
VACUUM (ANALYZE, FREEZE);
"""
PROJECT = """\
project: talk
source: {env: LEGACY_DATABASE_URL, schema: public}
target: {env: TARGET_DATABASE_URL, schema: app}
ids: {namespace: 8a4f2c86-0d0e-4f0a-9a57-3f6c1d2b7e90, version: 3}
"""
ACCOUNTS = "table: accounts\nfrom: account\nkey: {id: {uuid: id}}\ncolumns: {legacy_id: id}\nsame: [user_id, name]\n"
COMMENTS = """\
table: comments
from: comment
key: {id: {uuid: id}}
same: [body, is_public, created_at]
indexes: [{columns: [parent_id]}]
columns:
  legacy_id: id
  author_id: {ref: accounts, by: author_id, on: user_id}
"""
FLAT = "  parent_id: {ref: comments, by: parent_id}\n"
TREE = """\
tree:
  parent: {from: parent_id, to: parent_id}
  fill: {root: thread_id, depth: depth, position: position}
  order: [created_at]
"""
TIMES = """SELECT step, extract(epoch FROM finished_at - started_at)::float8 FROM transhume.step
           WHERE step IN ('tree.comments', 'load.comments', 'verify.comments')"""
SHAPE = "SELECT count(*), max(depth) FROM app.comments"


@dataclass(frozen=True, slots=True)
class Talk:
    """A plan for the comments of a source."""

    site: Site
    source: str
    plan: Path

    def apply(self, jobs: int = 2) -> tuple[Cost, dict[str, float]]:
        """Move everything to a fresh target: the cost of it all, and the seconds of the steps. Raises Failed."""
        self.site.fresh(TARGET)
        arguments = ("apply", str(self.plan), "--jobs", str(jobs), "--yes")
        cost = self.site.measured(lambda: self.site.transhume(self.source, TARGET, *arguments))
        return cost, {str(step): float(str(seconds)) for step, seconds in self.site.execute(TARGET, TIMES)}


def filled(site: Site, source: str, rows: int, content: str) -> None:
    """A source with so many comments."""
    site.fresh(source)
    site.execute(source, *(TABLES + content.format(rows=rows)).strip().removesuffix(";").split(";\n"))


def talk(site: Site, source: str, comments: str) -> Talk:
    """The plan that moves a source's comments by this spec."""
    site.fresh(TARGET)
    here = site.home / f"{source}_{'tree' if 'tree:' in comments else 'flat'}"
    tables = here / "specs" / "talk" / "tables"
    tables.mkdir(parents=True)
    (tables.parent / "project.yaml").write_text(PROJECT)
    (tables / "accounts.yaml").write_text(ACCOUNTS)
    (tables / "comments.yaml").write_text(comments)
    for command in ("snapshot", "plan"):
        site.transhume(source, TARGET, command, "talk", cwd=here)
    return Talk(site, source, here / "plans" / "talk")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the sources, plan, and measure as often as asked, the plain table and the tree in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chain", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    ratios, wholes = list[float](), list[float]()
    with opened() as site:
        filled(site, "source", options.rows, FOREST)
        flat, tree = (talk(site, "source", COMMENTS + more) for more in (FLAT, TREE))
        for number in range(1, options.runs + 1):
            plain, load = flat.apply(options.jobs)
            whole, steps = tree.apply(options.jobs)
            ((rows, depth),) = site.execute(TARGET, SHAPE)
            hung = steps["tree.comments"] + steps["load.comments"]
            ratios.append(load["load.comments"] / hung)
            wholes.append(plain.seconds / whole.seconds)
            print(f"run {number}: {rows:,} comments, {depth} levels: load {load['load.comments']:.1f} s, "
                  f"hierarchy {steps['tree.comments']:.1f} s and load {steps['load.comments']:.1f} s, "
                  f"ratio {ratios[-1]:.2f}; apply {plain.seconds:.1f} s and {whole.seconds:.1f} s, "
                  f"ratio {wholes[-1]:.2f}")  # fmt: skip
        chains = [chain(site, length, options.jobs) for length in (options.chain // 2, options.chain)]
    print(f"a chain of {options.chain:,}: hierarchy {chains[1]:.2f} s, of half its length {chains[0]:.2f} s")
    print(json.dumps({"rows": options.rows, "jobs": options.jobs, "ratio": round(statistics.median(ratios), 2),
                      "apply": round(statistics.median(wholes), 2), "chain": chains}))  # fmt: skip


def chain(site: Site, length: int, jobs: int) -> float:
    """The seconds that the hierarchy of one thread takes in which each comment answers the one before."""
    source = f"chain_{length}"
    filled(site, source, length, CHAIN)
    _, steps = talk(site, source, COMMENTS + TREE).apply(jobs)
    return steps["tree.comments"]


if __name__ == "__main__":
    main()
