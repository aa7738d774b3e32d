-- finish."odd.name": app."odd.name": statistics
-- about  {{ 7 * 7 }} and {% raw %} are data, and so is -- this
-- from   specs/demo/tables/patients.yaml:1
-- after  index."odd.name"
-- locks  SHARE UPDATE EXCLUSIVE on app."odd.name" (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE app."odd.name";
