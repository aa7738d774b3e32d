-- hide.orders: app.orders: origin -> zz_removed_origin
-- from   specs/dispatch/removals/orders.yaml:2
-- after  enforce.orders
-- locks  ACCESS EXCLUSIVE on app.orders (RENAME COLUMN)
-- undo   shows them again

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders RENAME COLUMN origin TO zz_removed_origin;
CREATE OR REPLACE FUNCTION transhume.capture_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.orders AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_dispatch_orders (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_dispatch_orders (id, origin, _present)
    SELECT t.id, t.zz_removed_origin, true
    FROM app.orders AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      origin = excluded.origin, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;

-- transhume: verify on target
SELECT found.problem
FROM (
  SELECT
    count(*) FILTER (WHERE b._present IS NULL) AS missing,
    count(*) FILTER (WHERE t.here IS NULL) AS surplus,
    count(*) FILTER (WHERE t.here AND b._present AND pg_catalog.record_image_ne(ROW(t.origin), ROW(b.origin))) AS different
  FROM (SELECT true AS here, t.id, t.zz_removed_origin AS origin FROM app.orders AS t) AS t
  FULL JOIN (SELECT b.* FROM transhume.backup_dispatch_orders AS b WHERE b._present) AS b ON b.id = t.id
) AS counted
CROSS JOIN LATERAL (
  VALUES
    (counted.missing, counted.missing || ' rows are not in the backup'),
    (counted.surplus, counted.surplus || ' rows of the backup are not in the table'),
    (counted.different, counted.different || ' rows have other values in the backup')
) AS found (rows, problem)
WHERE found.rows > 0;

-- transhume: revert on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders RENAME COLUMN zz_removed_origin TO origin;
CREATE OR REPLACE FUNCTION transhume.capture_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.orders AS t WHERE t.id = old.id) THEN
    INSERT INTO transhume.backup_dispatch_orders (id, _present)
    VALUES (old.id, false)
    ON CONFLICT (id) DO UPDATE SET _present = false, _changed = clock_timestamp();
  END IF;
  IF tg_op <> 'DELETE' THEN
    INSERT INTO transhume.backup_dispatch_orders (id, origin, _present)
    SELECT t.id, t.origin, true
    FROM app.orders AS t
    WHERE t.id = new.id
    ON CONFLICT (id) DO UPDATE SET
      origin = excluded.origin, _present = true, _changed = clock_timestamp();
  END IF;
  RETURN NULL;
END
$transhume$;
