-- add.orders: app.orders (origin): the columns are added, without values yet
-- from   specs/dispatch/removals/orders.yaml:2
-- locks  ACCESS EXCLUSIVE on app.orders (ADD COLUMN, SET DEFAULT, CREATE TRIGGER)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: gate on target -- there is something to restore from
SELECT 'the backup is not there' AS problem WHERE to_regclass('transhume.backup_dispatch_orders') IS NULL;

-- transhume: apply on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  ADD COLUMN origin text;

-- storage, statistics, comments, grants
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('column')
    ORDER BY array_position(ARRAY['column'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.moving_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.moved_dispatch_orders (_transaction, id, origin, _present, _born, _written, _changed)
  SELECT pg_current_xact_id(), new.id, b.origin, b._present, b._born, b._written, b._changed
  FROM transhume.backup_dispatch_orders AS b
  WHERE b.id = old.id AND b._present
  ON CONFLICT (_transaction, id) DO UPDATE SET
    origin = excluded.origin,
    _present = excluded._present,
    _born = excluded._born,
    _written = excluded._written,
    _changed = excluded._changed;
  RETURN new;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.soak_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
DECLARE
  moved transhume.moved_dispatch_orders%ROWTYPE;
BEGIN
  IF tg_op <> 'INSERT' AND NOT EXISTS (SELECT FROM app.orders AS t WHERE t.id = old.id) THEN
    UPDATE transhume.backup_dispatch_orders AS b SET _present = false, _changed = clock_timestamp() WHERE b.id = old.id;
  END IF;
  IF tg_op <> 'DELETE' THEN
    DELETE FROM transhume.moved_dispatch_orders AS m WHERE m._transaction = pg_current_xact_id() AND m.id = new.id RETURNING m.* INTO moved;
    IF moved._transaction IS NOT NULL THEN
      INSERT INTO transhume.backup_dispatch_orders (id, origin, _present, _born, _written, _changed)
      VALUES (moved.id, moved.origin, moved._present, moved._born, moved._written, moved._changed)
      ON CONFLICT (id) DO UPDATE SET
        origin = excluded.origin,
        _present = excluded._present,
        _born = excluded._born,
        _written = excluded._written,
        _changed = excluded._changed;
    ELSIF tg_op = 'INSERT' THEN
      INSERT INTO transhume.backup_dispatch_orders (id, _present, _born, _written)
      VALUES (new.id, true, true, ARRAY[]::text[])
      ON CONFLICT (id) DO UPDATE SET
        origin = NULL, _present = true, _born = true, _written = excluded._written,
        _changed = clock_timestamp();
    END IF;
  END IF;
  RETURN NULL;
END
$transhume$;

CREATE OR REPLACE FUNCTION transhume.wrote_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  IF coalesce(current_setting('transhume.refill', true), '') <> 'on' THEN
    UPDATE transhume.backup_dispatch_orders AS b SET _written = b._written || tg_argv[0] WHERE b.id = new.id;
  END IF;
  RETURN NULL;
END
$transhume$;

-- ACCESS EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_wrote_1 AFTER UPDATE ON app.orders
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.origin), ROW(new.origin)))
  EXECUTE FUNCTION transhume.wrote_dispatch_orders('origin');
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_wrote_1;
