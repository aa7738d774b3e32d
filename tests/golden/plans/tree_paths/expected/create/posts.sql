-- create.posts: app.posts, without indexes and keys
-- from   specs/demo/tables/patients.yaml:1
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.posts'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.posts (
  id integer NOT NULL,
  size integer,
  name text,
  parent_id integer,
  root_id integer NOT NULL,
  depth integer NOT NULL,
  "position" integer NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'integer', true),
    ('size', 'integer', false),
    ('name', 'text', false),
    ('parent_id', 'integer', false),
    ('root_id', 'integer', true),
    ('depth', 'integer', true),
    ('position', 'integer', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.posts') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.posts;
