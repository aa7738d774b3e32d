-- constrain.Order Items: app.Order Items: Order Items_odd.id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.Order Items, index."odd.name"
-- locks  SHARE ROW EXCLUSIVE on app.Order Items, app."odd.name" (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.Order Items (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app."odd.name" (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app."Order Items" ADD CONSTRAINT "Order Items_odd.id_fkey" FOREIGN KEY ("odd.id") REFERENCES app."odd.name" ("ID") NOT VALID;

-- transhume: build of "Order Items_odd.id_fkey" on target
ALTER TABLE app."Order Items" VALIDATE CONSTRAINT "Order Items_odd.id_fkey";

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('Order Items_odd.id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app."Order Items"')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app."Order Items" DROP CONSTRAINT IF EXISTS "Order Items_odd.id_fkey";
