-- reconcile.visits: app.visits.patient_id -> patients
-- from   specs/demo/tables/visits.yaml:1
-- after  index.visits, index.patients
-- locks  ROW EXCLUSIVE on app.visits (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "patient_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.visits AS t
  WHERE (
      SELECT count(*)
      FROM app.visits AS t
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
  JOIN app.visits AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.visits AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'visits', 'public.visit',
  s.key, s.raw,
  'patient_id', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;
