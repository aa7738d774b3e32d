-- constrain.visits: app.visits: visits_patient_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.visits, index.patients
-- locks  SHARE ROW EXCLUSIVE on app.visits, app.patients (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.patients (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.visits ADD CONSTRAINT visits_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES app.patients (id) NOT VALID;

-- transhume: build of "visits_patient_id_fkey" on target
ALTER TABLE app.visits VALIDATE CONSTRAINT visits_patient_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('visits_patient_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.visits')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.visits DROP CONSTRAINT IF EXISTS visits_patient_id_fkey;
