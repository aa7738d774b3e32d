-- reconcile.orders: app.orders.patient_id -> patients, app.orders.office_id -> offices
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  index.orders, reconcile.patients, index.offices
-- locks  ROW EXCLUSIVE on app.orders (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "patient_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.orders AS t
  WHERE (
      SELECT count(*)
      FROM app.orders AS t
      WHERE t.patient_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.patient_id)
    ) > 0
    AND t.patient_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.patient_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.patient_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.orders AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.orders AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'orders', 'public.dispatch_order',
  s.key, s.raw,
  'patient_id', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "office_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.orders AS t
  WHERE (
      SELECT count(*)
      FROM app.orders AS t
      WHERE t.office_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.offices AS r WHERE r.id = t.office_id)
    ) > 0
    AND t.office_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.offices AS r WHERE r.id = t.office_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.office_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.orders AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.orders AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'orders', 'public.dispatch_order',
  s.key, s.raw,
  'office_id', 'app.offices has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;
