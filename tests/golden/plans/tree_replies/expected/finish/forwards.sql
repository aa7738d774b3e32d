-- finish.forwards: app.forwards: its hierarchy's working tables go
-- from   specs/demo/tables/forwards.yaml:1
-- after  constrain.forwards
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_forwards CASCADE;
DROP TABLE IF EXISTS transhume.rows_forwards;
DROP TABLE IF EXISTS transhume.intact_forwards;
