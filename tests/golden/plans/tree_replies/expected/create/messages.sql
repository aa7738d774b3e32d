-- create.messages: app.messages, without indexes and keys
-- from   specs/demo/tables/visits.yaml:1
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.messages'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.messages (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  about text,
  about_id bigint,
  body text NOT NULL,
  parent_id uuid,
  thread_id uuid NOT NULL,
  depth integer NOT NULL,
  "position" integer NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('about', 'text', false),
    ('about_id', 'bigint', false),
    ('body', 'text', true),
    ('parent_id', 'uuid', false),
    ('thread_id', 'uuid', true),
    ('depth', 'integer', true),
    ('position', 'integer', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.messages') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.messages;
