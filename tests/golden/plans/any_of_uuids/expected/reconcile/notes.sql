-- reconcile.notes: app.notes.subject_id -> patients or visits, app.notes.about_id -> patients or visits
-- from   specs/demo/tables/notes.yaml:1
-- after  index.notes, index.patients, index.visits
-- locks  ROW EXCLUSIVE on app.notes (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "subject_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
        AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
    ) > 0
    AND t.subject_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
    AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
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
  'subject_id', 'none of app.patients, app.visits has a row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "about_id" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.about_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.about_id)
        AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.about_id)
    ) > 0
    AND t.about_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.about_id)
    AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.about_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.about_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.notes AS t
  SET about_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'notes', 'public.note',
  s.key, s.raw,
  'about_id', 'none of app.patients, app.visits has a row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: verify on target
SELECT count(*) || ' rows of app.notes refer by subject_id to rows that none of patients, visits has' AS problem
FROM app.notes AS t
WHERE t.subject_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.subject_id)
  AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.subject_id)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by about_id to rows that none of patients, visits has' AS problem
FROM app.notes AS t
WHERE t.about_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id = t.about_id)
  AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id = t.about_id)
HAVING count(*) > 0;
