-- finish.offices: app.offices: statistics
-- about  The offices that send orders in
-- from   specs/dispatch/tables/offices.yaml:2
-- after  index.offices
-- locks  SHARE UPDATE EXCLUSIVE on app.offices (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.offices;
