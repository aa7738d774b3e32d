-- reconcile.places: app.places.parent_id -> places, app.places.root_id -> places, map of places
-- from   specs/demo/tables/patients.yaml:1
-- after  index.places
-- locks  ROW EXCLUSIVE on app.places (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "parent_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.places AS t
  WHERE (
      SELECT count(*)
      FROM app.places AS t
      WHERE t.parent_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.places AS r WHERE r.id = t.parent_id)
    ) > 0
    AND t.parent_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.places AS r WHERE r.id = t.parent_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.parent_id::text AS value,
    ARRAY[t.old::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.places AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.places AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'places', 'public.place',
  s.key, s.raw,
  'parent_id', 'app.places has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "root_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.places AS t
  WHERE (
      SELECT count(*)
      FROM app.places AS t
      WHERE t.root_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.places AS r WHERE r.id = t.root_id)
    ) > 0
    AND t.root_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.places AS r WHERE r.id = t.root_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.root_id::text AS value,
    ARRAY[t.old::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.places AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.places AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'places', 'public.place',
  s.key, s.raw,
  'root_id', 'app.places has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: apply on target
DELETE FROM transhume.map_places AS k
WHERE NOT EXISTS (SELECT FROM app.places AS t WHERE t.id = k.id);
