-- reconcile.staff+stores: app.staff.store_id -> stores, app.staff.boss_id -> staff, app.stores.manager_id -> staff, map
--     of staff
-- from   specs/demo/tables/visits.yaml:1
-- after  index.staff, index.stores
-- locks  ROW EXCLUSIVE on app.staff, app.stores (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "staff.store_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.staff AS t
  WHERE (
      SELECT count(*)
      FROM app.staff AS t
      WHERE t.store_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.stores AS r WHERE r.id = t.store_id)
    ) > 0
    AND t.store_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.stores AS r WHERE r.id = t.store_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.store_id::text AS value,
    ARRAY[k.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.staff AS t ON t.tableoid = m.relation AND t.ctid = m.place
  JOIN transhume.map_staff AS k ON k.id = t.id
), settled AS (
  DELETE FROM app.staff AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'staff', 'public.staff',
  s.key, s.raw,
  'store_id', 'app.stores has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "staff.boss_id" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.staff AS t
  WHERE (
      SELECT count(*)
      FROM app.staff AS t
      WHERE t.boss_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.staff AS r WHERE r.id = t.boss_id)
    ) > 0
    AND t.boss_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.staff AS r WHERE r.id = t.boss_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.boss_id::text AS value,
    ARRAY[k.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.staff AS t ON t.tableoid = m.relation AND t.ctid = m.place
  JOIN transhume.map_staff AS k ON k.id = t.id
), settled AS (
  UPDATE app.staff AS t
  SET boss_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'staff', 'public.staff',
  s.key, s.raw,
  'boss_id', 'app.staff has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: settle of "stores.manager_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.stores AS t
  WHERE (
      SELECT count(*)
      FROM app.stores AS t
      WHERE t.manager_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.staff AS r WHERE r.id = t.manager_id)
    ) > 0
    AND t.manager_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.staff AS r WHERE r.id = t.manager_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.manager_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.stores AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.stores AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'stores', 'public.store',
  s.key, s.raw,
  'manager_id', 'app.staff has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: apply on target
DELETE FROM transhume.map_staff AS k
WHERE NOT EXISTS (SELECT FROM app.staff AS t WHERE t.id = k.id);
