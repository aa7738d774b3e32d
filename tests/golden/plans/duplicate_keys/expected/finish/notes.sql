-- finish.notes: app.notes: statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.notes
-- locks  SHARE UPDATE EXCLUSIVE on app.notes (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app.notes;
