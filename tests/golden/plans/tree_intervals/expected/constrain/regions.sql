-- constrain.regions: app.regions: regions_parent_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.regions, index.regions
-- locks  SHARE ROW EXCLUSIVE on app.regions (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.regions (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.regions (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.regions ADD CONSTRAINT regions_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.regions (id) NOT VALID;

-- transhume: build of "regions_parent_id_fkey" on target
ALTER TABLE app.regions VALIDATE CONSTRAINT regions_parent_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('regions_parent_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.regions')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.regions DROP CONSTRAINT IF EXISTS regions_parent_id_fkey;
