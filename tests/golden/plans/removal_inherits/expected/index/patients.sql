-- index.patients: app.patients: patients_pkey
-- from   specs/demo/tables/patients.yaml:1
-- after  load.patients
-- locks  ACCESS EXCLUSIVE on app.patients (ADD CONSTRAINT)
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

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

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.patients;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('patients_pkey', NULL)
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
ALTER TABLE app.patients DROP CONSTRAINT IF EXISTS patients_pkey;
