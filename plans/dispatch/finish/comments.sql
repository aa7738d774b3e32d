-- finish.comments: app.comments: its hierarchy's working table goes
-- about  What was said about patients and orders, as threads
-- from   specs/dispatch/tables/comments.yaml:2
-- after  constrain.comments
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_comments;
