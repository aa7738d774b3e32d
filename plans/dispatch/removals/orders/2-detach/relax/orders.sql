-- relax.orders: app.orders: rows may come without origin
-- from   specs/dispatch/removals/orders.yaml:2
-- locks  ACCESS EXCLUSIVE on app.orders (DROP NOT NULL)
-- undo   gives rows that came without a value the one of `on_restore`, then sets NOT NULL again

-- transhume: gate on target -- the backup is what the table has
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.origin), ROW(b.origin))) AS different
  FROM (SELECT true AS here, t.id, t.origin AS origin FROM app.orders AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_dispatch_orders AS b WHERE b._present) AS b ON b.id = t.id
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
WHERE i.indrelid = to_regclass('app.orders') AND i.indisreplident AND a.attname IN ('origin', 'zz_removed_origin');

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  ALTER COLUMN origin DROP NOT NULL;

-- transhume: revert on target
SET LOCAL session_replication_role = replica;  -- the application's triggers do not fire
UPDATE app.orders AS t SET origin = 'dispatch' WHERE t.origin IS NULL;
SET LOCAL session_replication_role = origin;

-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  ALTER COLUMN origin SET NOT NULL;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('null')
    ORDER BY array_position(ARRAY['null'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
