-- recreate.orders: comments, statistics: as they were
-- from   specs/dispatch/removals/orders.yaml:2
-- after  constrain.orders
-- locks  SHARE UPDATE EXCLUSIVE on app.orders (CREATE TRIGGER, POLICY, RULE, STATISTICS, COMMENT)
-- undo   `transhume restore` goes on from where it is; phase 3 drops the columns again

-- transhume: apply on target
DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('dependent', 'kept', 'valid')
    ORDER BY array_position(ARRAY['dependent', 'kept', 'valid'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;

DO $transhume$
DECLARE
  made record;
BEGIN
  FOR made IN
    SELECT s.statement
    FROM transhume.removal_statement AS s
    WHERE (s.project, s.removal) = ('dispatch', 'orders') AND s.stage IN ('detail')
    ORDER BY array_position(ARRAY['detail'], s.stage), s.place
  LOOP
    EXECUTE made.statement;
  END LOOP;
END
$transhume$;
