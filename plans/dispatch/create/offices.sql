-- create.offices: app.offices, without indexes and keys
-- about  The offices that send orders in
-- from   specs/dispatch/tables/offices.yaml:2
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.offices'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.offices (
  id uuid NOT NULL,
  legacy_id integer NOT NULL,
  address jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL,
  name character varying(120) NOT NULL,
  code character varying(12) NOT NULL,
  phone character varying(32) NOT NULL,
  fax character varying(32),
  is_active boolean NOT NULL,
  updated_at timestamp with time zone NOT NULL
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'integer', true),
    ('address', 'jsonb', true),
    ('created_at', 'timestamp with time zone', true),
    ('name', 'character varying(120)', true),
    ('code', 'character varying(12)', true),
    ('phone', 'character varying(32)', true),
    ('fax', 'character varying(32)', false),
    ('is_active', 'boolean', true),
    ('updated_at', 'timestamp with time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.offices') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.offices;
