-- reconcile.Order Items: app.Order Items.odd.id -> "odd.name"
-- from   specs/demo/tables/visits.yaml:1
-- after  index.Order Items, index."odd.name"
-- locks  ROW EXCLUSIVE on app.Order Items (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "odd.id" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app."Order Items" AS t
  WHERE (
      SELECT count(*)
      FROM app."Order Items" AS t
      WHERE t."odd.id" IS NOT NULL
        AND NOT EXISTS (SELECT FROM app."odd.name" AS r WHERE r."ID" = t."odd.id")
    ) > 0
    AND t."odd.id" IS NOT NULL
    AND NOT EXISTS (SELECT FROM app."odd.name" AS r WHERE r."ID" = t."odd.id")
), noted AS (
  SELECT
    m.relation,
    m.place,
    t."odd.id"::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app."Order Items" AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app."Order Items" AS t
  SET "odd.id" = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'Order Items', 'public.Order Items',
  s.key, s.raw,
  'odd.id', 'app."odd.name" has no row with ID = ' || s.value, '23503', 'nulled'
FROM settled AS s;
