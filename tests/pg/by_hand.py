"""A plan folder written by hand in the format of docs/plan.md: two tables, each kind of step, and every kind of dirt.

Patients go to app.patient, orders to app.orders, with derived keys. What is wrong with them is known to the row:
DIRT(n) says what becomes of the rows of SOURCE(n).
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from string import Template

import yaml

from runner.accounting import Account

SCHEMA = """
CREATE SCHEMA legacy;
CREATE TABLE legacy.patient (id integer PRIMARY KEY, email text, born text, weight text);
CREATE TABLE legacy.orders (id integer PRIMARY KEY, patient_id integer, total numeric(12,2), memo text);
"""


def source(rows: int) -> str:
    """The source with so many patients, and three orders for each."""
    return f"""{SCHEMA}
INSERT INTO legacy.patient
SELECT n, CASE WHEN n % 100 = 99 THEN 'p' || n - 1 ELSE 'p' || n END || '@example.org',
       CASE WHEN n % 50 = 7 THEN 'soon' WHEN n % 10 > 0 THEN to_char(date '1950-01-01' + n % 20000, 'DD.MM.YYYY') END,
       CASE WHEN n % 500 = 250 THEN 'heavy' WHEN n % 500 = 251 THEN '700' ELSE (50 + n % 50)::text END
FROM generate_series(1, {rows}) AS n;
INSERT INTO legacy.orders
SELECT n, CASE WHEN n % 40 = 0 THEN {rows} + n ELSE 1 + n % {rows} END, n * 0.25,
       CASE WHEN n % 30 = 0 THEN 'junk' ELSE 'order ' || n END
FROM generate_series(1, {rows} * 3) AS n;
ANALYZE;"""


def accounts(rows: int) -> dict[str, Account]:
    """What becomes of the rows of `source(rows)`, counted here, in Python."""
    patients = range(1, rows + 1)
    rejected = {n for n in patients if n % 50 == 7 or n % 500 in (250, 251)}
    twins = {n for n in patients if n % 100 == 99} - rejected
    gone = rejected | twins
    orders = range(1, rows * 3 + 1)
    kept = [n for n in orders if n % 30]
    orphans = [n for n in kept if n % 40 == 0 or 1 + n % rows in gone]
    return {
        "patient": Account("patient", rows, rows - len(gone), rows - len(rejected), 0, len(rejected), len(twins),
                           len(rejected), 0),
        "orders": Account("orders", rows * 3, len(kept) - len(orphans), len(kept), rows * 3 - len(kept), 0,
                          len(orphans), 0, 0),
    }  # fmt: skip


STAGED = "FROM pg_temp.stage_$table AS s WHERE true"
DIRECT = "FROM legacy.$table AS s WHERE ($$1 IS NULL OR s.id > $$1::integer) AND s.id <= $$2::integer$where"
BETWEEN = """
-- transhume: split on source binds ranges share -- where each range but the last ends
SELECT max(p.id)::text FROM (
  SELECT s.id, ntile($$1::integer) OVER (ORDER BY s.id) AS range
  FROM legacy.$table AS s TABLESAMPLE SYSTEM ($$2::real)
) AS p WHERE p.range < $$1::integer GROUP BY p.range ORDER BY p.range

-- transhume: bound on source binds after.1 upto.1 rows -- where the next chunk ends
SELECT p.id::text, count(*) OVER () AS rows FROM (
  SELECT s.id FROM legacy.$table AS s
  WHERE ($$1 IS NULL OR s.id > $$1::integer) AND ($$2 IS NULL OR s.id <= $$2::integer)
  ORDER BY s.id LIMIT $$3::bigint
) AS p ORDER BY p.id DESC LIMIT 1
"""
TWO = """
-- transhume: extract on source binds after.1 upto.1 -- the rows of one chunk
COPY (SELECT $columns FROM legacy.$table AS s
      WHERE ($$1 IS NULL OR s.id > $$1::integer) AND s.id <= $$2::integer$where) TO STDOUT (FORMAT binary)

-- transhume: stage on target
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_$table ($stage) ON COMMIT DELETE ROWS

-- transhume: fill on target
COPY pg_temp.stage_$table ($columns) FROM STDIN (FORMAT binary)
"""
COUNT = """
-- transhume: count on source binds after.1 upto.1 -- before where
SELECT count(*) AS rows, count(*)$kept AS kept FROM legacy.$table AS s
WHERE ($$1 IS NULL OR s.id > $$1::integer) AND s.id <= $$2::integer
"""
WITHIN = """
-- transhume: stage on target
CREATE TEMPORARY TABLE IF NOT EXISTS pg_temp.stage_$table ($stage) ON COMMIT DELETE ROWS;
TRUNCATE pg_temp.stage_$table

-- transhume: fill on target binds after.1 upto.1
INSERT INTO pg_temp.stage_$table SELECT $columns $rows
"""
LOAD = """
-- transhume: load on target$binds
INSERT INTO app.$table ($targets) SELECT $values $rows$guard
$reject
-- transhume: sift on target binds behind most
CREATE OR REPLACE FUNCTION pg_temp.sift_$table(behind tid, most bigint)
RETURNS TABLE (place tid, target_column text, reason text, state text, loaded bigint) LANGUAGE plpgsql AS $$sift$$
DECLARE
  here tid;
  refused integer := 0;
  good bigint := 0;
BEGIN
  FOR here IN SELECT s.ctid FROM pg_temp.stage_$table AS s WHERE s.ctid > $$1 ORDER BY s.ctid LOOP
    BEGIN
      INSERT INTO app.$table ($targets) SELECT $values FROM pg_temp.stage_$table AS s WHERE s.ctid = here$guard;
      good := good + CASE WHEN FOUND THEN 1 ELSE 0 END;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
      GET STACKED DIAGNOSTICS target_column = COLUMN_NAME, reason = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
      place := here;
      RETURN NEXT;
      refused := refused + 1;
    END;
    EXIT WHEN refused >= $$2;
  END LOOP;
  place := CASE WHEN refused >= $$2 THEN here END;
  loaded := good;
  RETURN NEXT;
END $$sift$$;
SELECT * FROM pg_temp.sift_$table($$1::tid, $$2::bigint)

-- transhume: set_aside on target binds run step chunk places columns reasons sqlstates
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT $$1::uuid, $$2, $$3::bigint, '$table', 'legacy.$table', ARRAY[s.id::text], to_jsonb(s.*), r.of, r.why, r.state,
       'rejected'
FROM pg_temp.stage_$table AS s
JOIN unnest($$4::tid[], $$5::text[], $$6::text[], $$7::text[]) AS r (place, of, why, state) ON r.place = s.ctid

-- transhume: revert on target
TRUNCATE app.$table
"""
REJECT = """
-- transhume: reject on target binds ${bounds}run step chunk
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT $run::uuid, $step, $chunk::bigint, '$table', 'legacy.$table', ARRAY[s.id::text], to_jsonb(s.*), 'born',
       'is not a date of the form DD.MM.YYYY', '22007', 'rejected' $rows AND ($dated) IS NOT TRUE
"""
DATED = r"s.born IS NULL OR s.born ~ '^\d\d\.\d\d\.\d{4}$$'"

TABLES = {
    "patient": {
        "columns": "id, email, born, weight",
        "stage": "id integer, email text, born text, weight text",
        "targets": "id, legacy_id, email, born, weight",
        "values": "md5('patient:' || s.id)::uuid, s.id, s.email, to_date(s.born, 'DD.MM.YYYY'), s.weight::integer",
        "guard": f" AND ({DATED})",
        "reject": REJECT,
        "dated": DATED.replace("$$", "$"),
        "where": "",
    },
    "orders": {
        "columns": "id, patient_id, total, memo",
        "stage": "id integer, patient_id integer, total numeric(12,2), memo text",
        "targets": "id, legacy_id, patient_id, total",
        "values": "md5('orders:' || s.id)::uuid, s.id, md5('patient:' || s.patient_id)::uuid, s.total",
        "guard": "",
        "reject": "",
        "dated": "",
        "where": " AND s.memo <> 'junk'",
    },
}


def load(table: str, databases: int) -> str:
    """The file of a load step."""
    values = {"table": table, **TABLES[table]}
    values["kept"] = f" FILTER (WHERE true{values['where']})"
    values["rows"] = Template(STAGED if databases == 2 else DIRECT).substitute(values)
    values["bounds"] = "" if databases == 2 else "after.1 upto.1 "
    values["binds"] = "" if databases == 2 else " binds after.1 upto.1"
    first = 1 if databases == 2 else 3
    values |= {name: f"${number}" for number, name in enumerate(("run", "step", "chunk"), first)}
    values["guard"] = Template(values["guard"]).substitute()
    values["reject"] = Template(values["reject"]).substitute(values)
    count = COUNT if databases == 1 or values["where"] else ""
    body = BETWEEN + (TWO if databases == 2 else WITHIN) + count + LOAD
    size = f"-- transhume: size on source\nSELECT count(*) AS rows, NULL::bigint AS bytes FROM legacy.{table}\n"
    return f"-- load.{table}\n\n{size}" + Template(body).substitute(values)


def keyless(text: str) -> str:
    """The file of a load that is one chunk."""
    text = re.sub(r"-- transhume: (?:split|bound).*?(?=-- transhume: (?!bound))", "", text, flags=re.DOTALL)
    text = text.replace("($1 IS NULL OR s.id > $1::integer) AND s.id <= $2::integer", "true")
    return text.replace(" binds after.1 upto.1", "")


def verify(table: str) -> str:
    """The file of a verify step."""
    sums = {
        "patient": (
            "sum(hashtextextended(s.email, 0)::numeric)",
            "sum(hashtextextended(t.email, 0)::numeric)",
            "email",
        ),
        "orders": ("sum(s.total)", "sum(t.total)", "total"),
    }
    here, there, name = sums[table]
    where = TABLES[table]["where"]
    return f"""-- verify.{table}

-- transhume: count on source
SELECT count(*) FROM legacy.{table}

-- transhume: count on target
SELECT count(*) FROM app.{table}

-- transhume: checksum on source binds rejected
SELECT count(*) AS rows, {here} AS {name} FROM legacy.{table} AS s
WHERE s.id::text <> ALL ($1::text[]){where}

-- transhume: checksum on target
SELECT count(*) AS rows, {there} AS {name} FROM app.{table} AS t

-- transhume: query of "greatest" on source
SELECT max(s.id) FROM legacy.{table} AS s WHERE s.id % 10 = 1

-- transhume: query of "greatest" on target
SELECT max(t.legacy_id) FROM app.{table} AS t WHERE t.legacy_id % 10 = 1

-- transhume: verify on target
SELECT 'index ' || c.relname || ' is not valid' FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = 'app.{table}'::regclass AND NOT i.indisvalid
"""


REQUIRE = """-- require.app

-- transhume: gate on target
SELECT 'schema app is there already' FROM pg_catalog.pg_namespace WHERE nspname = 'app'

-- transhume: apply on target
CREATE SCHEMA app

-- transhume: revert on target
DROP SCHEMA app
"""
CREATE = {
    "patient": "id uuid NOT NULL, legacy_id integer NOT NULL, email text, born date, "
    "weight integer CONSTRAINT weight_is_human CHECK (weight < 500)",
    "orders": "id uuid NOT NULL, legacy_id integer NOT NULL, patient_id uuid NOT NULL, total numeric(12,2)",
}
INDEX_EMAIL = """
-- transhume: build of "patient_email" on target
CREATE UNIQUE INDEX patient_email ON app.patient (email)

-- transhume: repair of "patient_email" on target binds run step
WITH gone AS (
  DELETE FROM app.patient AS t USING (
    SELECT id, row_number() OVER (PARTITION BY email ORDER BY legacy_id) AS place FROM app.patient
    WHERE email IS NOT NULL
  ) AS d WHERE d.id = t.id AND d.place > 1 RETURNING t.*
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT $1::uuid, $2, NULL, 'patient', 'legacy.patient', ARRAY[gone.legacy_id::text], to_jsonb(gone.*), 'email',
       'is not unique', '23505', 'reconciled' FROM gone
"""
RECONCILE = """-- reconcile.orders

-- transhume: settle of "patient_id" on target binds run step
WITH gone AS (
  DELETE FROM app.orders AS t WHERE NOT EXISTS (SELECT FROM app.patient AS p WHERE p.id = t.patient_id) RETURNING t.*
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT $1::uuid, $2, NULL, 'orders', 'legacy.orders', ARRAY[gone.legacy_id::text], to_jsonb(gone.*), 'patient_id',
       'no patient has it', '23503', 'reconciled' FROM gone
"""
CONSTRAIN = """-- constrain.orders

-- transhume: apply on target
ALTER TABLE app.orders ADD CONSTRAINT orders_patient FOREIGN KEY (patient_id) REFERENCES app.patient (id) NOT VALID

-- transhume: build of "orders_patient" on target
ALTER TABLE app.orders VALIDATE CONSTRAINT orders_patient

-- transhume: verify on target
SELECT 'orders_patient is not valid' FROM pg_catalog.pg_constraint
WHERE conname = 'orders_patient' AND NOT convalidated

-- transhume: revert on target
ALTER TABLE app.orders DROP CONSTRAINT IF EXISTS orders_patient
"""


def step_files(databases: int) -> dict[str, str]:
    """Every step's file, by id, in the order of the manifest."""
    files = {"require.app": REQUIRE}
    for table in TABLES:
        files[f"create.{table}"] = (
            f"-- create.{table}\n\n-- transhume: apply on target\nCREATE TABLE app.{table} ({CREATE[table]})\n\n"
            f"-- transhume: revert on target\nDROP TABLE app.{table}\n"
        )
    for table in TABLES:
        files[f"load.{table}"] = load(table, databases)
    for table in TABLES:
        files[f"index.{table}"] = (
            f'-- index.{table}\n\n-- transhume: build of "{table}_pkey" on target\n'
            f"ALTER TABLE app.{table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (id)\n"
            f"{INDEX_EMAIL if table == 'patient' else ''}\n-- transhume: revert on target\n"
            f"ALTER TABLE app.{table} DROP CONSTRAINT IF EXISTS {table}_pkey;\nDROP INDEX IF EXISTS app.{table}_email\n"
        )
    files |= {"reconcile.orders": RECONCILE, "constrain.orders": CONSTRAIN}
    for table in TABLES:
        files[f"finish.{table}"] = f"-- finish.{table}\n\n-- transhume: apply on target\nANALYZE app.{table}\n"
    return files | {f"verify.{table}": verify(table) for table in TABLES}


AFTER = {
    "create.patient": ["require.app"],
    "create.orders": ["require.app"],
    "load.patient": ["create.patient"],
    "load.orders": ["create.orders"],
    "index.patient": ["load.patient"],
    "index.orders": ["load.orders"],
    "reconcile.orders": ["index.orders", "index.patient"],
    "constrain.orders": ["reconcile.orders"],
    "finish.patient": ["index.patient"],
    "finish.orders": ["constrain.orders"],
    "verify.patient": ["finish.patient"],
    "verify.orders": ["finish.orders"],
}


def write_plan(
    folder: Path,
    *,
    databases: int = 2,
    chunk: tuple[int, int] = (100, 400),
    rejected: str = "10%",
    keyed: bool = True,
    budgets: dict[str, int] | None = None,
    edits: dict[str, tuple[str, str]] | None = None,
    **manifest: object,
) -> Path:
    """Write the plan; `edits` replaces a text in a step's file, `manifest` adds to the manifest.

    Not `keyed`: as if the tables of the source had no key, between two databases.
    """
    files = step_files(databases)
    if not keyed:
        files |= {name: keyless(text) for name, text in files.items() if name.startswith("load.")}
    for step, (old, new) in (edits or {}).items():
        assert old in files[step], f"{old!r} is not in {step}"
        files[step] = files[step].replace(old, new)
    steps = []
    for name, text in files.items():
        kind, table = name.split(".")
        path = folder / kind / f"{table}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        entry = {
            "id": name, "kind": kind, "database": "target", "file": f"{kind}/{table}.sql",
            "sha256": hashlib.sha256(text.encode()).hexdigest(), "after": AFTER.get(name, []), "transaction": True,
            "reversible": True, "spec": f"specs/hand/tables/{table}.yaml:2",
        }  # fmt: skip
        steps.append(entry if kind == "require" else {**entry, "table": table})
    tables = [
        {"id": name, "source": f"legacy.{name}", "target": f"app.{name}", "keyset": ["id"] if keyed else [],
         "rows": rows, "chunk": list(chunk)}
        for name, rows in (("patient", 1000), ("orders", 3000))
    ]  # fmt: skip
    for entry in tables:
        entry |= {"rejected": budgets[str(entry["id"])]} if budgets and entry["id"] in budgets else {}
    data = {
        "format": 2, "compiler": "0.1.0", "project": "hand", "specs": "sha256:" + 64 * "0", "databases": databases,
        "source": {"env": "LEGACY_DATABASE_URL", "schema": "legacy"},
        "target": {"env": "TARGET_DATABASE_URL" if databases == 2 else "LEGACY_DATABASE_URL", "schema": "app"},
        "limits": {"rejected": rejected, "lock_timeout": "2s"}, "tables": tables, "steps": steps, **manifest,
    }  # fmt: skip
    (folder / "plan.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return folder
