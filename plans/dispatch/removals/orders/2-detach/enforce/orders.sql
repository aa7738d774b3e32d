-- enforce.orders: app.orders (origin): whoever writes it gets the error TH001
-- from   specs/dispatch/removals/orders.yaml:2
-- after  guard.orders
-- undo   the guard only notes again

-- transhume: apply on target
CREATE OR REPLACE FUNCTION transhume.guard_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TH001', MESSAGE = 'app.orders: origin must not be written any more', HINT = 'removal orders of dispatch: since the cut-over every order says the same';
END
$transhume$;

-- transhume: revert on target
CREATE OR REPLACE FUNCTION transhume.guard_dispatch_orders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $transhume$
BEGIN
  INSERT INTO transhume.guard_hit (project, removal, operation, role, application)
  VALUES ('dispatch', 'orders', tg_op, session_user, coalesce(current_setting('application_name', true), ''));
  RETURN new;
END
$transhume$;
