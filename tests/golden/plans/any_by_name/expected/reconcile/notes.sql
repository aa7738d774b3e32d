-- reconcile.notes: app.notes.subject_id -> patients, app.notes.subject_id -> visits, app.notes.author_id -> patients,
--     app.notes.author_id -> visits
-- from   specs/demo/tables/notes.yaml:1
-- after  index.notes, index.patients, reconcile.visits
-- locks  ROW EXCLUSIVE on app.notes (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "subject_id -> patients" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject_id IS NOT NULL
        AND t.subject_type = 'patient'::text
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
    ) > 0
    AND t.subject_id IS NOT NULL
    AND t.subject_type = 'patient'::text
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.notes AS t
  SET subject_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'notes', 'public.note',
  s.key, s.raw,
  'subject_id', 'app.patients has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: settle of "subject_id -> visits" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject_id IS NOT NULL
        AND t.subject_type = 'visit'::text
        AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
    ) > 0
    AND t.subject_id IS NOT NULL
    AND t.subject_type = 'visit'::text
    AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.notes AS t
  SET subject_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'notes', 'public.note',
  s.key, s.raw,
  'subject_id', 'app.visits has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: settle of "author_id -> patients" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.author_id IS NOT NULL
        AND t.author_type = 'patient'::text
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.author_id)
    ) > 0
    AND t.author_id IS NOT NULL
    AND t.author_type = 'patient'::text
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.author_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.author_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.notes AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'notes', 'public.note',
  s.key, s.raw,
  'author_id', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "author_id -> visits" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.author_id IS NOT NULL
        AND t.author_type = 'visit'::text
        AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.author_id)
    ) > 0
    AND t.author_id IS NOT NULL
    AND t.author_type = 'visit'::text
    AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.author_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.author_id::text AS value,
    ARRAY[t.id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.notes AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'notes', 'public.note',
  s.key, s.raw,
  'author_id', 'app.visits has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: verify on target
SELECT count(*) || ' rows of app.notes refer by subject_id to rows that patients does not have' AS problem
FROM app.notes AS t
WHERE t.subject_id IS NOT NULL
  AND t.subject_type = 'patient'::text
  AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by subject_id to rows that visits does not have' AS problem
FROM app.notes AS t
WHERE t.subject_id IS NOT NULL
  AND t.subject_type = 'visit'::text
  AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by author_id to rows that patients does not have' AS problem
FROM app.notes AS t
WHERE t.author_id IS NOT NULL
  AND t.author_type = 'patient'::text
  AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.author_id)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by author_id to rows that visits does not have' AS problem
FROM app.notes AS t
WHERE t.author_id IS NOT NULL
  AND t.author_type = 'visit'::text
  AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.author_id)
HAVING count(*) > 0;
