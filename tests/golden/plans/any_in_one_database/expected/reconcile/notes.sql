-- reconcile.notes: app.notes.subject -> patients, app.notes.subject -> visits, app.notes.subject -> notes, map of notes
-- from   specs/demo/tables/notes.yaml:1
-- after  index.notes, index.patients, reconcile.visits
-- locks  ROW EXCLUSIVE on app.notes (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "subject -> patients" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject IS NOT NULL
        AND t.kind = '1'::text
        AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id::text = t.subject)
    ) > 0
    AND t.subject IS NOT NULL
    AND t.kind = '1'::text
    AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id::text = t.subject)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject::text AS value,
    ARRAY[k.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
  JOIN transhume.map_notes AS k ON k.id = t.id
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
  'subject', 'app.patients has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "subject -> visits" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject IS NOT NULL
        AND t.kind = '2'::text
        AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id::text = t.subject)
    ) > 0
    AND t.subject IS NOT NULL
    AND t.kind = '2'::text
    AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id::text = t.subject)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject::text AS value,
    ARRAY[k.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
  JOIN transhume.map_notes AS k ON k.id = t.id
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
  'subject', 'app.visits has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "subject -> notes" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.notes AS t
  WHERE (
      SELECT count(*)
      FROM app.notes AS t
      WHERE t.subject IS NOT NULL
        AND t.kind = '3'::text
        AND NOT EXISTS (SELECT FROM app.notes AS r WHERE r.id::text = t.subject)
    ) > 0
    AND t.subject IS NOT NULL
    AND t.kind = '3'::text
    AND NOT EXISTS (SELECT FROM app.notes AS r WHERE r.id::text = t.subject)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.subject::text AS value,
    ARRAY[k.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.notes AS t ON t.tableoid = m.relation AND t.ctid = m.place
  JOIN transhume.map_notes AS k ON k.id = t.id
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
  'subject', 'app.notes has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: apply on target
DELETE FROM transhume.map_notes AS k
WHERE NOT EXISTS (SELECT FROM app.notes AS t WHERE t.id = k.id);

-- transhume: verify on target
SELECT count(*) || ' rows of app.notes refer by subject to rows that patients does not have' AS problem
FROM app.notes AS t
WHERE t.subject IS NOT NULL
  AND t.kind = '1'::text
  AND NOT EXISTS (SELECT FROM app.patients AS r WHERE r.id::text = t.subject)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by subject to rows that visits does not have' AS problem
FROM app.notes AS t
WHERE t.subject IS NOT NULL
  AND t.kind = '2'::text
  AND NOT EXISTS (SELECT FROM app.visits AS r WHERE r.id::text = t.subject)
HAVING count(*) > 0
UNION ALL
SELECT count(*) || ' rows of app.notes refer by subject to rows that notes does not have' AS problem
FROM app.notes AS t
WHERE t.subject IS NOT NULL
  AND t.kind = '3'::text
  AND NOT EXISTS (SELECT FROM app.notes AS r WHERE r.id::text = t.subject)
HAVING count(*) > 0;
