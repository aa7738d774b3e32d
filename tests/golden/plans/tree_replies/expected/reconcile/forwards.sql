-- reconcile.forwards: app.forwards.parent_id -> forwards
-- from   specs/demo/tables/forwards.yaml:1
-- after  index.forwards
-- locks  ROW EXCLUSIVE on app.forwards (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "parent_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.forwards AS t
  WHERE (
      SELECT count(*)
      FROM app.forwards AS t
      WHERE t.parent_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.forwards AS r WHERE r.id = t.parent_id)
    ) > 0
    AND t.parent_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.forwards AS r WHERE r.id = t.parent_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.parent_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.forwards AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.forwards AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'forwards', 'public.message',
  s.key, s.raw,
  'parent_id', 'app.forwards has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;
