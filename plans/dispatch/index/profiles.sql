-- index.profiles: app.profiles: profiles_pkey, profiles_username_key, profiles_email_key, profiles_office_id_idx
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  load.profiles
-- locks  ACCESS EXCLUSIVE on app.profiles (ADD CONSTRAINT)
-- locks  SHARE on app.profiles (CREATE INDEX)
-- locks  SHARE UPDATE EXCLUSIVE on app.profiles (VACUUM, ANALYZE, outside of a transaction)
-- undo   drops them; rows that were set aside come back with a new load

-- transhume: build of "profiles_pkey" on target
ALTER TABLE app.profiles ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

-- transhume: repair of "profiles_pkey" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.profiles AS t
  WHERE t.id IS NOT NULL
  WINDOW equal AS (PARTITION BY t.id ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.profiles AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'profiles', 'query of profiles',
  r.key, r.raw,
  NULL, 'profiles_pkey: the same (id) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "profiles_username_key" on target
CREATE UNIQUE INDEX profiles_username_key ON app.profiles (username);

-- transhume: repair of "profiles_username_key" on target binds run step -- sets aside all rows that are equal: none of them is the right one
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    coalesce(lag(ARRAY[t.legacy_id::text]) OVER equal, lead(ARRAY[t.legacy_id::text]) OVER equal) AS other
  FROM app.profiles AS t
  WHERE t.username IS NOT NULL
  WINDOW equal AS (PARTITION BY t.username ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.profiles AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'profiles', 'query of profiles',
  r.key, r.raw,
  NULL, 'profiles_username_key: the same (username) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "profiles_email_key" on target
CREATE UNIQUE INDEX profiles_email_key ON app.profiles (email);

-- transhume: repair of "profiles_email_key" on target binds run step -- keeps the first of rows that are equal
WITH duplicate AS (
  SELECT
    t.tableoid AS relation,
    t.ctid AS place,
    ARRAY[t.legacy_id::text] AS key,
    nullif(first_value(ARRAY[t.legacy_id::text]) OVER equal, ARRAY[t.legacy_id::text]) AS other
  FROM app.profiles AS t
  WHERE t.email IS NOT NULL
  WINDOW equal AS (PARTITION BY t.email ORDER BY t.legacy_id)
), removed AS (
  DELETE FROM app.profiles AS t
  USING duplicate AS d
  WHERE t.tableoid = d.relation AND t.ctid = d.place AND d.other IS NOT NULL
  RETURNING d.key, d.other, to_jsonb(t.*) AS raw
)
INSERT INTO transhume.reject (run, step, chunk, table_id, source, key, raw, target_column, reason, sqlstate, action)
SELECT
  $1::uuid, $2, NULL, 'profiles', 'query of profiles',
  r.key, r.raw,
  NULL, 'profiles_email_key: the same (email) as row ' || array_to_string(r.other, ', '), '23505', 'reconciled'
FROM removed AS r;

-- transhume: build of "profiles_office_id_idx" on target
CREATE INDEX profiles_office_id_idx ON app.profiles (office_id);

-- transhume: vacuum on target -- statistics; references are then looked up in indexes alone
VACUUM (ANALYZE, TRUNCATE false) app.profiles;

-- transhume: verify on target
SELECT expected.name || ' is not there, not valid, or not what it was' AS problem
FROM (
  VALUES
    ('profiles_pkey', NULL),
    ('profiles_username_key', NULL),
    ('profiles_email_key', NULL),
    ('profiles_office_id_idx', NULL)
) AS expected (name, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  LEFT JOIN pg_constraint AS k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
  WHERE i.indrelid = to_regclass('app.profiles')
    AND c.relname = expected.name
    AND i.indisvalid
    AND coalesce(expected.definition, '') IN ('', coalesce(pg_get_constraintdef(k.oid), pg_get_indexdef(c.oid)))
);

-- transhume: revert on target
DROP INDEX IF EXISTS app.profiles_office_id_idx;
DROP INDEX IF EXISTS app.profiles_email_key;
DROP INDEX IF EXISTS app.profiles_username_key;
ALTER TABLE app.profiles DROP CONSTRAINT IF EXISTS profiles_pkey;
