-- hide.users: app.users: hidden from web
-- from   specs/demo/removals/users.yaml:1
-- after  enforce.users
-- undo   shows them again

-- transhume: apply on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('hide')
    ORDER BY array_position(ARRAY['hide'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

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

-- transhume: revert on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('show', 'column')
    ORDER BY array_position(ARRAY['show', 'column'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
