-- create.visits: app.visits, without indexes and keys
-- from   specs/demo/tables/visits.yaml:1
-- after  require.schema-app
-- undo   drops the table

-- transhume: gate on target
SELECT wanted.name || ' is there already' AS problem
FROM unnest(ARRAY[
  'app.visits',
  'app.visits_2025_01',
  'app.visits_2025_02'
]) AS wanted (name)
WHERE to_regclass(wanted.name) IS NOT NULL;

-- transhume: apply on target
CREATE TABLE app.visits (
  id uuid NOT NULL,
  legacy_id bigint NOT NULL,
  patient_id uuid NOT NULL,
  fee numeric(12,2),
  at timestamp without time zone NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE app.visits_2025_01 PARTITION OF app.visits FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE app.visits_2025_02 PARTITION OF app.visits FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'uuid', true),
    ('legacy_id', 'bigint', true),
    ('patient_id', 'uuid', true),
    ('fee', 'numeric(12,2)', false),
    ('at', 'timestamp without time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.visits') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
DROP TABLE app.visits;
