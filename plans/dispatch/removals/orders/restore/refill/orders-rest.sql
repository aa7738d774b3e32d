-- refill.orders-rest: rows that came meanwhile without a value -> app.orders (origin), in chunks by id
-- from   specs/dispatch/removals/orders.yaml:2
-- after  narrow.orders
-- locks  ROW EXCLUSIVE on app.orders (UPDATE, SELECT FOR NO KEY UPDATE)
-- locks  ACCESS SHARE on transhume.backup_dispatch_orders (SELECT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: size on target
SELECT count(*) AS rows FROM transhume.backup_dispatch_orders AS s WHERE s._present;

-- transhume: bound on target binds after.1 rows -- the end of the next chunk
SELECT s.id::text, count(*) OVER () AS rows
FROM (
  SELECT s.id
  FROM transhume.backup_dispatch_orders AS s
  WHERE ($1::uuid IS NULL OR s.id > $1::uuid)
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
  FROM app.orders AS t
  WHERE ($1::uuid IS NULL OR t.id > $1::uuid)
    AND ($2::uuid IS NULL OR t.id <= $2::uuid)
    AND (t.origin IS NULL)
  FOR NO KEY UPDATE
) AS locked;
UPDATE app.orders AS t SET
  origin = CASE
    WHEN t.origin IS NULL AND 'origin' <> ALL (b._written) THEN CASE WHEN b._born THEN 'dispatch' ELSE b.origin END
    ELSE t.origin
  END
FROM transhume.backup_dispatch_orders AS b
WHERE b.id = t.id
  AND ($1::uuid IS NULL OR t.id > $1::uuid)
  AND ($2::uuid IS NULL OR t.id <= $2::uuid)
  AND ($1::uuid IS NULL OR b.id > $1::uuid)
  AND ($2::uuid IS NULL OR b.id <= $2::uuid)
  AND b._present
  AND ((t.origin IS NULL AND 'origin' <> ALL (b._written) AND CASE WHEN b._born THEN 'dispatch' ELSE b.origin END IS NOT NULL));

-- transhume: verify on target -- the table has what the backup has
SELECT count(*) || ' rows have not the value of the backup' AS problem
FROM transhume.backup_dispatch_orders AS b
LEFT JOIN app.orders AS t ON t.id = b.id
WHERE b._present AND (('origin' <> ALL (b._written) AND NOT b._born AND (t.id IS NULL OR pg_catalog.record_image_ne(ROW(t.origin), ROW(b.origin)))))
HAVING count(*) > 0;
