-- finish.payments: app.payments: statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  index.payments
-- locks  SHARE UPDATE EXCLUSIVE on app.payments (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.payments;
