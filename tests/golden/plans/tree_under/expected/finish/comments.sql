-- finish.comments: app.comments: its hierarchy's working tables go
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.comments
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_comments CASCADE;
DROP TABLE IF EXISTS transhume.rows_comments;
DROP TABLE IF EXISTS transhume.intact_comments;
