-- prepare.patients: app.patients is empty; its indexes, keys and triggers make way for the load
-- from   specs/demo/tables/patients.yaml:1
-- locks  ACCESS EXCLUSIVE on app.patients (DROP INDEX, DROP CONSTRAINT)
-- locks  ACCESS EXCLUSIVE on app.visits, app.patients (DROP FOREIGN KEY)
-- undo   puts everything back as the catalog has it

-- transhume: gate on target
SELECT 'app.patients is not empty' AS problem
WHERE EXISTS (SELECT FROM app.patients);

-- transhume: apply on target
ALTER TABLE app.visits DROP CONSTRAINT visits_patient_id_fkey;
ALTER TABLE app.patients DROP CONSTRAINT IF EXISTS patients_pkey;

-- transhume: verify on target
SELECT 'column ' || expected.name || ' is not there, or not ' || expected.type
       || CASE WHEN expected.is_set THEN ' NOT NULL' ELSE '' END AS problem
FROM (
  VALUES
    ('id', 'integer', true),
    ('name', 'text', true),
    ('born', 'text', false)
) AS expected (name, type, is_set)
LEFT JOIN pg_attribute AS a
  ON a.attrelid = to_regclass('app.patients') AND a.attname = expected.name AND NOT a.attisdropped
WHERE a.atttypid IS DISTINCT FROM expected.type::regtype OR expected.is_set AND NOT a.attnotnull;

-- transhume: revert on target
ALTER TABLE app.patients ADD CONSTRAINT patients_pkey PRIMARY KEY (id);
ALTER TABLE app.visits ADD CONSTRAINT visits_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES app.patients(id);
