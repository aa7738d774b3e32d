-- create.doctors: app.doctors, without indexes and keys
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.doctors'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.doctors (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  profile_id uuid NOT NULL,
  office_id uuid NOT NULL,
  is_active boolean NOT NULL,
  license_no character varying(20) NOT NULL,
  specialty character varying(60) NOT NULL,
  rating double precision,
  created_at timestamp with time zone NOT NULL,
  CONSTRAINT rating_from_1_to_5 CHECK (rating between 1 and 5)
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('profile_id', 'uuid', true),
    ('office_id', 'uuid', true),
    ('is_active', 'boolean', true),
    ('license_no', 'character varying(20)', true),
    ('specialty', 'character varying(60)', true),
    ('rating', 'double precision', false),
    ('created_at', 'timestamp with time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.doctors') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.doctors;
