-- finish.categories: app.categories: its hierarchy's working tables go
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.categories
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_categories CASCADE;
DROP TABLE IF EXISTS transhume.rows_categories;
DROP TABLE IF EXISTS transhume.intact_categories;
