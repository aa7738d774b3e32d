-- create."odd.name": app."odd.name", without indexes and keys
-- about  {{ 7 * 7 }} and {% raw %} are data, and so is -- this
-- from   specs/demo/tables/patients.yaml:1
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app."odd.name"'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app."odd.name" (
  "ID" uuid NOT NULL,
  "legacy ""id""" integer NOT NULL,
  "it's" text,
  "{{ select }}" text,
  "say ""hi""" text,
  "select" text,
  "größe in cm" text
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('ID', 'uuid', true),
    ('legacy "id"', 'integer', true),
    ('it''s', 'text', false),
    ('{{ select }}', 'text', false),
    ('say "hi"', 'text', false),
    ('select', 'text', false),
    ('größe in cm', 'text', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app."odd.name"') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app."odd.name";
