-- constrain.profiles: app.profiles: profiles_office_id_fkey
-- about  Who may log in, and as what; auth_user and dispatch_profile become one table
-- from   specs/dispatch/tables/profiles.yaml:2
-- after  reconcile.profiles, index.offices
-- locks  SHARE ROW EXCLUSIVE on app.profiles, app.offices (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.profiles (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.offices (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.profiles ADD CONSTRAINT profiles_office_id_fkey FOREIGN KEY (office_id) REFERENCES app.offices (id) NOT VALID;

-- transhume: build of "profiles_office_id_fkey" on target
ALTER TABLE app.profiles VALIDATE CONSTRAINT profiles_office_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('profiles_office_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.profiles')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.profiles DROP CONSTRAINT IF EXISTS profiles_office_id_fkey;
