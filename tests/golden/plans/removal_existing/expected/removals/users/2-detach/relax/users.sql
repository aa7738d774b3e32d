-- relax.users: app.users: rows may come without hashed_password, is_active
-- from   specs/demo/removals/users.yaml:1
-- locks  ACCESS EXCLUSIVE on app.users (DROP NOT NULL)
-- undo   gives rows that came without a value the one of `on_restore`, then sets NOT NULL again

-- transhume: gate on target -- the backup is what the table has
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

-- transhume: gate on target -- the replica identity is another index
SELECT i.indexrelid::regclass || ' is the replica identity of ' || i.indrelid::regclass || ': give it another one' AS problem
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[])
WHERE i.indrelid = to_regclass('app.users') AND i.indisreplident AND a.attname IN ('hashed_password', 'is_active');

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ALTER COLUMN hashed_password DROP NOT NULL,
  ALTER COLUMN is_active DROP NOT NULL;

-- transhume: revert on target
-- ACCESS EXCLUSIVE on app.users
ALTER TABLE app.users
  ALTER COLUMN hashed_password SET NOT NULL,
  ALTER COLUMN is_active SET NOT NULL;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('demo', 'users') AND s.stage IN ('null')
    ORDER BY array_position(ARRAY['null'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
