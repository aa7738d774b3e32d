-- prepare.visits: app.visits is empty; its indexes, keys and triggers make way for the load
-- from   specs/demo/tables/visits.yaml:1
-- locks  SHARE ROW EXCLUSIVE on app.visits, app.visits_new (DISABLE TRIGGER)
-- undo   puts everything back as the catalog has it

-- transhume: gate on target
SELECT 'app.visits is not empty' AS problem
WHERE EXISTS (SELECT FROM app.visits);

-- transhume: apply on target
ALTER TABLE app.visits DISABLE TRIGGER touch;
ALTER TABLE app.visits_new DISABLE TRIGGER own;

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('patient_id', 'integer', false),
    ('id', 'bigint', true),
    ('fee', 'numeric(12,2)', false),
    ('at', 'timestamp without time zone', true)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.visits') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
ALTER TABLE app.visits ENABLE TRIGGER touch;
ALTER TABLE app.visits_new ENABLE ALWAYS TRIGGER own;
