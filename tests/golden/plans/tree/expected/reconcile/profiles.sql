-- reconcile.profiles: map of profiles
-- from   specs/demo/tables/patients.yaml:1
-- after  index.profiles, load.comments
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: apply on target
DELETE FROM transhume.map_profiles AS k
WHERE NOT EXISTS (SELECT FROM app.profiles AS t WHERE t.id = k.id);
