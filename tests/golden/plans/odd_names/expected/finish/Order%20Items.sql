-- finish.Order Items: app.Order Items: statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.Order Items
-- locks  SHARE UPDATE EXCLUSIVE on app.Order Items (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app."Order Items";
