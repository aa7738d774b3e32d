-- backfill.users: app.users (hashed_password, is_active) -> transhume.backup_demo_users, in chunks by id
-- from   specs/demo/removals/users.yaml:1
-- after  capture.users
-- locks  ACCESS SHARE on app.users (SELECT)
-- locks  ROW EXCLUSIVE on transhume.backup_demo_users (INSERT)
-- undo   the rows go with the backup

-- transhume: size on target
SELECT count(*) AS rows FROM app.users;

-- transhume: bound on target binds after.1 rows -- the end of the next chunk
SELECT s.id::text, count(*) OVER () AS rows
FROM (
  SELECT s.id
  FROM app.users AS s
  WHERE ($1::bigint IS NULL OR s.id > $1::bigint)
  ORDER BY s.id
  LIMIT $2::bigint
) AS s
ORDER BY s.id DESC
LIMIT 1;

-- transhume: copy on target binds after.1 upto.1 -- one chunk, with its checkpoint
INSERT INTO transhume.backup_demo_users (id, hashed_password, is_active, _present)
SELECT s.id, s.hashed_password, s.is_active, true
FROM app.users AS s
WHERE ($1::bigint IS NULL OR s.id > $1::bigint)
  AND ($2::bigint IS NULL OR s.id <= $2::bigint)
ORDER BY s.id
ON CONFLICT (id) DO NOTHING;

-- transhume: verify on target
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.hashed_password, t.is_active), ROW(b.hashed_password, b.is_active))) AS different
  FROM (SELECT true AS here, t.id, t.hashed_password AS hashed_password, t.is_active AS is_active FROM app.users AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_demo_users AS b WHERE b._present) AS b ON b.id = t.id
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;
