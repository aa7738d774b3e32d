-- index.doctors: app.doctors: doctors_pkey, doctors_profile_id_key, doctors_license_no_key, doctors_office_id_idx
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  load.doctors
-- locks  ACCESS EXCLUSIVE on app.doctors (ADD CONSTRAINT)
-- locks  SHARE on app.doctors (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.doctors (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "doctors_pkey" on target
ALTER TABLE app.doctors ADD CONSTRAINT doctors_pkey PRIMARY KEY (id);

-- transhume: repair of "doctors_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.doctors AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.doctors AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'doctors', 'public.dispatch_doctor',
  r.key, r.raw,
  NULL, 'doctors_pkey: the same (id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "doctors_profile_id_key" on target
CREATE UNIQUE INDEX doctors_profile_id_key ON app.doctors (profile_id);

-- transhume: repair of "doctors_profile_id_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.doctors AS t
  WHERE t.profile_id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.profile_id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.doctors AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'doctors', 'public.dispatch_doctor',
  r.key, r.raw,
  NULL, 'doctors_profile_id_key: the same (profile_id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "doctors_license_no_key" on target
CREATE UNIQUE INDEX doctors_license_no_key ON app.doctors (license_no);

-- transhume: repair of "doctors_license_no_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.doctors AS t
  WHERE t.license_no IS NOT NULL
  WINDOW equal AS (PARTITION BY t.license_no ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.doctors AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'doctors', 'public.dispatch_doctor',
  r.key, r.raw,
  NULL, 'doctors_license_no_key: the same (license_no) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "doctors_office_id_idx" on target
CREATE INDEX doctors_office_id_idx ON app.doctors (office_id);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.doctors;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('doctors_pkey', NULL),
    ('doctors_profile_id_key', NULL),
    ('doctors_license_no_key', NULL),
    ('doctors_office_id_idx', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.doctors')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
DROP INDEX IF EXISTS app.doctors_office_id_idx;
DROP INDEX IF EXISTS app.doctors_license_no_key;
DROP INDEX IF EXISTS app.doctors_profile_id_key;
ALTER TABLE app.doctors DROP CONSTRAINT IF EXISTS doctors_pkey;
