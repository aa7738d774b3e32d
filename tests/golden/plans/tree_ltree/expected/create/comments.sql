-- create.comments: app.comments, without indexes and keys
-- from   specs/demo/tables/visits.yaml:1
-- after  require.schema-app, require.extension-ltree
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.comments'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.comments (
  id integer NOT NULL,
  body text NOT NULL,
  created_at timestamp with time zone NOT NULL,
  parent_id integer,
  path public.ltree NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'integer', true),
    ('body', 'text', true),
    ('created_at', 'timestamp with time zone', true),
    ('parent_id', 'integer', false),
    ('path', 'public.ltree', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.comments') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.comments;
