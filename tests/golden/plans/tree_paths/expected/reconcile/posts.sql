-- reconcile.posts: app.posts.parent_id -> posts, app.posts.root_id -> posts
-- from   specs/demo/tables/patients.yaml:1
-- after  index.posts
-- locks  ROW EXCLUSIVE on app.posts (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "parent_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.posts AS t
  WHERE (
      SELECT count(*)
      FROM app.posts AS t
      WHERE t.parent_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.posts AS r WHERE r.id = t.parent_id)
    ) > 0
    AND t.parent_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.posts AS r WHERE r.id = t.parent_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.parent_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.posts AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.posts AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'posts', 'public.post',
  s.key, s.raw,
  'parent_id', 'app.posts has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "root_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.posts AS t
  WHERE (
      SELECT count(*)
      FROM app.posts AS t
      WHERE t.root_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.posts AS r WHERE r.id = t.root_id)
    ) > 0
    AND t.root_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.posts AS r WHERE r.id = t.root_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.root_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.posts AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.posts AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'posts', 'public.post',
  s.key, s.raw,
  'root_id', 'app.posts has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;
