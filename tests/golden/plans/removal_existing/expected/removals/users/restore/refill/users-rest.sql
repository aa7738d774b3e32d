-- refill.users-rest: rows that came meanwhile without a value -> app.users (hashed_password, is_active), in chunks by
--     id
-- from   specs/demo/removals/users.yaml:1
-- after  narrow.users
-- locks  ROW EXCLUSIVE on app.users (UPDATE, SELECT FOR NO KEY UPDATE)
-- locks  ACCESS SHARE on transhume.backup_demo_users (SELECT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: size on target
SELECT count(*) AS rows FROM transhume.backup_demo_users AS s WHERE s._present;

-- transhume: bound on target binds after.1 rows -- the end of the next chunk
SELECT s.id::text, count(*) OVER () AS rows
FROM (
  SELECT s.id
  FROM transhume.backup_demo_users AS s
  WHERE ($1::bigint IS NULL OR s.id > $1::bigint)
    AND s._present
  ORDER BY s.id
  LIMIT $2::bigint
) AS s
ORDER BY s.id DESC
LIMIT 1;

-- transhume: copy on target binds after.1 upto.1 -- one chunk, with its checkpoint
SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
SET LOCAL transhume.refill = 'on';
SELECT count(*)
FROM (
  SELECT
  FROM app.users AS t
  WHERE ($1::bigint IS NULL OR t.id > $1::bigint)
    AND ($2::bigint IS NULL OR t.id <= $2::bigint)
    AND (t.hashed_password IS NULL OR t.is_active IS NULL)
  FOR NO KEY UPDATE
) AS locked;
UPDATE app.users AS t SET
  hashed_password = CASE
    WHEN t.hashed_password IS NULL AND 'hashed_password' <> ALL (b._written) THEN b.hashed_password
    ELSE t.hashed_password
  END,
  is_active = CASE
    WHEN t.is_active IS NULL AND 'is_active' <> ALL (b._written) THEN b.is_active
    ELSE t.is_active
  END
FROM transhume.backup_demo_users AS b
WHERE b.id = t.id
  AND ($1::bigint IS NULL OR t.id > $1::bigint)
  AND ($2::bigint IS NULL OR t.id <= $2::bigint)
  AND ($1::bigint IS NULL OR b.id > $1::bigint)
  AND ($2::bigint IS NULL OR b.id <= $2::bigint)
  AND b._present
  AND ((t.hashed_password IS NULL AND 'hashed_password' <> ALL (b._written) AND b.hashed_password IS NOT NULL)
    OR (t.is_active IS NULL AND 'is_active' <> ALL (b._written) AND b.is_active IS NOT NULL));

-- transhume: verify on target -- the table has what the backup has
SELECT count(*) || ' rows have not the value of the backup' AS problem
FROM transhume.backup_demo_users AS b
LEFT JOIN app.users AS t ON t.id = b.id
WHERE b._present AND (('hashed_password' <> ALL (b._written) AND NOT b._born AND (t.id IS NULL OR pg_catalog.record_image_ne(ROW(t.hashed_password), ROW(b.hashed_password))))
  OR ('is_active' <> ALL (b._written) AND NOT b._born AND (t.id IS NULL OR pg_catalog.record_image_ne(ROW(t.is_active), ROW(b.is_active)))))
HAVING count(*) > 0;
