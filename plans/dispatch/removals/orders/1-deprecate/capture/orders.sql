-- capture.orders: app.orders: changes reach the backup from here on
-- from   specs/dispatch/removals/orders.yaml:2
-- after  backup.orders
-- locks  SHARE ROW EXCLUSIVE on app.orders (CREATE TRIGGER)
-- undo   drops the triggers

-- transhume: apply on target
-- SHARE ROW EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_capture AFTER INSERT OR DELETE ON app.orders
  FOR EACH ROW EXECUTE FUNCTION transhume.capture_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_capture;
-- SHARE ROW EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_capture_update AFTER UPDATE ON app.orders
  FOR EACH ROW WHEN (pg_catalog.record_image_ne(ROW(old.id, old.origin), ROW(new.id, new.origin)))
  EXECUTE FUNCTION transhume.capture_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_capture_update;
-- SHARE ROW EXCLUSIVE on app.orders
CREATE TRIGGER zz_transhume_orders_truncate AFTER TRUNCATE ON app.orders
  FOR EACH STATEMENT EXECUTE FUNCTION transhume.truncated_dispatch_orders();
ALTER TABLE app.orders ENABLE ALWAYS TRIGGER zz_transhume_orders_truncate;

-- transhume: revert on target
DROP TRIGGER zz_transhume_orders_capture ON app.orders;
DROP TRIGGER zz_transhume_orders_capture_update ON app.orders;
DROP TRIGGER zz_transhume_orders_truncate ON app.orders;
