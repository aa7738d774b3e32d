"""One table of ten columns, and three small ones that it refers to: for measuring one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.mapping import expanded
from bench.site import Cost, Site

TARGET = "target"
SOURCE = """
CREATE TABLE customer (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE office (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE sale (
    id integer PRIMARY KEY, customer_id integer NOT NULL, product_id integer NOT NULL, office_id integer NOT NULL,
    no text NOT NULL, total numeric(12,2) NOT NULL, rate text NOT NULL, paid boolean NOT NULL, extra text NOT NULL,
    created_at timestamptz NOT NULL
);
INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 20000) AS n;
INSERT INTO product SELECT n, 'product ' || n FROM generate_series(1, 2000) AS n;
INSERT INTO office SELECT n, 'office ' || n FROM generate_series(1, 100) AS n;
INSERT INTO sale
SELECT n, 1 + n * 7::bigint % 20000, 1 + n * 11::bigint % 2000, 1 + n % 100, 'S-' || lpad(n::text, 9, '0'),
       n % 100000 * 0.37, CASE WHEN {bad_rate} THEN 'n/a' ELSE (n % 25)::text || '.5' END, n % 3 = 0,
       CASE WHEN {bad_extra} THEN '{{' ELSE '{{"sold": "on the counter", "slip": "' || md5(n::text) || '"}}' END,
       timestamptz '2020-01-01 00:00+00' + n * interval '90 s'
FROM generate_series(1, {rows}) AS n;
VACUUM (ANALYZE, FREEZE);
"""
PROJECT = """\
project: sales
source: {env: LEGACY_DATABASE_URL, schema: public}
target: {env: TARGET_DATABASE_URL, schema: app}
ids: {namespace: 8a4f2c86-0d0e-4f0a-9a57-3f6c1d2b7e90, version: 3}
"""
SMALL = "table: {name}s\nfrom: {name}\nkey: {{id: {{uuid: id}}}}\ncolumns: {{legacy_id: id}}\nsame: [name]\n"
SALES = """\
table: sales
from: sale
key: {{id: {{uuid: id}}}}
columns:
  legacy_id: id
  customer_id: {{ref: customers, by: customer_id}}
  product_id: {{ref: products, by: product_id}}
  office_id: {{ref: offices, by: office_id}}
  rate: {{from: rate, type: "numeric(6,2)"}}
  extra: {{from: extra, type: jsonb}}
same: [no, total, paid, created_at]
indexes: [{{columns: [customer_id]}}, {{columns: [no], unique: true}}]
rejected: {budget}
"""
MAPPED = """
SELECT UUID(sales, s.id) AS id, s.id AS legacy_id, UUID(customers, s.customer_id) AS customer_id,
       UUID(products, s.product_id) AS product_id, UUID(offices, s.office_id) AS office_id, s.no, s.total,
       s.rate::numeric(6,2) AS rate, s.paid, s.extra::jsonb AS extra, s.created_at
FROM public.sale AS s
"""
COLUMNS = "id, legacy_id, customer_id, product_id, office_id, no, total, rate, paid, extra, created_at"
LOAD = "SELECT extract(epoch FROM finished_at - started_at)::float8 FROM transhume.step WHERE step = 'load.sales'"
NEVER = "false"


@dataclass(frozen=True, slots=True)
class Sales:
    """A filled source, of so many sales, and the plan that moves it."""

    site: Site
    source: str
    rows: int
    plan: Path

    def apply(self, jobs: int = 2) -> tuple[Cost, float]:
        """Move everything to a fresh target: the cost of it all, the seconds of the one load. Raises Failed."""
        cost, _ = self.attempt(jobs, check=True)
        ((seconds,),) = self.site.execute(TARGET, LOAD)
        return cost, float(str(seconds))

    def attempt(self, jobs: int = 2, *, check: bool = False) -> tuple[Cost, int]:
        """Try it: what it costs, and the exit code."""
        codes: list[int] = []
        self.site.fresh(TARGET)
        arguments = ("apply", str(self.plan), "--jobs", str(jobs), "--yes")
        cost = self.site.measured(
            lambda: codes.append(self.site.transhume(self.source, TARGET, *arguments, check=check))
        )
        return cost, codes[0]


def sales(
    site: Site, rows: int, *, source: str = "source", bad_rate: str = NEVER, bad_extra: str = NEVER, budget: str = "0"
) -> Sales:
    """Fill a source and compile its plan.

    `bad_rate` is a condition over the row's number `n`: such a row's text is no number, which a guard of the plan sees.
    The text of a `bad_extra` row is no JSON, which only the server finds out, in the middle of a chunk. `budget` is how
    many rows may be set aside.
    """
    site.fresh(source)
    site.fresh(TARGET)
    filled = SOURCE.format(rows=rows, bad_rate=bad_rate, bad_extra=bad_extra)
    site.execute(source, *filled.split(";\n"))
    specs = site.home / source / "specs" / "sales"
    (specs / "tables").mkdir(parents=True)
    (specs / "project.yaml").write_text(PROJECT)
    for name in ("customer", "product", "office"):
        (specs / "tables" / f"{name}s.yaml").write_text(SMALL.format(name=name))
    (specs / "tables" / "sales.yaml").write_text(SALES.format(budget=budget))
    for command in ("snapshot", "plan"):
        site.transhume(source, TARGET, command, "sales", cwd=site.home / source)
    return Sales(site, source, rows, site.home / source / "plans" / "sales")


def mapped() -> str:
    """The mapping of the sales as one SELECT on the source."""
    return expanded(MAPPED)
