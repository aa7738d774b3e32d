-- index.visits: app.visits: visits_pkey
-- from   specs/demo/tables/visits.yaml:1
-- after  load.visits
-- locks  ACCESS EXCLUSIVE on app.visits (ADD CONSTRAINT)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "visits_pkey" on target
ALTER TABLE app.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (id);

-- transhume: repair of "visits_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.visits AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.visits AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'visits', 'public.visit',
  r.key, r.raw,
  NULL, 'visits_pkey: the same (id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
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
