-- index.visits: app.visits: visits_pkey, visits_at_key, visit's fee, visit_once, visit_paid, visit_status
-- from   specs/demo/tables/visits.yaml:1
-- after  load.visits
-- locks  ACCESS EXCLUSIVE on app.visits (ADD CONSTRAINT)
-- locks  SHARE on app.visits (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (CREATE INDEX CONCURRENTLY, outside of a transaction)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: gate on target
SELECT there.name || ' is there already' AS problem
FROM (
  VALUES
    ('visit''s fee', 'app."visit''s fee"'),
    ('visit_once', 'app.visit_once')
) AS there (name, qualified)
WHERE to_regclass(there.qualified) IS NOT NULL;

-- transhume: build of "visits_pkey" on target
ALTER TABLE app.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (id);

-- transhume: repair of "visits_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.id::text] AS key,
    coalesce(lag(ARRAY[t.id::text]) OVER equal, lead(ARRAY[t.id::text]) OVER equal) AS other
  FROM app.visits AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.id)
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

-- transhume: probe of "visit's fee" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN (
    i.indrelid = to_regclass('app.visits')
    AND pg_get_indexdef(i.indexrelid) = 'CREATE INDEX "visit''s fee" ON app.visits USING btree (fee DESC) WHERE (fee > (10)::numeric)'
  ) IS NOT TRUE THEN 'visit''s fee is there, and is another index'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app."visit''s fee"')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "visit's fee" on target
DROP INDEX CONCURRENTLY IF EXISTS app."visit's fee";

-- transhume: build of "visit's fee" on target
CREATE INDEX CONCURRENTLY "visit's fee" ON app.visits USING btree (fee DESC) WHERE (fee > (10)::numeric);

-- transhume: probe of "visit_once" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN (
    i.indrelid = to_regclass('app.visits')
    AND pg_get_indexdef(i.indexrelid) = 'CREATE UNIQUE INDEX visit_once ON app.visits USING btree (patient_id, status)'
  ) IS NOT TRUE THEN 'visit_once is there, and is another index'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app.visit_once')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "visit_once" on target
DROP INDEX CONCURRENTLY IF EXISTS app.visit_once;

-- transhume: build of "visit_once" on target
CREATE UNIQUE INDEX CONCURRENTLY visit_once ON app.visits USING btree (patient_id, status);

-- transhume: repair of "visit_once" on target binds run step -- keeps the first of rows that are equal
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.id::text] AS key,
    nullif(first_value(ARRAY[t.id::text]) OVER equal, ARRAY[t.id::text]) AS other
  FROM app.visits AS t
  WHERE t.patient_id IS NOT NULL
    AND t.status IS NOT NULL
  WINDOW equal AS (PARTITION BY t.patient_id, t.status ORDER BY t.id)
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
  NULL, 'visit_once: the same (patient_id, status) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "visit_paid" on target
CREATE UNIQUE INDEX visit_paid ON app.visits USING btree (fee) WHERE (fee > (20)::numeric);

-- transhume: build of "visit_status" on target
CREATE INDEX visit_status ON app.visits USING btree (status);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.visits;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('visits_pkey', 'PRIMARY KEY (id)'),
    ('visits_at_key', 'UNIQUE (at)'),
    ('visit''s fee', 'CREATE INDEX "visit''s fee" ON app.visits USING btree (fee DESC) WHERE (fee > (10)::numeric)'),
    ('visit_once', 'CREATE UNIQUE INDEX visit_once ON app.visits USING btree (patient_id, status)'),
    ('visit_paid', 'CREATE UNIQUE INDEX visit_paid ON app.visits USING btree (fee) WHERE (fee > (20)::numeric)'),
    ('visit_status', 'CREATE INDEX visit_status ON app.visits USING btree (status)')
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
DROP INDEX IF EXISTS app.visit_status;
DROP INDEX IF EXISTS app.visit_paid;
DROP INDEX IF EXISTS app.visit_once;
DROP INDEX IF EXISTS app."visit's fee";
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_at_key;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_pkey;
