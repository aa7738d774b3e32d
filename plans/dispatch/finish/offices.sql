-- finish.offices: app.offices: statistics
-- from   specs/dispatch/tables/offices.yaml:2
-- after  index.offices
-- locks  SHARE UPDATE EXCLUSIVE on app.offices (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.offices;
