-- reconcile.messages: app.messages.about_id -> channels, app.messages.about_id -> forwards, app.messages.parent_id ->
--     messages, app.messages.thread_id -> messages
-- from   specs/demo/tables/visits.yaml:1
-- after  index.messages, reconcile.channels, reconcile.forwards
-- locks  ROW EXCLUSIVE on app.messages (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "about_id -> channels" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.messages AS t
  WHERE (
      SELECT count(*)
      FROM app.messages AS t
      WHERE t.about_id IS NOT NULL
        AND t.about = 'channel'::text
        AND NOT EXISTS (SELECT FROM app.channels AS r WHERE r.id = t.about_id)
    ) > 0
    AND t.about_id IS NOT NULL
    AND t.about = 'channel'::text
    AND NOT EXISTS (SELECT FROM app.channels AS r WHERE r.id = t.about_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.about_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.messages AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.messages AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'messages', 'public.message',
  s.key, s.raw,
  'about_id', 'app.channels has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "about_id -> forwards" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.messages AS t
  WHERE (
      SELECT count(*)
      FROM app.messages AS t
      WHERE t.about_id IS NOT NULL
        AND t.about = 'message'::text
        AND NOT EXISTS (SELECT FROM app.forwards AS r WHERE r.id = t.about_id)
    ) > 0
    AND t.about_id IS NOT NULL
    AND t.about = 'message'::text
    AND NOT EXISTS (SELECT FROM app.forwards AS r WHERE r.id = t.about_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.about_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.messages AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.messages AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'messages', 'public.message',
  s.key, s.raw,
  'about_id', 'app.forwards has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "parent_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.messages AS t
  WHERE (
      SELECT count(*)
      FROM app.messages AS t
      WHERE t.parent_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.messages AS r WHERE r.id = t.parent_id)
    ) > 0
    AND t.parent_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.messages AS r WHERE r.id = t.parent_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.parent_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.messages AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.messages AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'messages', 'public.message',
  s.key, s.raw,
  'parent_id', 'app.messages has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "thread_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.messages AS t
  WHERE (
      SELECT count(*)
      FROM app.messages AS t
      WHERE t.thread_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.messages AS r WHERE r.id = t.thread_id)
    ) > 0
    AND t.thread_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.messages AS r WHERE r.id = t.thread_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.thread_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.messages AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.messages AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'messages', 'public.message',
  s.key, s.raw,
  'thread_id', 'app.messages has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: verify on target
SELECT count(*) || ' rows of app.messages refer by about_id to rows that channels does not have' AS problem
FROM app.messages AS t
WHERE t.about_id IS NOT NULL
  AND t.about = 'channel'::text
  AND NOT EXISTS (SELECT FROM app.channels AS r WHERE r.id = t.about_id)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.messages refer by about_id to rows that forwards does not have' AS problem
FROM app.messages AS t
WHERE t.about_id IS NOT NULL
  AND t.about = 'message'::text
  AND NOT EXISTS (SELECT FROM app.forwards AS r WHERE r.id = t.about_id)
HAVING count(*) > 0;
