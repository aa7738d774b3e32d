-- constrain.doctors: app.doctors: doctors_profile_id_fkey, doctors_office_id_fkey
-- about  Doctors who sign orders
-- from   specs/dispatch/tables/doctors.yaml:2
-- after  reconcile.doctors, index.profiles, reconcile.profiles, index.offices
-- locks  SHARE ROW EXCLUSIVE on app.doctors, app.profiles, app.offices (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.doctors (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.profiles, app.offices (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.doctors ADD CONSTRAINT doctors_profile_id_fkey FOREIGN KEY (profile_id) REFERENCES app.profiles (id) NOT VALID;
ALTER TABLE app.doctors ADD CONSTRAINT doctors_office_id_fkey FOREIGN KEY (office_id) REFERENCES app.offices (id) NOT VALID;

-- transhume: build of "doctors_profile_id_fkey" on target
ALTER TABLE app.doctors VALIDATE CONSTRAINT doctors_profile_id_fkey;

-- transhume: build of "doctors_office_id_fkey" on target
ALTER TABLE app.doctors VALIDATE CONSTRAINT doctors_office_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('doctors_profile_id_fkey', true, NULL),
    ('doctors_office_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.doctors')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.doctors DROP CONSTRAINT IF EXISTS doctors_profile_id_fkey;
ALTER TABLE app.doctors DROP CONSTRAINT IF EXISTS doctors_office_id_fkey;
