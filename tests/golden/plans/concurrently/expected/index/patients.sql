-- index.patients: app.patients: patients_pkey, patients_name_legacy_id_key, patients_born_idx, patients_name_idx
-- from   specs/demo/tables/patients.yaml:1
-- after  load.patients
-- locks  ACCESS EXCLUSIVE on app.patients (ADD CONSTRAINT)
-- locks  SHARE on app.patients (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (CREATE INDEX CONCURRENTLY, outside of a transaction)
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: gate on target
SELECT there.name || ' is there already' AS problem
FROM (
  VALUES
    ('patients_name_legacy_id_key', 'app.patients_name_legacy_id_key'),
    ('patients_born_idx', 'app.patients_born_idx')
) AS there (name, qualified)
WHERE to_regclass(there.qualified) IS NOT NULL;

-- transhume: build of "patients_pkey" on target
ALTER TABLE app.patients ADD CONSTRAINT patients_pkey PRIMARY KEY (id);

-- transhume: repair of "patients_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.patients AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.patients AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'patients', 'public.patient',
  r.key, r.raw,
  NULL, 'patients_pkey: the same (id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: probe of "patients_name_legacy_id_key" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN (
    i.indrelid = to_regclass('app.patients')
    AND i.indisunique
    AND i.indpred IS NULL
    AND ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnatts) AS n) = ARRAY['name', 'legacy_id']
  ) IS NOT TRUE THEN 'patients_name_legacy_id_key is there, and is another index'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app.patients_name_legacy_id_key')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "patients_name_legacy_id_key" on target
DROP INDEX CONCURRENTLY IF EXISTS app.patients_name_legacy_id_key;

-- transhume: build of "patients_name_legacy_id_key" on target
CREATE UNIQUE INDEX CONCURRENTLY patients_name_legacy_id_key ON app.patients (name, legacy_id);

-- transhume: repair of "patients_name_legacy_id_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.patients AS t
  WHERE t.name IS NOT NULL
    AND t.legacy_id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.name, t.legacy_id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.patients AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'patients', 'public.patient',
  r.key, r.raw,
  NULL, 'patients_name_legacy_id_key: the same (name, legacy_id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: probe of "patients_born_idx" on target
SELECT CASE
  WHEN c.oid IS NULL THEN 'absent'
  WHEN (
    i.indrelid = to_regclass('app.patients')
    AND NOT i.indisunique
    AND i.indpred IS NOT NULL
    AND ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnatts) AS n) = ARRAY['born']
  ) IS NOT TRUE THEN 'patients_born_idx is there, and is another index'
  WHEN i.indisvalid AND i.indisready THEN 'valid'
  ELSE 'invalid'
END AS state
FROM (SELECT to_regclass('app.patients_born_idx')) AS c (oid)
LEFT JOIN pg_index AS i ON i.indexrelid = c.oid;

-- transhume: clear of "patients_born_idx" on target
DROP INDEX CONCURRENTLY IF EXISTS app.patients_born_idx;

-- transhume: build of "patients_born_idx" on target
CREATE INDEX CONCURRENTLY patients_born_idx ON app.patients (born) WHERE born > '3';

-- transhume: build of "patients_name_idx" on target
CREATE INDEX patients_name_idx ON app.patients (name);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.patients;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('patients_pkey', NULL),
    ('patients_name_legacy_id_key', NULL),
    ('patients_born_idx', NULL),
    ('patients_name_idx', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.patients')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
DROP INDEX IF EXISTS app.patients_name_idx;
DROP INDEX IF EXISTS app.patients_born_idx;
DROP INDEX IF EXISTS app.patients_name_legacy_id_key;
ALTER TABLE app.patients DROP CONSTRAINT IF EXISTS patients_pkey;
