-- finish."odd.name": app."odd.name": statistics
-- from   specs/demo/tables/patients.yaml:1
-- after  index."odd.name"
-- locks  SHARE UPDATE EXCLUSIVE on app."odd.name" (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app."odd.name";
