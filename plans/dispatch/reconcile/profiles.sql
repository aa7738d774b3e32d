-- reconcile.profiles: app.profiles.office_id -> offices, map of profiles
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  index.profiles, index.offices, load.comments
-- locks  ROW EXCLUSIVE on app.profiles (DELETE, UPDATE)
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: settle of "office_id" on target binds run step -- takes a reference that leads nowhere away
WITH missing AS (
  SELECT t.tableoid AS relation, t.ctid AS place
  FROM app.profiles AS t
  WHERE (
      SELECT count(*)
      FROM app.profiles AS t
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
  JOIN app.profiles AS t ON t.tableoid = m.relation AND t.ctid = m.place
), settled AS (
  UPDATE app.profiles AS t
  SET office_id = NULL
  FROM noted AS n
  WHERE t.tableoid = n.relation AND t.ctid = n.place
  RETURNING n.key, n.raw, n.value
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'profiles', 'query of profiles',
  s.key, s.raw,
  'office_id', 'app.offices has no row with id = ' || s.value, '23503', 'nulled'
FROM settled AS s;

-- transhume: apply on target
DELETE FROM transhume.map_profiles AS k
WHERE NOT EXISTS (SELECT FROM app.profiles AS t WHERE t.id = k.id);
