-- reconcile.patients: app.patients.office_id -> offices, app.patients.doctor_id -> doctors
-- about  Patients, with the office that looks after them
-- from   specs/dispatch/tables/patients.yaml:2
-- after  index.patients, index.offices, reconcile.doctors
-- locks  ROW EXCLUSIVE on app.patients (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "office_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.patients AS t
  WHERE (
      SELECT count(*)
      FROM app.patients AS t
      WHERE t.office_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.offices AS r WHERE r.id = t.office_id)
    ) > 0
    AND t.office_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.offices AS r WHERE r.id = t.office_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.office_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.patients AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.patients AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'patients', 'public.dispatch_patient',
  s.key, s.raw,
  'office_id', 'app.offices has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "doctor_id" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.patients AS t
  WHERE (
      SELECT count(*)
      FROM app.patients AS t
      WHERE t.doctor_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.doctors AS r WHERE r.id = t.doctor_id)
    ) > 0
    AND t.doctor_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.doctors AS r WHERE r.id = t.doctor_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.doctor_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.patients AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.patients AS t
  SET doctor_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'patients', 'public.dispatch_patient',
  s.key, s.raw,
  'doctor_id', 'app.doctors has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;
