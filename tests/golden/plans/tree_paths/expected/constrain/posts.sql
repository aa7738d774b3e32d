-- constrain.posts: app.posts: posts_parent_id_fkey, posts_root_id_fkey
-- from   specs/demo/tables/patients.yaml:1
-- after  reconcile.posts, index.posts
-- locks  SHARE ROW EXCLUSIVE on app.posts (ADD FOREIGN KEY)
-- locks  SHARE UPDATE EXCLUSIVE on app.posts (VALIDATE CONSTRAINT)
-- locks  ROW SHARE on app.posts (VALIDATE CONSTRAINT)
-- undo   drops them

-- transhume: apply on target -- checked for new rows from here on
ALTER TABLE app.posts ADD CONSTRAINT posts_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES app.posts (id) NOT VALID;
ALTER TABLE app.posts ADD CONSTRAINT posts_root_id_fkey FOREIGN KEY (root_id) REFERENCES app.posts (id) NOT VALID;

-- transhume: build of "posts_parent_id_fkey" on target
ALTER TABLE app.posts VALIDATE CONSTRAINT posts_parent_id_fkey;

-- transhume: build of "posts_root_id_fkey" on target
ALTER TABLE app.posts VALIDATE CONSTRAINT posts_root_id_fkey;

-- transhume: verify on target
SELECT expected.name || ' is not there, not validated, or not what it was' AS problem
FROM (
  VALUES
    ('posts_parent_id_fkey', true, NULL),
    ('posts_root_id_fkey', true, NULL)
) AS expected (name, is_valid, definition)
WHERE NOT EXISTS (
  SELECT
  FROM pg_constraint AS k
  WHERE k.conrelid = to_regclass('app.posts')
    AND k.conname = expected.name
    AND k.convalidated = expected.is_valid
    AND coalesce(expected.definition, '') IN ('', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
);

-- transhume: revert on target
ALTER TABLE app.posts DROP CONSTRAINT IF EXISTS posts_parent_id_fkey;
ALTER TABLE app.posts DROP CONSTRAINT IF EXISTS posts_root_id_fkey;
