-- create.visits: app.visits, without indexes and keys
-- from   specs/demo/tables/visits.yaml:1
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.visits'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.visits (
  id integer NOT NULL,
  a uuid,
  b uuid,
  c uuid,
  f uuid,
  d uuid,
  e uuid
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'integer', true),
    ('a', 'uuid', false),
    ('b', 'uuid', false),
    ('c', 'uuid', false),
    ('f', 'uuid', false),
    ('d', 'uuid', false),
    ('e', 'uuid', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.visits') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.visits;
