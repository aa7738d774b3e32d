-- index.orders: app.orders: orders_pkey, orders_order_no_key, orders_patient_id_idx, orders_office_id_placed_at_idx
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  load.orders
-- locks  ACCESS EXCLUSIVE on app.orders (ADD CONSTRAINT)
-- locks  SHARE on app.orders (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.orders (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "orders_pkey" on target
ALTER TABLE app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

-- transhume: repair of "orders_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.orders AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.orders AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'orders', 'public.dispatch_order',
  r.key, r.raw,
  NULL, 'orders_pkey: the same (id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "orders_order_no_key" on target
CREATE UNIQUE INDEX orders_order_no_key ON app.orders (order_no);

-- transhume: repair of "orders_order_no_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.orders AS t
  WHERE t.order_no IS NOT NULL
  WINDOW equal AS (PARTITION BY t.order_no ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.orders AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'orders', 'public.dispatch_order',
  r.key, r.raw,
  NULL, 'orders_order_no_key: the same (order_no) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "orders_patient_id_idx" on target
CREATE INDEX orders_patient_id_idx ON app.orders (patient_id);

-- transhume: build of "orders_office_id_placed_at_idx" on target
CREATE INDEX orders_office_id_placed_at_idx ON app.orders (office_id, placed_at);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.orders;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('orders_pkey', NULL),
    ('orders_order_no_key', NULL),
    ('orders_patient_id_idx', NULL),
    ('orders_office_id_placed_at_idx', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.orders')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
DROP INDEX IF EXISTS app.orders_office_id_placed_at_idx;
DROP INDEX IF EXISTS app.orders_patient_id_idx;
DROP INDEX IF EXISTS app.orders_order_no_key;
ALTER TABLE app.orders DROP CONSTRAINT IF EXISTS orders_pkey;
