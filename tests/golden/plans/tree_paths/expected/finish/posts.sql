-- finish.posts: app.posts: its hierarchy's working tables go
-- from   specs/demo/tables/patients.yaml:1
-- after  constrain.posts
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_posts CASCADE;
DROP TABLE IF EXISTS transhume.rows_posts;
DROP TABLE IF EXISTS transhume.intact_posts;
