-- finish.visits: app.visits: statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  index.visits
-- locks  SHARE UPDATE EXCLUSIVE on app.visits (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.visits;
