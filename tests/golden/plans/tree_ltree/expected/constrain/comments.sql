-- constrain.comments: app.comments: comments_parent_id_fkey
-- from   specs/demo/tables/visits.yaml:1
-- after  reconcile.comments, index.comments
-- locks  SHARE ROW EXCLUSIVE on app.comments (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.comments (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.comments (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.comments ADD CONSTRAINT comments_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.comments (id) NOT VALID;

-- transhume: build of "comments_parent_id_fkey" on target
ALTER TABLE app.comments VALIDATE CONSTRAINT comments_parent_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('comments_parent_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.comments')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.comments DROP CONSTRAINT IF EXISTS comments_parent_id_fkey;
