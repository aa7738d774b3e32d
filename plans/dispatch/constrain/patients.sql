-- constrain.patients: app.patients: patients_office_id_fkey, patients_doctor_id_fkey
-- about  Patients, with the office that looks after them
-- from   specs/dispatch/tables/patients.yaml:2
-- after  reconcile.patients, index.offices, index.doctors, reconcile.doctors
-- locks  SHARE ROW EXCLUSIVE on app.patients, app.offices, app.doctors (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.patients (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.offices, app.doctors (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.patients ADD CONSTRAINT patients_office_id_fkey FOREIGN KEY (office_id) REFERENCES app.offices (id) NOT VALID;
ALTER TABLE app.patients ADD CONSTRAINT patients_doctor_id_fkey FOREIGN KEY (doctor_id) REFERENCES app.doctors (id) NOT VALID;

-- transhume: build of "patients_office_id_fkey" on target
ALTER TABLE app.patients VALIDATE CONSTRAINT patients_office_id_fkey;

-- transhume: build of "patients_doctor_id_fkey" on target
ALTER TABLE app.patients VALIDATE CONSTRAINT patients_doctor_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('patients_office_id_fkey', true, NULL),
    ('patients_doctor_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.patients')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.patients DROP CONSTRAINT IF EXISTS patients_office_id_fkey;
ALTER TABLE app.patients DROP CONSTRAINT IF EXISTS patients_doctor_id_fkey;
