-- constrain.forwards: app.forwards: forwards_parent_id_fkey
-- from   specs/demo/tables/forwards.yaml:1
-- after  reconcile.forwards, index.forwards
-- locks  SHARE ROW EXCLUSIVE on app.forwards (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.forwards (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.forwards (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.forwards ADD CONSTRAINT forwards_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.forwards (id) NOT VALID;

-- transhume: build of "forwards_parent_id_fkey" on target
ALTER TABLE app.forwards VALIDATE CONSTRAINT forwards_parent_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('forwards_parent_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.forwards')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.forwards DROP CONSTRAINT IF EXISTS forwards_parent_id_fkey;
