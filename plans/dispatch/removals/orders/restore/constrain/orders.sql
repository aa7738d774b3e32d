-- constrain.orders: app.orders: origin NOT NULL, checks
-- from   specs/dispatch/removals/orders.yaml:2
-- after  refill.orders-rest
-- locks  ACCESS EXCLUSIVE on app.orders (ADD CONSTRAINT NOT VALID, USING INDEX, SET NOT NULL)
-- locks  SHARE UPDATE EXCLUSIVE on app.orders (VALIDATE CONSTRAINT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: build of "origin NOT NULL, validated" on target
-- SHARE UPDATE EXCLUSIVE on app.orders
ALTER TABLE app.orders
  VALIDATE CONSTRAINT transhume_origin_not_null;

-- transhume: build of "origin NOT NULL" on target
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  ALTER COLUMN origin SET NOT NULL;
-- ACCESS EXCLUSIVE on app.orders
ALTER TABLE app.orders
  DROP CONSTRAINT transhume_origin_not_null;

-- transhume: build of "names of NOT NULL" on target
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

-- transhume: build of "checks" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('check')
    ORDER BY array_position(ARRAY['check'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

-- transhume: build of "checks, validated" on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('validate')
    ORDER BY array_position(ARRAY['validate'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
