-- constrain.places: app.places: places_parent_id_fkey, places_root_id_fkey
-- from   specs/demo/tables/patients.yaml:1
-- after  reconcile.places, index.places
-- locks  SHARE ROW EXCLUSIVE on app.places (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.places (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.places (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.places ADD CONSTRAINT places_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.places (id) NOT VALID;
ALTER TABLE app.places ADD CONSTRAINT places_root_id_fkey FOREIGN KEY (root_id) REFERENCES app.places (id) NOT VALID;

-- transhume: build of "places_parent_id_fkey" on target
ALTER TABLE app.places VALIDATE CONSTRAINT places_parent_id_fkey;

-- transhume: build of "places_root_id_fkey" on target
ALTER TABLE app.places VALIDATE CONSTRAINT places_root_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('places_parent_id_fkey', true, NULL),
    ('places_root_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.places')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.places DROP CONSTRAINT IF EXISTS places_parent_id_fkey;
ALTER TABLE app.places DROP CONSTRAINT IF EXISTS places_root_id_fkey;
