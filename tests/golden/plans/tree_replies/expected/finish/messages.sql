-- finish.messages: app.messages: its hierarchy's working tables go
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.messages
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_messages CASCADE;
DROP TABLE IF EXISTS transhume.rows_messages;
DROP TABLE IF EXISTS transhume.intact_messages;
