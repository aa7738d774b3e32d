-- constrain.staff: app.staff: staff_store_id_fkey, staff_boss_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.staff+stores, index.stores, index.staff
-- locks  SHARE ROW EXCLUSIVE on app.staff, app.stores (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.staff (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.stores, app.staff (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.staff ADD CONSTRAINT staff_store_id_fkey FOREIGN KEY (store_id) REFERENCES app.stores (id) NOT VALID;
ALTER TABLE app.staff ADD CONSTRAINT staff_boss_id_fkey FOREIGN KEY (boss_id) REFERENCES app.staff (id) NOT VALID;

-- transhume: build of "staff_store_id_fkey" on target
ALTER TABLE app.staff VALIDATE CONSTRAINT staff_store_id_fkey;

-- transhume: build of "staff_boss_id_fkey" on target
ALTER TABLE app.staff VALIDATE CONSTRAINT staff_boss_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('staff_store_id_fkey', true, NULL),
    ('staff_boss_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.staff')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.staff DROP CONSTRAINT IF EXISTS staff_store_id_fkey;
ALTER TABLE app.staff DROP CONSTRAINT IF EXISTS staff_boss_id_fkey;
