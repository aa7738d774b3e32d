-- backup.orders: transhume.backup_dispatch_orders: a table for the values
-- from   specs/dispatch/removals/orders.yaml:2
-- after  describe.orders
-- undo   drops the backup

-- transhume: apply on target
CREATE TABLE transhume.backup_dispatch_orders (
  id uuid NOT NULL,
  origin text,
  _present boolean NOT NULL,
  _born boolean NOT NULL DEFAULT false,
  _written text[] NOT NULL DEFAULT '{}',
  _changed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id)
);

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

CREATE OR REPLACE FUNCTION transhume.truncated_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  UPDATE transhume.backup_dispatch_orders AS b SET _present = false, _changed = clock_timestamp()
  WHERE b._present AND NOT EXISTS (SELECT FROM app.orders AS t WHERE t.id = b.id);
  RETURN NULL;
END
$transhume$;

-- transhume: revert on target
DROP FUNCTION transhume.capture_dispatch_orders(), transhume.truncated_dispatch_orders();
DROP TABLE transhume.backup_dispatch_orders;
