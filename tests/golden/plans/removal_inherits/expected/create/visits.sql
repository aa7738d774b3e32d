-- create.visits: app.visits, without indexes and keys
-- from   specs/demo/tables/visits.yaml:1
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.visits'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.visits (
  id uuid NOT NULL,
  legacy_id bigint NOT NULL,
  patient_id uuid NOT NULL,
  status smallint,
  fee numeric(12,2),
  at timestamp without time zone
);

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'bigint', true),
    ('patient_id', 'uuid', true),
    ('status', 'smallint', false),
    ('fee', 'numeric(12,2)', false),
    ('at', 'timestamp without time zone', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.visits') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.visits;
