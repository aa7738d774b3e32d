-- constrain.orders: app.orders: orders_patient_id_fkey, orders_office_id_fkey
-- about  What was ordered for whom, and what became of it
-- from   specs/dispatch/tables/orders.yaml:2
-- after  reconcile.orders, index.patients, reconcile.patients, index.offices
-- locks  SHARE ROW EXCLUSIVE on app.orders, app.patients, app.offices (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.orders (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.patients, app.offices (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.orders ADD CONSTRAINT orders_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES app.patients (id) NOT VALID;
ALTER TABLE app.orders ADD CONSTRAINT orders_office_id_fkey FOREIGN KEY (office_id) REFERENCES app.offices (id) NOT VALID;

-- transhume: build of "orders_patient_id_fkey" on target
ALTER TABLE app.orders VALIDATE CONSTRAINT orders_patient_id_fkey;

-- transhume: build of "orders_office_id_fkey" on target
ALTER TABLE app.orders VALIDATE CONSTRAINT orders_office_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('orders_patient_id_fkey', true, NULL),
    ('orders_office_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.orders')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.orders DROP CONSTRAINT IF EXISTS orders_patient_id_fkey;
ALTER TABLE app.orders DROP CONSTRAINT IF EXISTS orders_office_id_fkey;
