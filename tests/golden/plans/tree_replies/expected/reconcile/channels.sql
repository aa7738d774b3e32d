-- reconcile.channels: map of channels
-- from   specs/demo/tables/patients.yaml:1
-- after  index.channels, load.messages
-- undo   nothing of its own: what it took away comes back with a new load

-- transhume: apply on target
DELETE FROM transhume.map_channels AS k
WHERE NOT EXISTS (SELECT FROM app.channels AS t WHERE t.id = k.id);
