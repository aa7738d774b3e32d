-- index.visits: app.visits: visits_at_key, visit_fee
-- from   specs/demo/tables/visits.yaml:1
-- after  load.visits
-- locks  ACCESS EXCLUSIVE on app.visits (ADD CONSTRAINT)
-- locks  SHARE on app.visits (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "visits_at_key" on target
ALTER TABLE app.visits ADD CONSTRAINT visits_at_key UNIQUE (at);

-- transhume: repair of "visits_at_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.id::text] AS key,
    coalesce(lag(ARRAY[t.id::text]) OVER equal, lead(ARRAY[t.id::text]) OVER equal) AS other
  FROM app.visits AS t
  WHERE t.at IS NOT NULL
  WINDOW equal AS (PARTITION BY t.at ORDER BY t.id)
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
  NULL, 'visits_at_key: the same (at) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "visit_fee" on target
CREATE INDEX visit_fee ON app.visits USING btree (fee) WHERE (fee > (10)::numeric);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.visits;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('visits_at_key', 'UNIQUE (at)'),
    ('visit_fee', 'CREATE INDEX visit_fee ON app.visits USING btree (fee) WHERE (fee > (10)::numeric)')
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
DROP INDEX IF EXISTS app.visit_fee;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_at_key;
