-- index.visits: app.visits: visits_pkey
-- from   specs/demo/tables/visits.yaml:1
-- after  load.visits
-- locks  ACCESS EXCLUSIVE on app.visits (ADD CONSTRAINT)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "visits_pkey" on target
ALTER TABLE app.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (patient_id, day);

-- transhume: repair of "visits_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH entry AS (
  SELECT
    k.patient_id,
    k.day,
    ARRAY[k.legacy_country::text, k.legacy_no::text, k.legacy_day::text] AS key,
    row_number() OVER equal AS nth,
    coalesce(lag(ARRAY[k.legacy_country::text, k.legacy_no::text, k.legacy_day::text]) OVER equal, lead(ARRAY[k.legacy_country::text, k.legacy_no::text, k.legacy_day::text]) OVER equal) AS other
  FROM transhume.map_visits AS k
  WHERE NOT EXISTS (
    SELECT
    FROM transhume.reject AS j
    WHERE j.run = $1::uuid AND j.table_id = 'visits' AND j.action = 'rejected' AND j.key = ARRAY[k.legacy_country::text, k.legacy_no::text, k.legacy_day::text]
  )
  WINDOW equal AS (PARTITION BY k.patient_id,
    k.day ORDER BY k.legacy_country, k.legacy_no, k.legacy_day)
), duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    t.patient_id,
    t.day,
    row_number() OVER (equal ORDER BY t.ctid) AS nth,
    count(*) OVER equal AS rows
  FROM app.visits AS t
  WINDOW equal AS (PARTITION BY t.patient_id,
    t.day)
), removed AS (
  DELETE FROM app.visits AS t
  USING duplicate AS d
  JOIN entry AS e ON e.patient_id = d.patient_id
    AND e.day = d.day AND e.nth = d.nth
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.rows > 1
  RETURNING e.key, e.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'visits', 'public.visit',
  r.key, r.raw,
  NULL, 'visits_pkey: the same (patient_id, day) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.visits;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('visits_pkey', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.visits')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_pkey;
