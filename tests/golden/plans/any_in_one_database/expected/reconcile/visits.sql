-- reconcile.visits: map of visits
-- from   specs/demo/tables/visits.yaml:1
-- after  index.visits, load.notes
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: apply on target
DELETE FROM transhume.map_visits AS k
WHERE NOT EXISTS (SELECT FROM app.visits AS t WHERE t.id = k.id);
