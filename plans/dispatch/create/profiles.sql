-- create.profiles: app.profiles, without indexes and keys
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.profiles'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.profiles (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  legacy_user_id integer NOT NULL,
  office_id uuid,
  role text NOT NULL,
  name text NOT NULL,
  email text,
  settings jsonb,
  username character varying(150) NOT NULL,
  phone character varying(32),
  legacy_patient_id integer,
  is_active boolean NOT NULL,
  is_staff boolean NOT NULL,
  is_superuser boolean NOT NULL,
  last_login timestamp with time zone,
  created_at timestamp with time zone NOT NULL,
  updated_at timestamp with time zone NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('legacy_user_id', 'integer', true),
    ('office_id', 'uuid', false),
    ('role', 'text', true),
    ('name', 'text', true),
    ('email', 'text', false),
    ('settings', 'jsonb', false),
    ('username', 'character varying(150)', true),
    ('phone', 'character varying(32)', false),
    ('legacy_patient_id', 'integer', false),
    ('is_active', 'boolean', true),
    ('is_staff', 'boolean', true),
    ('is_superuser', 'boolean', true),
    ('last_login', 'timestamp with time zone', false),
    ('created_at', 'timestamp with time zone', true),
    ('updated_at', 'timestamp with time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.profiles') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.profiles;
