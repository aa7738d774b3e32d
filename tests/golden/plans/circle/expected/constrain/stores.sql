-- constrain.stores: app.stores: stores_manager_id_fkey
-- from   specs/demo/tables/patients.yaml:1
-- after  reconcile.staff+stores, index.staff
-- locks  SHARE ROW EXCLUSIVE on app.stores, app.staff (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.stores (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.staff (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.stores ADD CONSTRAINT stores_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES app.staff (id) NOT VALID;

-- transhume: build of "stores_manager_id_fkey" on target
ALTER TABLE app.stores VALIDATE CONSTRAINT stores_manager_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('stores_manager_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.stores')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.stores DROP CONSTRAINT IF EXISTS stores_manager_id_fkey;
