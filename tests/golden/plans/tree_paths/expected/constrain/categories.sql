-- constrain.categories: app.categories: categories_parent_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.categories, index.categories
-- locks  SHARE ROW EXCLUSIVE on app.categories (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.categories (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.categories (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.categories ADD CONSTRAINT categories_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.categories (id) NOT VALID;

-- transhume: build of "categories_parent_id_fkey" on target
ALTER TABLE app.categories VALIDATE CONSTRAINT categories_parent_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('categories_parent_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.categories')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.categories DROP CONSTRAINT IF EXISTS categories_parent_id_fkey;
