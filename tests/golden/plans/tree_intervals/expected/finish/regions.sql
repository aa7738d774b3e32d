-- finish.regions: app.regions: its hierarchy's working tables go
-- from   specs/demo/tables/visits.yaml:1
-- after  constrain.regions
-- undo   nothing to undo

-- transhume: apply on target
DROP TABLE IF EXISTS transhume.tree_regions CASCADE;
DROP TABLE IF EXISTS transhume.rows_regions;
DROP TABLE IF EXISTS transhume.intact_regions;
