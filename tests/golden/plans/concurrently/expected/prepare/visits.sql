-- prepare.visits: app.visits is empty; its indexes, keys and triggers make way for the load
-- from   specs/demo/tables/visits.yaml:1
-- locks  ACCESS EXCLUSIVE on app.visits (DROP INDEX, DROP CONSTRAINT)
-- undo   puts everything back as the catalog has it

-- transhume: gate on target
SELECT 'app.visits is not empty' AS problem
WHERE EXISTS (SELECT FROM app.visits);

-- transhume: apply on target
DROP INDEX IF EXISTS app.visit_status;
DROP INDEX IF EXISTS app.visit_paid;
DROP INDEX IF EXISTS app.visit_once;
DROP INDEX IF EXISTS app."visit's fee";
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_at_key;
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_pkey;

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'bigint', true),
    ('patient_id', 'uuid', true),
    ('status', 'smallint', false),
    ('fee', 'numeric(12,2)', false),
    ('at', 'timestamp without time zone', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.visits') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
ALTER TABLE app.visits ADD CONSTRAINT visits_pkey PRIMARY KEY (id);
ALTER TABLE app.visits ADD CONSTRAINT visits_at_key UNIQUE (at);
CREATE INDEX "visit's fee" ON app.visits USING btree (fee DESC) WHERE (fee > (10)::numeric);
CREATE UNIQUE INDEX visit_once ON app.visits USING btree (patient_id, status);
CREATE UNIQUE INDEX visit_paid ON app.visits USING btree (fee) WHERE (fee > (20)::numeric);
CREATE INDEX visit_status ON app.visits USING btree (status);
