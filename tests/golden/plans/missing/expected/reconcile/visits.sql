-- reconcile.visits: app.visits.a -> patients, app.visits.b -> patients, app.visits.c -> patients, app.visits.f ->
--     patients, app.visits.d -> patients, app.visits.e -> patients
-- from   specs/demo/tables/visits.yaml:1
-- after  index.visits, reconcile.patients
-- locks  ROW EXCLUSIVE on app.visits (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: gate on target binds run
(
  SELECT 'app.visits.c of row ' || array_to_string(ARRAY[t.id::text], ', ') || ': app.patients has no row with id = ' || t.c::text AS problem
  FROM app.visits AS t
  WHERE t.c IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.c)
  ORDER BY t.id
  LIMIT 20
)
UNION ALL
(
  SELECT 'app.visits.f of row ' || array_to_string(j.key, ', ') || ': ' || j.reason AS problem
  FROM transhume.reject AS j
  WHERE j.run = $1::uuid
    AND j.table_id = 'visits'
    AND j.target_column = 'f'
    AND j.sqlstate = '23503'
  ORDER BY j.key
  LIMIT 20
)
UNION ALL
(
  SELECT 'app.visits.f of row ' || array_to_string(ARRAY[t.id::text], ', ') || ': app.patients has no row with id = ' || t.f::text AS problem
  FROM app.visits AS t
  WHERE t.f IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.f)
  ORDER BY t.id
  LIMIT 20
);

-- transhume: settle of "a" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.visits AS t
  WHERE (
      SELECT count(*)
      FROM app.visits AS t
      WHERE t.a IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.a)
    ) > 0
    AND t.a IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.a)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.a::text AS value,
    ARRAY[t.id::text] AS key,
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
  'a', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "b" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.visits AS t
  WHERE (
      SELECT count(*)
      FROM app.visits AS t
      WHERE t.b IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.b)
    ) > 0
    AND t.b IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.b)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.b::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.visits AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.visits AS t
  SET b = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'visits', 'public.visit',
  s.key, s.raw,
  'b', 'app.patients has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: settle of "d" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.visits AS t
  WHERE (
      SELECT count(*)
      FROM app.visits AS t
      WHERE t.d IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.d)
    ) > 0
    AND t.d IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.d)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.d::text AS value,
    ARRAY[t.id::text] AS key,
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
  'd', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "e" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.visits AS t
  WHERE (
      SELECT count(*)
      FROM app.visits AS t
      WHERE t.e IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.e)
    ) > 0
    AND t.e IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.e)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.e::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.visits AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.visits AS t
  SET e = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'visits', 'public.visit',
  s.key, s.raw,
  'e', 'app.patients has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;
