-- finish.stores: app.stores: statistics
-- from   specs/demo/tables/patients.yaml:1
-- after  constrain.stores
-- locks  SHARE UPDATE EXCLUSIVE on app.stores (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.stores;
