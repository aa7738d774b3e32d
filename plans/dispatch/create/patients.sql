-- create.patients: app.patients, without indexes and keys
-- about  Patients, with the office that looks after them
-- from   specs/dispatch/tables/patients.yaml:2
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.patients'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.patients (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  office_id uuid NOT NULL,
  doctor_id uuid,
  born_on date,
  sex text,
  email text,
  address jsonb NOT NULL,
  balance numeric(12,2) NOT NULL,
  tags text[],
  created_at timestamp with time zone NOT NULL,
  first_name character varying(60) NOT NULL,
  last_name character varying(60) NOT NULL,
  phone character varying(32),
  notes text,
  updated_at timestamp with time zone NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('office_id', 'uuid', true),
    ('doctor_id', 'uuid', false),
    ('born_on', 'date', false),
    ('sex', 'text', false),
    ('email', 'text', false),
    ('address', 'jsonb', true),
    ('balance', 'numeric(12,2)', true),
    ('tags', 'text[]', false),
    ('created_at', 'timestamp with time zone', true),
    ('first_name', 'character varying(60)', true),
    ('last_name', 'character varying(60)', true),
    ('phone', 'character varying(32)', false),
    ('notes', 'text', false),
    ('updated_at', 'timestamp with time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.patients') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.patients;
