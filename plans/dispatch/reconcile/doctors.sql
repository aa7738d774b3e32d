-- reconcile.doctors: app.doctors.profile_id -> profiles, app.doctors.office_id -> offices
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  index.doctors, reconcile.profiles, index.offices
-- locks  ROW EXCLUSIVE on app.doctors (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "profile_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.doctors AS t
  WHERE (
      SELECT count(*)
      FROM app.doctors AS t
      WHERE t.profile_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM app.profiles AS r WHERE r.id = t.profile_id)
    ) > 0
    AND t.profile_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM app.profiles AS r WHERE r.id = t.profile_id)
), noted AS (
  SELECT
    m.relation,
    m.place,
    t.profile_id::text AS value,
    ARRAY[t.legacy_id::text] AS key,
    to_jsonb(t.*) AS raw
  FROM missing AS m
  JOIN app.doctors AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.doctors AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'doctors', 'public.dispatch_doctor',
  s.key, s.raw,
  'profile_id', 'app.profiles has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;

-- transhume: settle of "office_id" on target binds run step -- sets aside the rows without a parent
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.doctors AS t
  WHERE (
      SELECT count(*)
      FROM app.doctors AS t
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
  JOIN app.doctors AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  DELETE FROM app.doctors AS t
  USING noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'doctors', 'public.dispatch_doctor',
  s.key, s.raw,
  'office_id', 'app.offices has no row with id = ' || s.value, '23503', 'reconciled'
FROM settled AS s;
