-- create.patients: app.patients, without indexes and keys
-- from   specs/demo/tables/patients.yaml:1
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
  name text NOT NULL,
  born text
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('name', 'text', true),
    ('born', 'text', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.patients') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.patients;
