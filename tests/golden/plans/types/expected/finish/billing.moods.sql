-- finish.billing.moods: billing.moods: statistics
-- from   specs/demo/tables/visits.yaml:1
-- after  index.billing.moods
-- locks  SHARE UPDATE EXCLUSIVE on billing.moods (ANALYZE)
-- undo   nothing to undo

-- transhume: apply on target
ANALYZE billing.moods;
